"""What is there to say about a picture before it is trained on, and which pictures are nearly the same?"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bespoke.data.item import Item
from bespoke.data.pictures import BadPicture, inspect, unreadable
from bespoke.data.split import content_key

SIDE = 64  # pixels; what is the same at this size is the same to a first model
GRID = 8
LOOK = 3 * GRID * GRID  # numbers a picture, its look: the mean colours of a GRID x GRID grid
# Root mean square difference of two looks, each brought to mean 0 and variance 1, so that light does not count. On
# Oxford-102 at 64 px, saved again as JPEG, halved, lit 15% brighter: 95% below 0.08; cut by 2%: 0.14; different
# flowers: 99% above 0.3. Not a measure of quality or of likeness to the eye.
NEAR = 0.12
# What one factor of light leaves, root mean square, as a share of the picture's own; a product in another shade before
# the same ground is within NEAR. Saved again, halved: 99% below 0.035; lit 15% brighter: 95% below 0.045; a mug drawn
# in black and in charcoal, red and pink, gray and silver: 0.06 to 0.3.
SHADE = 0.05
PLAIN_SPREAD = 2.0  # grey levels; a look that varies less shows nothing
_BLOCK = 2048  # looks compared with as many others at a time


class Facts(NamedTuple):
    """One picture; where `fault` is set, nothing but `found` is known."""

    fault: str = ""  # as pictures.Fault
    found: str = ""
    width: int = 0
    height: int = 0
    transparent: bool = False
    content: int = 0  # split.content_key
    pixels: int = 0  # a hash, as PairStore's walk takes it
    look: NDArray[np.uint8] = np.zeros(LOOK, np.uint8)


def facts(item: Item) -> Facts:
    """Read one picture, whatever state it is in."""
    label = str(item.source) if isinstance(item.source, Path) else item.name
    try:
        with item.open() as stream:
            content = content_key(stream)
            stream.seek(0)
            seen = inspect(stream, SIDE, item.crop, name=label)
    except BadPicture as error:
        return Facts(error.fault, error.found)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        bad = unreadable(label, error if isinstance(error, OSError) else FileNotFoundError())
        return Facts(bad.fault, bad.found)
    pixels = int.from_bytes(hashlib.blake2b(seen.pixels.data, digest_size=8).digest(), "little")
    return Facts("", "", seen.width, seen.height, seen.transparent, content, pixels, look(seen.pixels))


def look(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mean colours of a picture [3, SIDE, SIDE], [LOOK] uint8: what stays the same when it is saved again."""
    cell = SIDE // GRID
    means = pixels.reshape(3, GRID, cell, GRID, cell).mean((2, 4))
    return np.rint(means).astype(np.uint8).reshape(-1)


def is_plain(looks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of the looks [N, LOOK] are of pictures of one colour."""
    cells = looks.reshape(len(looks), 3, GRID * GRID).astype(np.float32)
    return np.asarray(cells.std(2).max(1) < PLAIN_SPREAD)


def near_leaders(looks: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each look [N, LOOK] the place of the first picture that it is nearly the same as, [N]; mostly its own.

    Every look is compared with every earlier one, block by block: the memory stays the same however many there are.
    """
    leader = np.arange(len(looks))
    least = 1 - NEAR**2 / 2, 1 - SHADE**2 / 2  # the correlation and the cosine that these differences come to
    for start in range(0, len(looks), _BLOCK):
        stop = min(start + _BLOCK, len(looks))
        rows = _units(looks[start:stop])
        for first in range(0, start + 1, _BLOCK):
            others = _units(looks[first : first + _BLOCK])
            like = np.logical_and(*(a @ b.T > bound for a, b, bound in zip(rows, others, least, strict=True)))
            if first == start:
                like = np.tril(like, -1)
            found = like.any(1) & (leader[start:stop] == np.arange(start, stop))
            leader[start + np.flatnonzero(found)] = first + like[found].argmax(1)
    for place in range(len(leader)):  # a leader may follow another
        leader[place] = leader[leader[place]]
    return leader


def _units(looks: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Looks [N, LOOK] less their mean, and as they are, of length one: products are correlations and cosines."""
    plain = looks.astype(np.float32)
    both = (plain - plain.mean(1, keepdims=True), plain)
    first, second = (each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-6) for each in both)
    return first, second
