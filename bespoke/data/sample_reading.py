"""What does a picture of the built-in catalogue show, read from its pixels alone? The kind of product and its colour.

Not for photographs: silhouettes and colours are compared with those of the drawings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bespoke.data.sample import sample_attributes, sample_drawing
from bespoke.data.sample_attributes import Attributes
from bespoke.data.sample_colors import main_color
from bespoke.data.sample_objects import OBJECTS

SAME_LEVELS = 26.0  # nearer to the ground's colour than this: ground
STANDS_OUT = 0.45  # of what the upper quarter of the rest is away from the ground: what is nearer is a halo
BAND_SHARE = 16  # of the side: where along the edges the ground is looked for
FAR_LEVELS, LEAST_FAR_LEVELS, FAR_MEDIANS, NUM_FITS = 80.0, 8.0, 2.5, 6  # farther from the fit than this: no ground
SHADED, TINTED = 0.68, 14.0  # the ground at this share of its brightness or more, up to so many levels off: its shadow
FRAME_SHARE = 20  # of the side: this part of it at each edge is not looked at
SIDE = 24  # pixels of a silhouette that is compared
LEAST_PIXELS = 20  # of a product
DRAWN_SEED = 900_001  # of the drawings that silhouettes are compared with; no catalogue has it
DRAWN_OF_EACH = 16


class Shown(NamedTuple):
    """What a picture shows; both are empty where no product stands out from the ground."""

    kind: str
    color: str


class Right(NamedTuple):
    """How many of so many pictures show what was asked for."""

    num_pictures: int
    kind: int
    color: int
    both: int


def product_mask(picture: Image.Image) -> NDArray[np.bool_]:
    """Where the product is [H, W]: what stands out from the ground and from its shadow.

    Grounds of young models are clouded, so the ground may change smoothly, and outlines have halos, so what counts is
    how far a pixel stands out beside the others. White products on white leave gaps; those that lie within the product
    are filled.
    """
    smooth = picture.convert("RGB").filter(ImageFilter.MedianFilter(3))  # young models leave a grain
    levels = np.asarray(smooth, dtype=np.float64)
    frame = max(1, min(picture.size) // FRAME_SHARE)  # and their outermost pixels are often off
    ground = _ground(levels, frame, max(2, min(picture.size) // BAND_SHARE))
    shade = (levels * ground).sum(-1) / np.maximum((ground * ground).sum(-1), 1.0)  # [H, W]
    off = np.sqrt(((levels - shade[..., None] * ground) ** 2).sum(-1))
    away = np.abs(levels - ground).max(-1)
    away[(off < TINTED) & (shade > SHADED) & (shade < 1.02)] = 0
    away[:frame] = away[-frame:] = away[:, :frame] = away[:, -frame:] = 0
    least = STANDS_OUT * np.percentile(away[away >= SAME_LEVELS], 75) if (away >= SAME_LEVELS).any() else 0.0
    specks_gone = Image.fromarray((away >= max(SAME_LEVELS, least)).astype(np.uint8) * 255).filter(
        ImageFilter.MedianFilter(3)
    )
    return _filled(np.asarray(specks_gone) > 0)


def _ground(levels: NDArray[np.float64], frame: int, band: int) -> NDArray[np.float64]:
    """The ground [H, W, 3] that shows in a band along the edges: a quadratic in the place, fitted without what is off.

    levels: [H, W, 3]; frame: outermost pixels that are not looked at; band: how many behind them are.
    """
    height, width, _ = levels.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1)  # [H, W, 6]
    looked_at = np.zeros((height, width), np.bool_)
    looked_at[frame:-frame, frame:-frame] = True
    looked_at[frame + band : -frame - band, frame + band : -frame - band] = False
    seen, at = levels[looked_at], terms[looked_at]
    off, far = np.abs(seen - np.median(seen, 0)).max(-1), FAR_LEVELS
    for _ in range(NUM_FITS):
        fit, *_ = np.linalg.lstsq(at[off < far], seen[off < far], rcond=None)
        off = np.abs(seen - at @ fit).max(-1)
        far = max(LEAST_FAR_LEVELS, FAR_MEDIANS * float(np.median(off)))
    return np.asarray(terms @ fit)


def _filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """With what has the product on all four sides."""
    sides = [
        np.logical_or.accumulate(mask, 0),
        np.logical_or.accumulate(mask[::-1], 0)[::-1],
        np.logical_or.accumulate(mask, 1),
        np.logical_or.accumulate(mask[:, ::-1], 1)[:, ::-1],
    ]
    return np.asarray(mask | np.logical_and.reduce(sides))


class Reader:
    """Tells kinds of products apart by the silhouettes of some drawings of each."""

    def __init__(
        self, kinds: Collection[str] = tuple(OBJECTS), *, size: int = 64, of_each: int = DRAWN_OF_EACH
    ) -> None:
        """kinds: that it can name; size: pixels of the pictures that it will read."""
        self._kinds: list[str] = []
        drawn = []
        for kind in kinds:
            for index in range(of_each):
                attributes = sample_attributes(DRAWN_SEED, index, [kind])
                seen = _silhouette(product_mask(sample_drawing(DRAWN_SEED, index, size, attributes).picture))
                drawn += [seen, seen[:, ::-1]]
                self._kinds += [kind, kind]
        self._drawn = np.stack(drawn).reshape(len(drawn), -1)  # [2 K, SIDE * SIDE]

    def read(self, picture: Image.Image) -> Shown:
        """Kind and colour of the product in a picture."""
        mask = product_mask(picture)
        if mask.sum() < LEAST_PIXELS:
            return Shown("", "")
        seen = _silhouette(mask).reshape(-1)
        overlap = np.minimum(self._drawn, seen).sum(-1) / np.maximum(self._drawn, seen).sum(-1)
        return Shown(self._kinds[int(overlap.argmax())], main_color(picture, mask))


def count_right(pictures: Iterable[Image.Image], asked: Iterable[Attributes], reader: Reader) -> Right:
    """Read picture i and compare it with what it should show, `asked` i.

    Say beside it what real pictures get: up to one in ten of them is misread.
    """
    seen = [(reader.read(picture), wanted) for picture, wanted in zip(pictures, asked, strict=True)]
    kinds = [shown.kind == wanted.object for shown, wanted in seen]
    colors = [shown.color == wanted.color for shown, wanted in seen]
    both = [kind and color for kind, color in zip(kinds, colors, strict=True)]
    return Right(len(seen), sum(kinds), sum(colors), sum(both))


def _silhouette(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """A mask [H, W] in the middle of a square that its longer side fills: [SIDE, SIDE] in [0, 1]."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return np.zeros((SIDE, SIDE))
    top, foot, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    half = max(foot - top, right - left) / 2
    across, down = (left + right) / 2, (top + foot) / 2
    box = (across - half, down - half, across + half, down + half)
    whole = Image.fromarray(mask.astype(np.uint8) * 255)
    square = whole.transform((SIDE, SIDE), Image.Transform.EXTENT, box, Image.Resampling.BILINEAR)
    return np.asarray(square, dtype=np.float64) / 255
