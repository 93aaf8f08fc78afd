"""Of which surfaces is each household product of the built-in catalogue made?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bespoke.data.sample_shapes import BOXY, SOFT, Array, Surface, Vector, block, curve, lathe, sweep


def _hollow(outside: Array, wall: float, bottom: float) -> Surface:
    """The inside of a vessel with this outside profile: darker towards the bottom."""
    top = outside[-1]
    inner = outside[::-1] - np.array([wall, 0.0])
    inner = inner[(inner[:, 1] > bottom) & (inner[:, 0] > 0.02)]
    profile = np.concatenate([[top, [top[0] - wall / 2, top[1] + 0.006]], inner[1:], [[0.0, inner[-1, 1]]]])
    depth = np.clip((top[1] - profile[:, 1]) / (top[1] - bottom), 0, 1)
    return lathe(profile, "inner", light=np.clip(1.0 - 0.75 * depth**0.6, 0.3, 1.0))


def _dense(profile: Array) -> Array:
    """The same profile with no long steps: large faces hide what lies close before them."""
    steps = [np.linspace(a, b, 1 + int(np.hypot(*(b - a)) / 0.1), endpoint=False) for a, b in pairwise(profile)]
    return np.concatenate([*steps, profile[-1:]])


def mug(rng: np.random.Generator) -> list[Surface]:
    """A straight or slightly conical cup with a handle."""
    height, foot, rim = rng.uniform(0.72, 0.92), rng.uniform(0.27, 0.34), rng.uniform(0.33, 0.38)
    outside = curve(
        (0, 0), (foot - 0.03, 0), (foot, 0.03), (foot * 0.4 + rim * 0.6, height / 2), (rim, height), rounds=3
    )
    high, low, reach = height * 0.80, height * 0.20, rng.uniform(0.20, 0.27)
    top, bottom = (float(np.interp(y, outside[:, 1], outside[:, 0])) - 0.012 for y in (high, low))
    handle = curve((top, high, 0), (rim + reach, high + 0.04, 0), (rim + reach, low, 0), (bottom, low, 0), rounds=3)
    return [
        lathe(_dense(outside), "body", columns=36),
        _hollow(outside, 0.03, 0.08),
        sweep(handle, rng.uniform(0.038, 0.05), rng.uniform(0.05, 0.07), "detail", ends="open"),
    ]


def teapot(rng: np.random.Generator) -> list[Surface]:
    """A round pot with spout, handle, lid and knob."""
    tall, wide = rng.uniform(0.50, 0.62), rng.uniform(0.36, 0.42)
    neck = wide * 0.62
    body = curve(
        (0, 0), (wide * 0.62, 0), (wide * 1.12, tall * 0.42), (wide * 1.0, tall * 0.95), (neck, tall), rounds=3
    )
    lid = curve((neck * 1.04, tall - 0.01), (neck * 0.9, tall + 0.07), (0.03, tall + 0.11), rounds=2)
    knob = curve((0.025, tall + 0.09), (0.03, tall + 0.12), (0.06, tall + 0.15), (0.05, tall + 0.2), (0, tall + 0.2))
    spout = curve(
        (wide * 0.75, tall * 0.28, 0),
        (wide * 1.25, tall * 0.36, 0),
        (wide * 1.4, tall * 0.8, 0),
        (wide * 1.78, tall * 1.02, 0),
    )
    back = -wide * rng.uniform(1.6, 1.75)
    handle = curve(
        (-wide * 0.8, tall * 0.82, 0),
        (back, tall * 1.0, 0),
        (back, tall * 0.2, 0),
        (-wide * 0.88, tall * 0.26, 0),
        rounds=3,
    )
    return [
        lathe(body, "body", columns=32),
        sweep(spout, (0.11, 0.075, 0.05, 0.04), (0.11, 0.075, 0.05, 0.04), "base"),
        sweep(handle, 0.038, 0.05, "base"),
        lathe(lid, "detail"),
        lathe(knob, "detail", columns=14),
    ]


def bottle(rng: np.random.Generator) -> list[Surface]:
    """A water flask or a slender bottle with a cap."""
    wide, shoulder = rng.uniform(0.15, 0.20), rng.uniform(0.52, 0.66)
    neck = rng.uniform(0.07, 0.11)
    body = curve(
        *((0, 0), (wide - 0.02, 0), (wide, 0.03), (wide, 0.03), (wide, shoulder), (wide, shoulder + 0.08)),
        *((neck, shoulder + 0.16), (neck, 0.86)),
        rounds=3,
    )
    cap, low = neck * rng.uniform(1.15, 1.5), 0.84
    top = curve((neck, low), (cap, low), (cap, low), (cap, 0.98), (cap - 0.01, 1.0), (0, 1.0))
    return [lathe(body, "body"), lathe(top, "detail", columns=20)]


def vase(rng: np.random.Generator) -> list[Surface]:
    """A vase: bulbous, slender or flared, with a band around its neck."""
    shapes: tuple[tuple[tuple[float, float], ...], ...] = (
        ((0.20, 0), (0.24, 0.08), (0.46, 0.46), (0.14, 0.72), (0.13, 0.84), (0.22, 0.94)),
        ((0.15, 0), (0.15, 0.05), (0.24, 0.34), (0.36, 0.74), (0.14, 0.86), (0.19, 0.94)),
        ((0.20, 0), (0.21, 0.04), (0.32, 0.25), (0.16, 0.60), (0.16, 0.72), (0.33, 0.94)),
    )
    shape = shapes[int(rng.integers(len(shapes)))]
    broad = rng.uniform(0.9, 1.12)
    body = curve((0, 0), *((r * broad, y) for r, y in shape), rounds=3)
    low = 0.84 if shape is shapes[0] else 0.86
    near = body[np.abs(body[:, 1] - low).argmin(), 0]
    above = body[np.abs(body[:, 1] - low - 0.05).argmin(), 0]
    band = curve((near, low - 0.01), (near + 0.025, low), (above + 0.025, low + 0.05), (above, low + 0.06))
    foot = curve((0.20 * broad, 0), (shape[0][0] * broad + 0.03, 0), (shape[0][0] * broad + 0.03, 0.05), (0.1, 0.06))
    return [lathe(body, "body", columns=32), _hollow(body, 0.025, 0.5), lathe(band, "detail"), lathe(foot, "detail")]


def lamp(rng: np.random.Generator) -> list[Surface]:
    """A table lamp: a shade on a stand."""
    top, wide, low = rng.uniform(0.17, 0.26), rng.uniform(0.36, 0.42), rng.uniform(0.48, 0.54)
    shade = np.linspace((wide, low), (top, 1.0), 6)
    inside = np.linspace((top - 0.005, 1.0), (wide - 0.005, low), 6)
    if rng.random() < 0.55:
        stand = curve(
            (0.0, 0), (0.17, 0), (0.17, 0.03), (0.06, 0.06), (0.24, 0.22), (0.10, 0.42), (0.02, 0.44), rounds=3
        )
    else:
        stand = curve((0.0, 0), (0.22, 0), (0.22, 0.0), (0.22, 0.04), (0.03, 0.06), (0.03, 0.07), (0.03, 0.5), rounds=2)
    pole = np.array([(0.022, 0.4), (0.022, 0.97)])
    return [
        lathe(stand, "detail", columns=24),
        lathe(pole, "metal", columns=10),
        lathe(inside, "inner", light=0.85),
        lathe(shade, "body", columns=32),
    ]


def chair(rng: np.random.Generator) -> list[Surface]:
    """A dining chair with an upholstered or a slatted back."""
    seat, half, deep = rng.uniform(0.42, 0.48), rng.uniform(0.25, 0.29), 0.25
    lean = rng.uniform(0.03, 0.08)
    out = rng.uniform(0.0, 0.05)

    def leg(x: float, z: float) -> Surface:
        path = np.array([(x + np.sign(x) * out, 0.0, z + np.sign(z) * out), (x, seat - 0.03, z)])
        return sweep(path, (0.024, 0.034), (0.024, 0.034), "detail", columns=8, ends="open")

    legs = [leg(x, z) for z in (-deep + 0.04, deep - 0.04) for x in (-half + 0.04, half - 0.04)]
    back_z = -deep + 0.03
    surfaces = [*legs, block((0, seat, 0), (half, 0.045, deep), "body", exponent=BOXY)]

    def upright(x: float) -> Surface:
        path = np.array([(x, seat, back_z), (x, 0.75, back_z - lean / 2), (x, 0.99, back_z - lean)])
        return sweep(path, 0.028, 0.028, "base", columns=8)

    if rng.random() < 0.6:
        panel = np.array([(0, seat + 0.08, back_z), (0, 0.75, back_z - lean / 2), (0, 0.97, back_z - lean)])
        surfaces.insert(4, sweep(panel, half, 0.035, "body", exponent=BOXY, columns=24))
    else:
        heights = (0.62, 0.76, 0.90)
        slats = [block((0, y, back_z - lean * (y - seat) / 0.5), (half - 0.02, 0.05, 0.02), "body") for y in heights]
        surfaces[4:4] = [upright(-half + 0.03), upright(half - 0.03), *slats]
    return surfaces


def sofa(rng: np.random.Generator) -> list[Surface]:
    """A sofa for two with arms, cushions and short legs."""
    half, arm = rng.uniform(0.48, 0.54), rng.uniform(0.065, 0.09)
    tall, arms = rng.uniform(0.50, 0.58), rng.uniform(0.34, 0.40)
    inner = half - 2 * arm
    spots: list[Vector] = [(x, 0.0, z) for z in (-0.2, 0.2) for x in (-half + 0.07, half - 0.07)]
    legs = [
        sweep(np.array([(x, 0.0, z), (x, 0.1, z)]), (0.02, 0.03), (0.02, 0.03), "wood", columns=8, ends="open")
        for x, _, z in spots
    ]
    cushions = [
        block((side * inner / 2, 0.28, 0.04), (inner / 2 - 0.004, 0.065, 0.22), "body", exponent=BOXY, edge=0.04)
        for side in (-1, 1)
    ]
    pillows = [
        block((side * (inner - 0.13), 0.42, -0.03), (0.13, 0.12, 0.06), "detail", exponent=SOFT, edge=0.06)
        for side in (-1, 1)
    ]
    return [
        *legs,
        block((0, tall / 2 + 0.05, -0.19), (half - arm, tall / 2 - 0.05, 0.08), "body", edge=0.05),
        block((0, 0.15, 0.0), (half - arm, 0.08, 0.25), "base"),
        *cushions,
        *pillows,
        *(
            block((side * (half - arm), arms / 2 + 0.04, 0), (arm, arms / 2 - 0.02, 0.27), "body", edge=0.05)
            for side in (-1, 1)
        ),
    ]
