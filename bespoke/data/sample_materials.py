"""How does light fall on the materials of the built-in catalogue, and how do patterns lie on them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bespoke.data.sample_shapes import Array

MATERIALS = ("matte", "glossy", "metal", "wood", "fabric", "leather")
LIGHTS: dict[str, tuple[float, float, float]] = {  # where the light comes from: x right, y up, z from the viewer
    "left": (-0.62, 0.60, 0.50),
    "right": (0.62, 0.60, 0.50),
    "above": (0.05, 0.90, 0.42),
}
PATTERNS = ("plain", "striped", "dotted", "checked", "color-block")


@dataclass(frozen=True)
class Weave:
    """How a pattern lies on a product; `start` are shares of a step."""

    pattern: str
    step: float  # in units of length
    share: float  # of the second colour in it, about: less than half, so that the main colour is the main one
    upright: bool  # stripes
    start: tuple[float, float]


def marks(weave: Weave, uv: Array, height: Array) -> Array:
    """Share [P] of the second colour in a pattern at the places `uv` [P, 2] and heights [P] of a product."""
    u, v = (uv / weave.step + np.asarray(weave.start)).T
    if weave.pattern == "striped":
        return np.asarray((u if weave.upright else v) % 1.0 < weave.share, dtype=np.float64)
    if weave.pattern == "dotted":
        row = np.floor(v)
        x, y = (u + 0.5 * (row % 2)) % 1.0 - 0.5, v - row - 0.5
        return np.asarray(x * x + y * y < weave.share / np.pi * 0.85, dtype=np.float64)
    if weave.pattern == "checked":
        line = 1 - np.sqrt(1 - 0.8 * weave.share)
        return np.asarray((u % 1.0 < line) | (v % 1.0 < line), dtype=np.float64)
    if weave.pattern == "color-block" and len(height):
        return np.asarray(height < np.quantile(height, weave.share), dtype=np.float64)
    return np.zeros(len(uv))


def shade(material: str, color: Array, normal: Array, uv: Array, light: Array, key: Array) -> Array:
    """Colour [P, 3] in levels of a material of `color` [P, 3] lit from `key` [3]; `light` [P] is the open share."""
    normal, color = _textured(material, color, normal, uv)
    facing = normal @ key
    soft = {"fabric": 0.35, "matte": 0.25, "leather": 0.2}.get(material, 0.12)  # how far light creeps around
    diffuse = np.clip((facing + soft) / (1 + soft), 0, 1)
    shine = 0.65 + 0.37 * diffuse + 0.06 * normal[:, 1]
    mirrored = 2 * normal[:, 2:] * normal - np.array([0.0, 0.0, 1.0])  # where a look at the pixel is thrown to
    if material == "metal":
        return _metal(color, normal, mirrored, light, key, shine)
    lit = color * (shine * light)[:, None]
    edge = (1 - np.clip(normal[:, 2], 0, 1)) ** 3
    if material == "glossy":
        window = _window(mirrored, key) * 0.72 + 0.22 * edge
        return lit + (255 - lit) * (window * light**2)[:, None]
    if material == "leather":
        return lit + (255 - lit) * (0.34 * np.clip(mirrored @ key, 0, 1) ** 5 * light)[:, None]
    if material == "wood":
        return lit + (255 - lit) * (0.12 * np.clip(mirrored @ key, 0, 1) ** 16 * light)[:, None]
    if material == "fabric":
        return lit + (255 - lit) * (0.10 * edge * light)[:, None]  # a soft nap at the outline
    return lit


def _metal(color: Array, normal: Array, mirrored: Array, light: Array, key: Array, shine: Array) -> Array:
    """Coloured metal: a bright studio above, a dark horizon and two strips of light, mirrored."""
    across, up = mirrored[:, 0], mirrored[:, 1]
    room = 0.66 + 0.30 * _step(up, 0.0, 0.5) - 0.22 * np.exp(-((up + 0.08) ** 2) / 0.02)
    dark = 0.30 * np.exp(-((across - 0.55 * np.sign(key[0] or 1.0)) ** 2) / 0.03)
    strip = np.exp(-((across + 0.62 * -np.sign(key[0] or 1.0)) ** 2) / 0.018) * (normal[:, 2] > 0.15)
    lit = color * ((room - dark) * 0.75 + 0.42 * shine)[:, None] * light[:, None]
    return np.asarray(lit + (255 - lit) * np.clip(0.46 * strip * light, 0, 1)[:, None])


def _window(mirrored: Array, key: Array) -> Array:
    """Share [P] of a bright rectangular lamp in what a polished surface mirrors."""
    right = np.cross([0.0, 1.0, 0.0], key)
    right = right / np.linalg.norm(right)
    across, up = mirrored @ right, mirrored @ np.cross(key, right)
    inside = _step(0.30 - np.abs(across), 0.0, 0.08) * _step(0.34 - np.abs(up), 0.0, 0.08)
    return inside * (mirrored @ key > 0)


def _textured(material: str, color: Array, normal: Array, uv: Array) -> tuple[Array, Array]:
    """The grain of a material: on its surface and in its colour."""
    u, v = uv.T
    if material == "fabric":  # weave, and a few soft folds
        weave = 0.05 * np.sin(u * 260) * np.sin(v * 260) + 0.022 * np.sin(u * 83 + np.sin(v * 19)) * np.sin(v * 71)
        fold = np.sin(9 * u + 4 * v + 1.3 * np.sin(7 * v)) * 0.26
        normal = _bent(normal, fold, 0.5 * fold)
        return normal, color * (1 + weave)[:, None]
    if material == "leather":
        grain = np.sin(u * 151 + 2 * np.sin(v * 97)) * np.sin(v * 139 + 2 * np.sin(u * 89))
        return _bent(normal, 0.03 * grain, 0.03 * grain), color * (0.96 + 0.02 * grain)[:, None]
    if material == "wood":
        bow = u + 0.10 * np.sin(2.5 * v) + 0.012 * np.sin(13 * v)
        grain = 0.06 * np.sin(47 * bow) * np.sin(11 * bow + 1) + 0.05 * np.sin(150 * bow) + 0.03 * np.sin(290 * u)
        return normal, color * (0.94 + grain)[:, None]
    return normal, color


def _bent(normal: Array, across: Array, up: Array) -> Array:
    bent = normal + np.stack([across, up, np.zeros_like(up)], -1)
    return np.asarray(bent / np.sqrt((bent * bent).sum(1, keepdims=True)))


def _step(value: Array, low: float, high: float) -> Array:
    """From 0 at `low` smoothly to 1 at `high`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
