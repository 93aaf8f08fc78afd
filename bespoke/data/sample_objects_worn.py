"""Of which surfaces is each product of the built-in catalogue made that people wear?"""

from __future__ import annotations

import numpy as np

from bespoke.data.sample_shapes import SIDE, UP, Surface, block, curve, lathe, moved, sweep, turned


def shirt(rng: np.random.Generator) -> list[Surface]:
    """A T-shirt with short or long sleeves, as on an invisible body."""
    wide, low = rng.uniform(0.22, 0.26), rng.uniform(-0.06, 0.02)
    torso = curve(
        (wide * 1.03, low), (wide, 0.35), (wide * 1.04, 0.72), (wide * 0.95, 0.83), (0.13, 0.89), (0.12, 0.90)
    )
    surfaces = []
    long = rng.random() < 0.35
    reach, drop = (0.22, -0.60) if long else (0.22, -0.20)
    ends = (0.10, 0.10, 0.085, 0.065) if long else (0.10, 0.105, 0.105, 0.105)
    for side in (-1, 1):
        shoulder = np.array((side * wide * 0.62, 0.765, 0.0))
        bend = np.array((side * (wide + 0.06), 0.72, 0.0))
        path = curve(shoulder, bend, bend + np.array((side * (reach - 0.06), drop, 0.0)))
        surfaces.append(sweep(path, ends, (0.07, 0.07, 0.06), "body", ends="open", columns=16))
        hem = path[-1] - path[-2]
        cuff = path[-1] + np.array((-0.035, 0.006))[:, None] * hem / np.linalg.norm(hem)
        surfaces.append(sweep(cuff, ends[-1] + 0.004, 0.064, "detail", ends="open", columns=16))
        inside = path[-1] + np.array((0.006, 0.005))[:, None] * hem / np.linalg.norm(hem)
        surfaces.append(sweep(inside, (ends[-1], 0.0), (0.06, 0.0), "inner", ends="open", columns=16, light=0.4))
    ring = np.array([(-0.125 * np.cos(a), 0.0, 0.095 * np.sin(a)) for a in np.linspace(-np.pi / 2, 1.5 * np.pi, 25)])
    collar = sweep(ring, 0.02, 0.02, "detail", axis=UP, ends="open", columns=8)
    neck = lathe(np.array([(0.12, 0.0), (0.06, -0.005), (0.0, -0.01)]), "inner", depth=0.75, light=0.55)
    opening = [moved(turned(part, 32, "x"), (0.0, 0.895, 0.0)) for part in (neck, collar)]
    return [*surfaces, lathe(torso, "body", depth=0.42, exponent=0.8, flat=True), *opening]


def dress(rng: np.random.Generator) -> list[Surface]:
    """A dress with a belt and a wide skirt that falls in folds."""
    waist, bust, hem = rng.uniform(0.125, 0.14), rng.uniform(0.17, 0.19), rng.uniform(0.30, 0.40)
    high = rng.uniform(0.56, 0.60)
    folds = int(rng.integers(5, 9))
    skirt = curve((hem, 0.0), (hem * 0.8, 0.22), (waist * 1.2, high - 0.1), (waist, high), rounds=2)
    sleeves = rng.random() < 0.5
    neck = ((bust * 0.95, 0.86), (0.10, 0.93), (0.09, 0.935)) if sleeves else ((bust * 0.98, 0.84), (bust * 0.8, 0.89))
    top = curve((waist, high), (waist * 1.05, high + 0.06), (bust, 0.78), *neck)
    band = curve(
        (waist + 0.008, high - 0.015), (waist + 0.014, high), (waist + 0.014, high + 0.03), (waist, high + 0.05)
    )
    arms = [
        sweep(
            curve((s * bust * 0.6, 0.84, 0), (s * bust * 1.25, 0.82, 0), (s * bust * 1.7, 0.69, 0)),
            (0.07, 0.09),
            0.06,
            "body",
        )
        if sleeves
        else sweep(
            curve(
                (s * bust * 0.62, 0.86, 0.06),
                (s * bust * 0.62, 0.97, 0.03),
                (s * bust * 0.62, 0.99, 0),
                (s * bust * 0.62, 0.84, -0.06),
            ),
            *(0.022, 0.022, "base"),
        )
        for s in (-1, 1)
    ]
    high_edge, low_edge = top[-1], top[-1, 1] - 0.03
    inside = lathe(np.array([high_edge, (high_edge[0] * 0.8, low_edge), (0, low_edge)]), "inner", depth=0.55, light=0.5)
    return [
        *arms,
        lathe(skirt, "body", depth=0.6, waves=(folds, 0.06), columns=44),
        lathe(top, "body", depth=0.55),
        inside,
        lathe(band, "detail", depth=0.62),
    ]


def shoe(rng: np.random.Generator) -> list[Surface]:
    """A sneaker with sole, laces and an open ankle."""
    thick, high = rng.uniform(0.07, 0.11), rng.uniform(0.34, 0.42)
    tops = curve(
        *((-0.44, 0.0), (-0.45, high * 0.7), (-0.40, high), (-0.14, high * 0.88), (0.0, high * 0.78)),
        *((0.14, 0.20), (0.36, 0.17), (0.485, 0.12), (0.48, 0.0)),
    )
    path = np.stack([tops[:, 0], 0 * tops[:, 0], 0 * tops[:, 0]], 1)
    path[:, 0] = np.linspace(0, 1, len(path))  # upright cross-sections, whatever the outline does
    upper = sweep(path, 0.5, (0.10, 0.115, 0.12, 0.14, 0.15, 0.10), "body", exponent=0.75, ends="open", columns=24)
    outline = upper.points[..., 1] * tops[:, 1:] + tops[:, 1:] / 2 + thick * 0.8
    places = np.stack([np.broadcast_to(tops[:, :1], outline.shape), outline, upper.points[..., 2]], -1)
    upper = Surface(places, places[..., :2], "body")
    mouth = lathe(np.array([(0.12, 0.0), (0.08, -0.004), (0.0, -0.008)]), "inner", depth=0.55, light=0.4)
    ring = np.array([(-0.12 * np.cos(a), 0.0, 0.066 * np.sin(a)) for a in np.linspace(-np.pi / 2, 1.5 * np.pi, 25)])
    rim = sweep(ring, 0.012, 0.018, "detail", axis=UP, ends="open", columns=8)
    at = (-0.25, high * 0.94 + thick * 0.8 - 0.002, 0.0)
    opening = [moved(turned(part, -8, "z"), at) for part in (mouth, rim)]
    laces = []
    for x in np.linspace(-0.02, 0.18, 4):
        y = float(np.interp(x, tops[2:-2, 0], tops[2:-2, 1])) + thick * 0.8
        bow = curve(
            (x - 0.02, y - 0.05, 0.10), (x, y + 0.014, 0.07), (x, y + 0.014, -0.07), (x - 0.02, y - 0.05, -0.10)
        )
        laces.append(sweep(bow, 0.015, 0.016, "pale", axis=SIDE, columns=6))
    path = curve((-0.44, 0.0, 0), (-0.15, 0.0, 0), (0.2, 0.0, 0), (0.48, 0.012, 0)) + np.array([0, thick / 2, 0])
    sole = sweep(path, thick / 2, (0.13, 0.13, 0.165, 0.13), "detail", exponent=0.35, columns=16)
    return [sole, upper, *opening, *laces]


def boot(rng: np.random.Generator) -> list[Surface]:
    """A boot with a high shaft, a heel and a sole."""
    tall, wide = rng.uniform(0.72, 0.92), rng.uniform(0.15, 0.18)
    cuff = curve((wide, tall - 0.09), (wide + 0.02, tall - 0.08), (wide + 0.022, tall), (wide + 0.005, tall + 0.005))
    mouth = lathe(
        np.array([(wide + 0.01, tall + 0.005), (wide - 0.02, tall - 0.02), (0, tall - 0.06)]), "inner", light=0.4
    )
    path = curve(
        (-0.18, tall, 0),
        (-0.18, 0.5, 0),
        (-0.18, 0.20, 0),
        (-0.16, 0.165, 0),
        (0.1, 0.155, 0),
        (0.36, 0.12, 0),
        rounds=3,
    )
    widths = (wide, wide * 0.96, 0.125, 0.135, 0.125, 0.10, 0.085, 0.06)
    depths = (wide * 0.85, wide * 0.82, 0.11, 0.115, 0.115, 0.13, 0.14, 0.11)
    leather = sweep(path, widths, depths, "body", exponent=0.9, columns=24, ends="tip")
    leather.points[..., 1] = np.maximum(leather.points[..., 1], 0.08)  # flat where it lies on the sole
    sole_path = curve((-0.3, 0.055, 0), (-0.1, 0.055, 0), (0.1, 0.04, 0), (0.39, 0.045, 0))
    sole = sweep(sole_path, 0.035, (0.125, 0.125, 0.16, 0.13), "detail", exponent=0.35, columns=16)
    heel = block((-0.22, 0.04, 0), (0.12, 0.04, 0.13), "detail")
    at = (-0.18, 0.0, 0.0)
    return [heel, sole, leather, moved(mouth, at), moved(lathe(cuff, "detail", depth=0.87), at)]


def hat(rng: np.random.Generator) -> list[Surface]:
    """A hat with a brim and a ribbon."""
    brim, crown, tall = rng.uniform(0.46, 0.52), rng.uniform(0.23, 0.27), rng.uniform(0.24, 0.33)
    bend = rng.uniform(-0.02, 0.06)
    base = 0.08
    edge = curve(
        (crown, base - 0.02), (brim * 0.8, base - 0.02), (brim, base + bend - 0.02), (brim, base + bend), rounds=1
    )
    over = curve((brim, base + bend), (brim * 0.8, base + 0.005), (crown, base + 0.01), (crown * 0.98, base + 0.03))
    head = curve(
        (crown, base),
        (crown * 0.98, base + tall * 0.6),
        (crown * 0.85, base + tall),
        (crown * 0.3, base + tall * 1.06),
        (0, base + tall * 1.0),
    )
    ribbon = curve(
        (crown, base + 0.005),
        (crown + 0.012, base + 0.01),
        (crown + 0.008, base + 0.085),
        (crown * 0.97, base + 0.09),
        rounds=1,
    )
    deep = 0.86
    return [
        lathe(edge, "base", depth=deep),
        lathe(over, "base", depth=deep),
        lathe(head, "body", depth=deep),
        lathe(ribbon, "detail", depth=deep),
    ]
