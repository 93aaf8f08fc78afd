"""Out of which surfaces can a product of the built-in catalogue be built?

Units: a product is about 1 high or wide. x points right, y up from the ground, z to the viewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Paint = Literal["body", "base", "detail", "inner", "wood", "metal", "pale", "dark"]
Vector = tuple[float, float, float]

ROUND, SOFT, BOXY = 1.0, 0.6, 0.3  # exponents of a cross-section: ellipse, rounded rectangle, nearly a rectangle
SIDE, UP, FRONT = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Surface:
    """A net of four-cornered faces, seen from outside."""

    points: Array  # [R, C, 3]; a closed surface has its first column again as its last
    uv: Array  # [R, C, 2] where a pattern lies on it, in units of length
    paint: Paint  # body: with the pattern; base: its colour alone; detail: the second colour; inner: a hollow
    light: float | Array = 1.0  # [R, C] share of the surrounding light that gets there


def curve(*points: Sequence[float] | Array, rounds: int = 2) -> Array:
    """A smooth line [K, D] along a polygon, by cutting its corners; a point given twice stays a sharp corner."""
    line = np.asarray(points, dtype=np.float64)
    for _ in range(rounds):
        cut = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], 1)
        line = np.concatenate([line[:1], cut.reshape(-1, line.shape[1]), line[-1:]])
    keep = np.r_[True, np.abs(np.diff(line, axis=0)).sum(1) > 1e-6]
    return np.asarray(line[keep])


def lathe(
    profile: Array,
    paint: Paint,
    *,
    depth: float = 1.0,
    exponent: float = ROUND,
    center: Vector = (0.0, 0.0, 0.0),
    columns: int = 28,
    waves: tuple[int, float] = (0, 0.0),
    flat: bool = False,
    light: float | Array = 1.0,
) -> Surface:
    """Turn a profile of (radius, height) [K, 2] around the y axis, upwards on the outside, downwards inside.

    `depth`: of the cross-section against its width; `waves`: how many folds at the lower end, and how deep;
    `flat`: the pattern runs straight across as on a printed cloth, and not around.
    """
    radius, height = profile.T
    cosine, sine, angle = _section(columns, exponent)
    wave = 1 + waves[1] * np.cos(waves[0] * angle) * np.linspace(1, 0, len(radius))[:, None]
    x = radius[:, None] * cosine * wave
    z = radius[:, None] * sine * wave * depth
    points = np.stack([x, np.broadcast_to(height[:, None], x.shape), z], -1) + np.asarray(center)
    along = np.r_[0, np.cumsum(np.hypot(np.diff(radius), np.diff(height)))]
    around = -(angle - np.pi / 2) * radius.max()
    uv = points[..., :2] if flat else np.stack(np.broadcast_arrays(around, along[:, None]), -1)
    return Surface(points, uv, paint, light if isinstance(light, float) else light[:, None] + 0 * x)


def sweep(
    path: Array,
    widths: Sequence[float] | float,
    depths: Sequence[float] | float,
    paint: Paint,
    *,
    axis: Vector = FRONT,
    exponent: float = ROUND,
    columns: int = 12,
    ends: Literal["round", "open", "tip"] = "round",
    light: float = 1.0,
) -> Surface:
    """Move a cross-section along a path [K, 3]; `depths` lie along `axis`, `widths` across it (half of each).

    Several widths or depths are spread evenly over the path and joined by a smooth line. `ends`: both round, both
    open, or with a round tip at the last point only.
    """
    steps = np.linspace(0, 1, len(path))
    half_widths, half_depths = (_spread(values, steps) for values in (widths, depths))
    if ends != "open":
        path, half_widths, half_depths = _with_round_ends(path, half_widths, half_depths)
    if ends == "tip":
        path, half_widths, half_depths = path[3:], half_widths[3:], half_depths[3:]
    tangent = np.gradient(path, axis=0)
    across = cross(tangent, np.asarray(axis))
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    cosine, sine, _ = _section(columns, exponent)
    points = (
        path[:, None]
        + across[:, None] * (half_widths[:, None] * cosine)[..., None]
        + np.asarray(axis) * (half_depths[:, None] * sine)[..., None]
    )
    return Surface(points, points[..., :2], paint, light)


def block(
    center: Vector, half: Vector, paint: Paint, *, exponent: float = BOXY, edge: float = 0.03, light: float = 1.0
) -> Surface:
    """A box or cushion with soft edges: half width, height and depth around its center."""
    width, height, depth = half
    edge = min(edge, height, width, depth)
    rise = np.r_[0, 0.3, 1.0] * edge
    y = np.r_[-height + rise, np.linspace(-height + edge, height - edge, 4)[1:-1], height - rise[::-1]]
    inset = np.r_[edge, edge * 0.3, 0, 0, 0, 0, edge * 0.3, edge]
    y, inset = np.r_[y[0], y, y[-1]], np.r_[min(width, depth), inset, min(width, depth)]
    cosine, sine, _ = _section(24, exponent)
    x = np.maximum(width - inset, 0)[:, None] * cosine
    z = np.maximum(depth - inset, 0)[:, None] * sine
    points = np.stack([x, np.broadcast_to(y[:, None], x.shape), z], -1) + np.asarray(center)
    uv = points[..., :2] + points[..., 2:] * [0.0, -1.0]  # the pattern runs on over the upper edge
    return Surface(points, uv, paint, light)


def turned(surface: Surface, degrees: float, about: Literal["x", "y", "z"]) -> Surface:
    """The same surface turned around an axis through the origin."""
    points = surface.points @ rotation(degrees, about).T
    return Surface(points, surface.uv, surface.paint, surface.light)


def cross(one: Array, other: Array) -> Array:
    """The product of vectors [..., 3] that is square to both; NumPy's own takes several times as long."""
    (a, b, c), (d, e, f) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    return np.stack([b * f - c * e, c * d - a * f, a * e - b * d], -1)


def rotation(degrees: float, about: Literal["x", "y", "z"]) -> Array:
    """[3, 3], to multiply a column from the left."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rows = {"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]]}
    return np.asarray(rows.get(about, [[c, -s, 0], [s, c, 0], [0, 0, 1]]), dtype=np.float64)


def moved(surface: Surface, by: Vector) -> Surface:
    """The same surface at another place."""
    return Surface(surface.points + np.asarray(by), surface.uv, surface.paint, surface.light)


def _section(columns: int, exponent: float) -> tuple[Array, Array, Array]:
    """Cosine, sine and angle around a cross-section [C]; the seam lies at the back."""
    angle = np.linspace(-np.pi / 2, 1.5 * np.pi, columns + 1)
    cosine, sine = np.cos(angle), np.sin(angle)
    if exponent == ROUND:
        return cosine, sine, angle
    return np.sign(cosine) * np.abs(cosine) ** exponent, np.sign(sine) * np.abs(sine) ** exponent, angle


def _spread(values: Sequence[float] | float, steps: Array) -> Array:
    knots = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if len(knots) < 3:
        return np.interp(steps, np.linspace(0, 1, len(knots)), knots)
    line = curve(*zip(np.linspace(0, 1, len(knots)), knots, strict=True))
    return np.interp(steps, line[:, 0], line[:, 1])


def _with_round_ends(path: Array, widths: Array, depths: Array) -> tuple[Array, Array, Array]:
    """Half an ellipsoid at both ends, within the length of the path."""
    first, last = path[1] - path[0], path[-1] - path[-2]
    first, last = first / np.linalg.norm(first), last / np.linalg.norm(last)
    shares, sizes = np.array([1.0, 0.8, 0.4]), np.array([0.0, 0.6, 0.92])
    reach = 0.5 * np.minimum(widths, depths)
    head = path[0] - first * reach[0] * shares[:, None]
    tail = path[-1] + last * reach[-1] * shares[::-1, None]
    return (
        np.concatenate([head, path, tail]),
        np.r_[widths[0] * sizes, widths, widths[-1] * sizes[::-1]],
        np.r_[depths[0] * sizes, depths, depths[-1] * sizes[::-1]],
    )
