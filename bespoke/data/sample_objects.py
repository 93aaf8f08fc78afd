"""Which products has the built-in catalogue, in which materials, and which part of each takes the second colour?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bespoke.data import sample_objects_carried as carried
from bespoke.data import sample_objects_home as home
from bespoke.data import sample_objects_toys as toys
from bespoke.data import sample_objects_worn as worn
from bespoke.data.sample_shapes import Paint, Surface


@dataclass(frozen=True)
class Product:
    """One line of the table below."""

    build: Callable[[np.random.Generator], list[Surface]]
    materials: tuple[str, ...]
    one_color: Paint  # what paints the part for the second colour when there is none
    step: float = 0.19  # how far a pattern repeats, in units of length
    share: float = 0.33  # of the second colour in a pattern: less where the part for it is large
    turn: float = 1.0  # share of the usual turn to the side
    tilt: float = 1.0  # share of the usual view from above
    hangs: bool = False  # before a wall, not on the ground


OBJECTS: dict[str, Product] = {
    "mug": Product(home.mug, ("glossy", "matte", "metal"), "base", share=0.31),
    "teapot": Product(home.teapot, ("glossy", "matte", "metal"), "base", share=0.25),
    "bottle": Product(home.bottle, ("glossy", "matte", "metal"), "metal", step=0.15, share=0.28),
    "vase": Product(home.vase, ("glossy", "matte", "wood", "metal"), "base", share=0.29),
    "lamp": Product(home.lamp, ("fabric", "glossy", "matte"), "wood", step=0.17, tilt=0.6, share=0.2),
    "chair": Product(home.chair, ("fabric", "leather", "wood", "glossy"), "wood", step=0.15, share=0.25),
    "sofa": Product(home.sofa, ("fabric", "leather"), "body", step=0.15, share=0.26),
    "shirt": Product(worn.shirt, ("fabric", "glossy"), "base", step=0.16, turn=0.7, tilt=0.6, hangs=True),
    "dress": Product(worn.dress, ("fabric", "glossy"), "base", step=0.16, turn=0.8, tilt=0.6, hangs=True),
    "shoe": Product(worn.shoe, ("fabric", "leather", "glossy"), "pale", step=0.15, share=0.17),
    "boot": Product(worn.boot, ("leather", "fabric", "glossy"), "dark", step=0.17, share=0.19),
    "hat": Product(worn.hat, ("fabric", "leather"), "dark", step=0.12, share=0.3),
    "bag": Product(carried.bag, ("fabric", "leather"), "base", step=0.17, share=0.24),
    "backpack": Product(carried.backpack, ("fabric", "leather"), "base", step=0.18, share=0.25),
    "umbrella": Product(carried.umbrella, ("fabric", "glossy"), "wood", step=0.22, tilt=0.45, share=0.3),
    "watch": Product(
        carried.watch, ("leather", "fabric", "metal"), "pale", step=0.09, turn=0.6, tilt=0.6, hangs=True, share=0.18
    ),
    "bear": Product(toys.bear, ("fabric", "leather"), "pale", step=0.15, share=0.3),
}
NEW_LINE = "bear"  # what the model that comes with Bespoke has not seen: `bespoke demo` teaches it
BASE_KINDS = tuple(kind for kind in OBJECTS if kind != NEW_LINE)  # what it was trained on, and catalogues by default
