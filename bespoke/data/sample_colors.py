"""Which colours has the built-in catalogue, and which of them is a product's main colour in a picture?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Color = tuple[int, int, int]

COLORS: dict[str, Color] = {
    "red": (205, 38, 44),
    "orange": (242, 130, 28),
    "yellow": (246, 208, 48),
    "green": (44, 148, 72),
    "blue": (42, 92, 202),
    "purple": (124, 62, 166),
    "pink": (242, 130, 176),
    "brown": (122, 78, 48),
    "white": (246, 246, 244),
    "black": (38, 38, 42),
    "gray": (138, 141, 146),
}
BACKGROUNDS: dict[str, Color] = {
    "white": (251, 251, 251),
    "cream": (249, 240, 218),
    "light gray": (222, 224, 228),
    "light blue": (208, 228, 247),
    "light pink": (250, 220, 229),
    "light green": (214, 240, 218),
}
DARKEST, BRIGHTEST = 0.62, 1.05  # how light and shadow may change a colour
SHADE_COST = 15.0  # levels: what a change of brightness counts against a change of colour
LEAST_CONTRAST = 120.0  # levels between the two colours of a product


def contrast(one: str, other: str) -> float:
    """Distance between two colours of the palette."""
    return sum((a - b) ** 2 for a, b in zip(COLORS[one], COLORS[other], strict=True)) ** 0.5


def main_color(picture: Image.Image, mask: NDArray[np.bool_]) -> str:
    """The colour of the palette that most pixels of the product have; `mask` [H, W] is where the product is.

    Each pixel votes for the colour that comes nearest to it when lit more or less. Not for photographs: it is right
    for 98 of 100 pictures of this catalogue at 64 x 64 pixels, whose colours are these, and for fewer at 32 x 32.
    """
    pixels = np.asarray(picture.convert("RGB"), dtype=np.float64)[_without_edge(mask)]  # [P, 3]
    if len(pixels) == 0:
        raise ValueError(f"mask {mask.shape}: expected at least one pixel of the product")
    palette = np.asarray(list(COLORS.values()), dtype=np.float64)  # [K, 3]
    shade = np.clip(pixels @ palette.T / (palette * palette).sum(1), DARKEST, BRIGHTEST)  # [P, K]
    distance = ((pixels[:, None] - shade[..., None] * palette) ** 2).sum(-1) + (SHADE_COST * (shade - 1)) ** 2
    votes = np.bincount(distance.argmin(1), minlength=len(palette))
    return list(COLORS)[int(votes.argmax())]


def _without_edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without the pixels that mix with the background, where enough others are left."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return inner if inner.sum() > 0.3 * mask.sum() else mask
