"""Of which surfaces is each toy of the built-in catalogue made?"""

from __future__ import annotations

import numpy as np

from bespoke.data.sample_shapes import UP, Paint, Surface, Vector, curve, lathe, moved, sweep, turned


def bear(rng: np.random.Generator) -> list[Surface]:
    """A teddy bear that sits, with its soles, muzzle and inner ears in the second colour."""
    tall, wide = rng.uniform(0.44, 0.52), rng.uniform(0.23, 0.27)  # of the body
    head, chin = rng.uniform(0.215, 0.25), rng.uniform(0.17, 0.19)  # half width and half height
    middle = tall * 0.93 + chin * 0.85  # of the head
    ear, apart = rng.uniform(0.08, 0.10), rng.uniform(0.68, 0.76)
    hand, spread = rng.uniform(0.20, 0.32), rng.uniform(0.19, 0.26)
    body = curve((0, 0), (wide * 0.9, 0), (wide * 1.12, tall * 0.40), (wide * 0.72, tall), (0, tall * 1.05), rounds=3)
    surfaces = []
    for side in (-1.0, 1.0):
        at = (side * head * apart, middle + chin * 0.83, -0.02)
        surfaces += [_ball(at, (ear, ear, 0.05), "base"), _disc((at[0], at[1], at[2] + 0.05), ear * 0.58)]
        shoulder = (side * wide * 0.62, tall * 0.84, 0.02)
        wrist = (side * (wide + 0.10), hand, 0.07)
        arm = curve(shoulder, (side * wide * 1.3, tall * 0.78, 0.03), wrist)
        surfaces.append(sweep(arm, (0.08, 0.082), (0.09, 0.085), "base", ends="open", columns=16))
        surfaces.append(_ball(wrist, (0.094, 0.1, 0.1), "base"))
        hip, foot = np.array((side * 0.12, 0.10, 0.04)), np.array((side * spread, 0.11, 0.36))
        leg = np.linspace(hip, foot, 4)
        surfaces.append(sweep(leg, 0.105, 0.105, "base", axis=UP, columns=16))
        surfaces.append(_disc((float(foot[0] + side * 0.015), 0.11, 0.415), 0.08))
    face = [
        _ball((0.0, middle, 0.02), (head, chin, head * 0.86), "base"),
        _ball((0.0, middle - chin * 0.32, head * 0.76), (0.105, 0.08, 0.085), "detail"),
        _ball((0.0, middle - chin * 0.12, head * 0.76 + 0.08), (0.036, 0.026, 0.026), "dark"),
        *(_ball((side * 0.085, middle + chin * 0.24, head * 0.76), (0.022, 0.024, 0.03), "dark") for side in (-1, 1)),
    ]
    return [lathe(body, "body", depth=0.84, columns=32), *surfaces, *face]


def _ball(center: Vector, radii: Vector, paint: Paint) -> Surface:
    """An ellipsoid of so much half width, height and depth."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 9)
    profile = np.stack([radii[0] * np.cos(angle), radii[1] * np.sin(angle)], 1)
    return lathe(profile, paint, depth=radii[2] / radii[0], center=center, columns=18)


def _disc(center: Vector, radius: float) -> Surface:
    """A flat round patch that faces the viewer."""
    dome = curve((radius, 0.0), (radius * 0.7, 0.012), (0.0, 0.014))
    return moved(turned(lathe(dome, "detail", columns=18), 90, "x"), center)
