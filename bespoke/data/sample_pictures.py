"""How is one product of the built-in catalogue drawn?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bespoke.data.sample_attributes import POSITIONS, SIZES, VIEWS, Attributes
from bespoke.data.sample_camera import Camera, Faces, Pixels, cast, look, scan
from bespoke.data.sample_colors import BACKGROUNDS, COLORS
from bespoke.data.sample_materials import LIGHTS, Weave, marks, shade
from bespoke.data.sample_objects import OBJECTS
from bespoke.data.sample_shapes import Array, Surface, moved

SHADOW_SIDE = 128  # pixels: a soft shadow needs no more, whatever the picture's size
WALL = -0.2  # where the wall is behind a product that hangs
TRIMS = {"wood": (176, 128, 82), "metal": (178, 181, 186), "pale": (238, 236, 230), "dark": (58, 54, 54)}


@dataclass(frozen=True)
class Drawing:
    """A picture and where exactly its product is."""

    picture: Image.Image  # RGB
    mask: NDArray[np.bool_]  # [H, W]


@dataclass(frozen=True)
class _Finish:
    """What chance adds to colours and patterns, whatever the attributes are."""

    color: Array  # [3] levels
    second: Array
    background: Array
    upright: bool
    start: tuple[float, float]
    step: float


def draw(attributes: Attributes, size: int, rng: np.random.Generator, *, lay: int = 0) -> Drawing:
    """One product in a picture of `size` x `size` pixels; what the attributes leave open comes from a fresh `rng`.

    Shape, pose and finish have generators of their own: with another attribute, all the rest stays as it is. With
    another `lay` the pattern lies elsewhere, larger or smaller, perhaps turned.
    """
    shape, pose, finish_rng = rng.spawn(3)
    product = OBJECTS[attributes.object]
    surfaces = product.build(shape)
    foot = min(surface.points[..., 1].min() for surface in surfaces)
    surfaces = [moved(surface, (0.0, -float(foot), 0.0)) for surface in surfaces]
    fine = 4 if size <= 160 else 3  # supersampling
    camera = _camera(attributes, size * fine, pose)
    faces = look(surfaces, camera)
    pixels = scan(faces, camera.side)
    finish = _finish(finish_rng)
    if lay:
        other = _finish(finish_rng.spawn(lay)[-1])
        finish = replace(finish, upright=other.upright, start=other.start, step=other.step)
    colors = _painted(attributes, surfaces, pixels, finish)
    product_levels = np.zeros((camera.side**2, 3), np.uint8)
    product_levels[pixels.where] = np.rint(np.clip(colors, 0, 255))
    cover = np.zeros(camera.side**2, np.uint8)
    cover[pixels.where] = 255
    on_black, alpha = (
        np.asarray(Image.fromarray(part.reshape(camera.side, camera.side, -1).squeeze()).reduce(fine))
        for part in (product_levels, cover)
    )
    backdrop = _backdrop(attributes, faces, camera, size, finish.background)
    levels = np.rint(backdrop * (1 - alpha[..., None] / 255) + on_black)
    picture = np.clip(levels, 0, 255).astype(np.uint8)
    return Drawing(Image.fromarray(picture), alpha >= 128)


def _camera(attributes: Attributes, side: int, rng: np.random.Generator) -> Camera:
    product, view = OBJECTS[attributes.object], VIEWS[attributes.view]
    mirror = 1 if rng.random() < 0.6 else -1
    chance = rng.uniform(-1, 1, 6)
    scale = SIZES[attributes.size] * (1 + 0.05 * chance[0])
    reach = min(0.22, 0.45 - scale / 2)  # how far to the side it may stand and stay in the picture
    middle = 0.5 + POSITIONS[attributes.position] * reach + 0.01 * chance[1]
    foot = 0.5 + scale * 0.46 + 0.015 * chance[2]
    return Camera(
        yaw=mirror * product.turn * (view.yaw + view.slack * chance[3]),
        pitch=product.tilt * (view.pitch + 3 * chance[4]),
        roll=chance[5] * (6 if product.hangs else 0),
        length=scale * side,
        middle=middle * side,
        foot=foot * side,
        side=side,
    )


def _finish(rng: np.random.Generator) -> _Finish:
    color, second, background = rng.uniform(-6, 6, (3, 3))
    return _Finish(
        color, second, background / 2, bool(rng.random() < 0.5), tuple(rng.random(2)), float(rng.uniform(0.9, 1.15))
    )


def _painted(attributes: Attributes, surfaces: Sequence[Surface], pixels: Pixels, finish: _Finish) -> Array:
    """The lit colour [P, 3] of every pixel of the product."""
    product = OBJECTS[attributes.object]
    key = np.asarray(LIGHTS[attributes.light])
    key = key / np.linalg.norm(key)
    main = np.asarray(COLORS[attributes.color]) + finish.color
    second = np.asarray(COLORS.get(attributes.second_color, COLORS[attributes.color])) + finish.second
    weave = Weave(attributes.pattern, product.step * finish.step, product.share, finish.upright, finish.start)
    result = np.zeros((len(pixels.where), 3))
    for paint in {surface.paint for surface in surfaces}:
        numbers = [number for number, surface in enumerate(surfaces) if surface.paint == paint]
        mine = np.flatnonzero(np.isin(pixels.surface, numbers))
        material, color = attributes.material, np.broadcast_to(main, (len(mine), 3))
        applied = paint
        if paint == "detail":
            applied = product.one_color if attributes.second_color == "none" else paint
        if applied == "body":
            share = marks(weave, pixels.uv[mine], pixels.height[mine])[:, None]
            color = main + (second - main) * share
        elif applied == "detail":
            color = np.broadcast_to(second, (len(mine), 3))
        elif applied in TRIMS:
            color = np.broadcast_to(np.asarray(TRIMS[applied], dtype=np.float64), (len(mine), 3))
            material = applied if applied in ("wood", "metal") else "matte"
        elif applied == "inner":
            material = "matte"
        result[mine] = shade(material, color, pixels.normal[mine], pixels.uv[mine], pixels.light[mine], key)
    return result


def _backdrop(attributes: Attributes, faces: Faces, camera: Camera, size: int, chance: Array) -> Array:
    """The background [S, S, 3]: brighter where the light comes from, with the product's soft shadow."""
    light = LIGHTS[attributes.light]
    color = np.asarray(BACKGROUNDS[attributes.background]) + chance
    y, x = np.mgrid[0:size, 0:size] / max(size - 1, 1)
    glow = 1.0 - 0.07 * ((x - 0.5 - 0.5 * light[0]) ** 2 + (y - 0.35) ** 2)
    shown = replace(faces, lens=faces.lens.shrunk(SHADOW_SIDE / camera.side))
    if OBJECTS[attributes.object].hangs:
        layers = [(cast(shown, light, WALL, np.inf, SHADOW_SIDE), 5.0, 0.30)]
    else:
        fallen = cast(shown, (light[0], 1.1, light[2] - 0.2), None, np.inf, SHADOW_SIDE)
        contact = cast(shown, (0.0, 1.0, 0.0), None, 0.07, SHADOW_SIDE)
        layers = [(fallen, 6.0, 0.26), (fallen, 2.5, 0.10), (contact, 1.6, 0.45)]
    dark = np.ones((size, size))
    for layer, radius, strength in layers:
        soft = layer.filter(ImageFilter.GaussianBlur(radius)).resize((size, size), Image.Resampling.BICUBIC)
        dark *= 1 - strength * np.asarray(soft) / 255
    tint = 1 - (1 - dark)[..., None] * np.array([1.0, 0.98, 0.92])
    return np.asarray(color * glow[..., None] * tint)
