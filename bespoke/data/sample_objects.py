"""Of which shapes is each product of the built-in catalogue made?"""

from __future__ import annotations

import math
from typing import NamedTuple

Point = tuple[float, float]


class Part(NamedTuple):
    """One painted shape of a product. x runs from -0.5 to 0.5, y from 0 (the ground) up to 1."""

    paint: str  # body: with the pattern; base: the colour alone; dark, shine: a shade of it; trim: wood or metal
    shape: str  # polygon, ellipse (two corners) or line (through the points)
    points: tuple[Point, ...]
    width: float = 0.0  # of a line


def _arc(center: Point, radius: Point, start: float, end: float) -> tuple[Point, ...]:
    """Points of an elliptic arc; degrees, counter-clockwise from the right."""
    angles = [math.radians(start + (end - start) * step / 12) for step in range(13)]
    return tuple((center[0] + radius[0] * math.cos(a), center[1] + radius[1] * math.sin(a)) for a in angles)


_SCALLOPS = tuple(point for x in (-0.375, -0.125, 0.125, 0.375) for point in _arc((x, 0.48), (0.125, 0.06), 180, 0))

OBJECTS: dict[str, tuple[Part, ...]] = {
    "mug": (
        Part("base", "line", _arc((0.18, 0.47), (0.24, 0.24), -100, 100), 0.10),
        Part("body", "polygon", ((-0.42, 0.88), (0.22, 0.88), *_arc((-0.10, 0.08), (0.29, 0.08), 0, -180))),
        Part("dark", "ellipse", ((-0.42, 0.80), (0.22, 0.96))),
    ),
    "shirt": (
        Part(
            "body",
            "polygon",
            (
                *((-0.17, 0.97), (0.17, 0.97), (0.50, 0.78), (0.41, 0.54), (0.28, 0.62), (0.28, 0.03)),
                *((-0.28, 0.03), (-0.28, 0.62), (-0.41, 0.54), (-0.50, 0.78)),
            ),
        ),
        Part("dark", "polygon", _arc((0.0, 0.97), (0.15, 0.12), 0, -180)),
    ),
    "chair": (
        Part("trim", "line", ((-0.26, 0.50), (-0.28, 0.02)), 0.07),
        Part("trim", "line", ((0.20, 0.50), (0.22, 0.06)), 0.06),
        Part("trim", "line", ((0.32, 0.40), (0.35, 0.02)), 0.07),
        Part("trim", "line", ((-0.14, 0.36), (-0.14, 0.0)), 0.06),
        Part("body", "polygon", ((-0.31, 1.0), (0.20, 1.0), (0.22, 0.50), (-0.29, 0.50))),
        Part("base", "polygon", ((-0.30, 0.50), (0.24, 0.50), (0.38, 0.38), (-0.20, 0.38))),
        Part("dark", "polygon", ((-0.20, 0.38), (0.38, 0.38), (0.38, 0.32), (-0.20, 0.32))),
    ),
    "lamp": (
        Part("trim", "line", ((0.0, 0.55), (0.0, 0.06)), 0.07),
        Part("trim", "ellipse", ((-0.23, 0.0), (0.23, 0.12))),
        Part("body", "polygon", ((-0.19, 1.0), (0.19, 1.0), (0.40, 0.50), (-0.40, 0.50))),
    ),
    "umbrella": (
        Part("trim", "line", ((0.0, 1.0), (0.0, 0.08), *_arc((0.08, 0.09), (0.08, 0.09), 180, 380)), 0.055),
        Part("body", "polygon", (*_arc((0.0, 0.48), (0.50, 0.46), 0, 180), *_SCALLOPS)),
    ),
    "bag": (
        Part("trim", "line", ((-0.19, 0.58), *_arc((0.0, 0.78), (0.17, 0.20), 180, 0), (0.19, 0.58)), 0.06),
        Part("body", "polygon", ((-0.36, 0.62), (0.36, 0.62), (0.41, 0.0), (-0.41, 0.0))),
        Part("dark", "polygon", ((-0.36, 0.62), (0.36, 0.62), (0.365, 0.55), (-0.365, 0.55))),
    ),
    "bottle": (
        Part(
            "body",
            "polygon",
            (
                *((-0.09, 0.88), (0.09, 0.88), (0.09, 0.72), (0.21, 0.56), (0.21, 0.03), (0.18, 0.0)),
                *((-0.18, 0.0), (-0.21, 0.03), (-0.21, 0.56), (-0.09, 0.72)),
            ),
        ),
        Part("trim", "polygon", ((-0.11, 1.0), (0.11, 1.0), (0.11, 0.87), (-0.11, 0.87))),
        Part("shine", "line", ((-0.13, 0.50), (-0.13, 0.12)), 0.045),
    ),
    "ball": (
        Part("body", "ellipse", ((-0.43, 0.0), (0.43, 0.86))),
        Part("shine", "ellipse", ((-0.26, 0.54), (-0.08, 0.72))),
    ),
    "hat": (
        Part("base", "ellipse", ((-0.50, 0.06), (0.50, 0.40))),
        Part("body", "polygon", ((-0.28, 0.22), *_arc((0.0, 0.56), (0.25, 0.22), 180, 0), (0.28, 0.22))),
        Part("trim", "polygon", ((-0.277, 0.25), (-0.265, 0.36), (0.265, 0.36), (0.277, 0.25))),
    ),
    "boot": (
        Part(
            "body",
            "polygon",
            ((-0.28, 1.0), (0.10, 1.0), (0.11, 0.45), *_arc((0.26, 0.10), (0.22, 0.26), 80, 0), (-0.28, 0.08)),
        ),
        Part("dark", "polygon", ((-0.30, 1.0), (0.12, 1.0), (0.12, 0.90), (-0.30, 0.90))),
        Part("trim", "polygon", ((-0.30, 0.10), (0.49, 0.10), (0.48, 0.03), (0.02, 0.03), (0.0, 0.0), (-0.30, 0.0))),
    ),
}
