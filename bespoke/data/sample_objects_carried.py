"""Of which surfaces is each product of the built-in catalogue made that people carry with them?"""

from __future__ import annotations

import numpy as np

from bespoke.data.sample_shapes import BOXY, SOFT, Array, Surface, block, curve, lathe, sweep, turned


def bag(rng: np.random.Generator) -> list[Surface]:
    """A tote or a handbag with two handles."""
    top, foot, tall = rng.uniform(0.30, 0.37), rng.uniform(0.33, 0.40), rng.uniform(0.48, 0.62)
    deep = rng.uniform(0.28, 0.36)
    body = curve((0, 0), (foot - 0.03, 0), (foot, 0.03), (foot, 0.03), (top, tall), (top, tall), rounds=2)
    inside = lathe(
        np.array([(top, tall), (top - 0.015, tall), (top - 0.02, tall - 0.05), (0, tall - 0.1)]),
        "inner",
        depth=deep,
        exponent=0.35,
        light=np.array([1.0, 0.9, 0.5, 0.3]),
    )
    reach, grip = rng.uniform(0.15, 0.20), rng.uniform(0.22, 0.40)
    z = top * deep * 0.97
    handles = [
        sweep(
            curve(
                (-reach, tall - 0.1, s * z),
                (-reach, tall + grip * 0.7, s * z * 0.7),
                (-reach * 0.5, tall + grip, s * z * 0.6),
                (reach * 0.5, tall + grip, s * z * 0.6),
                (reach, tall + grip * 0.7, s * z * 0.7),
                (reach, tall - 0.1, s * z),
            ),
            0.024,
            0.018,
            "detail",
            columns=8,
        )
        for s in (-1, 1)
    ]
    return [handles[0], lathe(body, "body", depth=deep, exponent=0.35, flat=True), inside, handles[1]]


def backpack(rng: np.random.Generator) -> list[Surface]:
    """A backpack with a front pocket, a grip and shoulder straps."""
    half, tall = rng.uniform(0.30, 0.34), rng.uniform(0.86, 0.96)
    wall = ((0, 0), (half - 0.04, 0), (half, 0.05), (half, 0.4), (half * 0.98, tall * 0.78), (half * 0.78, tall))
    body = curve(*wall, (0, tall * 1.01), rounds=3)
    pocket = block((0, tall * 0.27, half * 0.60), (half * 0.72, tall * 0.19, 0.08), "detail", exponent=SOFT, edge=0.05)
    grip = _arch(0.09, tall * 0.97, 0.08, tall + 0.09, (-0.05, -0.05))
    zipper = _arch(half * 0.8, tall * 0.60, half * 0.74, tall * 0.92, (half * 0.58, half * 0.50))
    surfaces = [sweep(grip, 0.02, 0.026, "base", columns=8)]
    for s in (-1, 1):
        strap = curve(
            (s * 0.16, tall * 0.9, -half * 0.5),
            (s * half * 1.15, tall * 0.86, -half * 0.85),
            (s * half * 1.2, tall * 0.3, -half * 0.8),
            (s * half * 0.9, 0.08, -half * 0.5),
        )
        at, half_side = (s * (half + 0.01), tall * 0.2, 0.0), (0.05, tall * 0.15, half * 0.4)
        surfaces.append(sweep(strap, 0.045, 0.02, "base", columns=8))
        surfaces.append(block(at, half_side, "base", exponent=SOFT, edge=0.04))
    return [
        *surfaces,
        lathe(body, "body", depth=0.62, exponent=SOFT, flat=True, columns=36),
        sweep(zipper, 0.011, 0.011, "dark", columns=6),
        pocket,
    ]


def _arch(foot: float, low: float, shoulder: float, high: float, depth: tuple[float, float]) -> Array:
    """A line up, across and down again; `depth`: where it lies at its feet and at its shoulders."""
    z, top_z = depth
    return curve((-foot, low, z), (-shoulder, high, top_z), (shoulder, high, top_z), (foot, low, z))


def umbrella(rng: np.random.Generator) -> list[Surface]:
    """An open umbrella with a crooked handle."""
    wide, tall = rng.uniform(0.48, 0.52), rng.uniform(0.26, 0.34)
    low = 0.60
    dome = curve(
        (wide, low),
        (wide * 0.92, low + tall * 0.42),
        (wide * 0.55, low + tall * 0.92),
        (0.0, low + tall * 1.05),
        rounds=3,
    )
    canopy = lathe(dome, "body", columns=48)
    inside = lathe(dome[::-1] - [0.004, 0.006], "inner", columns=48, light=0.55)
    angle = np.linspace(-np.pi / 2, 1.5 * np.pi, 49)
    scallop = 0.055 * np.abs(np.sin(4 * angle)) * np.linspace(1, 0, len(dome))[:, None] ** 1.5
    for part, lift in ((canopy, scallop), (inside, scallop[::-1])):
        part.points[..., 1] += lift
        part.points[..., ::2] *= 1 - 0.8 * lift[..., None]
    hook = 0.075
    stick = np.array([(0.0, 0.18, 0.0), (0.0, low + tall, 0.0)])
    grip = curve(
        (0, 0.24, 0), (0, 0.06, 0), (0, 0.0, 0), (hook, -0.03, 0), (2 * hook, 0.0, 0), (2 * hook, 0.08, 0), rounds=2
    )
    tip = np.array([(0.0, low + tall, 0.0), (0.0, low + tall + 0.08, 0.0)])
    return [
        inside,
        sweep(stick, 0.014, 0.014, "metal", columns=8),
        sweep(grip, 0.028, 0.028, "detail", columns=10),
        canopy,
        sweep(tip, (0.018, 0.01), (0.018, 0.01), "metal", columns=8),
    ]


def watch(rng: np.random.Generator) -> list[Surface]:
    """A wristwatch lying flat, its face to the viewer."""
    case, strap = rng.uniform(0.19, 0.215), rng.uniform(0.13, 0.15)
    ends = []
    for side in (-1, 1):
        path = curve((0, side * case * 0.8, 0.0), (0, side * 0.3, 0.0), (0, side * 0.42, -0.03), (0, side * 0.5, -0.07))
        ends.append(
            sweep(path, (strap, strap * 0.95, strap * 0.8, strap * 0.75), 0.022, "body", exponent=BOXY, columns=20)
        )
    ring = curve((case, 0.0), (case, 0.05), (case * 0.97, 0.075), (case * 0.80, 0.085), (case * 0.74, 0.07))
    dial = np.array([(case * 0.76, 0.07), (case * 0.4, 0.07), (0.0, 0.07)])
    crown = sweep(np.array([(case * 0.95, 0, 0.035), (case * 1.16, 0, 0.035)]), 0.026, 0.026, "metal", columns=10)
    marks = []
    for degrees in range(0, 360, 90):
        a = np.radians(degrees)
        spot = np.array((np.sin(a), np.cos(a), 0)) * case
        marks.append(
            sweep(np.array([spot * 0.58, spot * 0.70]) + np.array((0, 0, 0.075)), 0.010, 0.006, "dark", columns=6)
        )
    for hour, length, thick in ((float(rng.uniform(9.5, 11)), 0.36, 0.013), (float(rng.uniform(1, 3)), 0.55, 0.010)):
        a = np.radians(hour * 30)
        tip = np.array((np.sin(a), np.cos(a), 0)) * case * length
        marks.append(sweep(np.array([(0, 0, 0), tip]) + np.array((0, 0, 0.078)), thick, 0.006, "dark", columns=6))
    face = [turned(part, 90, "x") for part in (lathe(ring, "base", columns=32), lathe(dial, "detail", columns=32))]
    return [*ends, crown, *face, *marks]
