"""How far are two pictures apart, seen small? Knows no Django."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RESULT, NAMES, FEATURES = "result.json", "names.json", "features.u8"  # of a calibration; the last are small copies
SIDE = 16
NUM_FEATURES = 3 * SIDE * SIDE
_AT_ONCE = 4096


def small(picture: Image.Image) -> NDArray[np.uint8]:
    """A picture at SIDE x SIDE pixels: [NUM_FEATURES] uint8, rows of pixels of RGB."""
    shrunk = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(shrunk, np.uint8).reshape(-1).copy()


def mirrored(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[N, NUM_FEATURES] uint8, left and right swapped."""
    return pictures.reshape(-1, SIDE, SIDE, 3)[:, :, ::-1].reshape(-1, NUM_FEATURES)


def distances(seen: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Root mean square difference in [0, 1], the smaller of as it is and mirrored: [N, F], [M, F] -> [N, M]."""
    found = np.empty((len(seen), len(known)), np.float32)
    sides = [side.astype(np.float32) / 255 for side in (seen, mirrored(seen))]
    squares = [np.square(side).sum(1)[:, None] for side in sides]
    for start in range(0, len(known), _AT_ONCE):
        part = known[start : start + _AT_ONCE].astype(np.float32) / 255
        own = np.square(part).sum(1)[None]
        apart = [square + own - 2 * side @ part.T for side, square in zip(sides, squares, strict=True)]
        found[:, start : start + _AT_ONCE] = np.sqrt(np.maximum(np.minimum(*apart), 0) / NUM_FEATURES)
    return found
