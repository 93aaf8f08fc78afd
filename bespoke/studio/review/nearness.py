"""Which training pictures is a picture nearest to? By small copies of them, looked at as they are and in the mirror.

Small copies see composition and colours, not details: a near picture is one to be looked at, and a far one is no proof
that nothing was copied. The limit is what real pictures of the same catalogue that were held out stay above.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from django.core.files.storage import default_storage
from numpy.typing import NDArray
from PIL import Image

from bespoke.studio.review.small import FEATURES, NUM_FEATURES, distances, small
from bespoke.studio.storage import StorageError

NUM_SHOWN = 3
MOST_REMEMBERED = 20_000  # pictures

_remembered: dict[tuple[Path, str], list[tuple[int, float]]] = {}


def recall_all(folder: Path, files: Iterable[str]) -> dict[str, list[tuple[int, float]]]:
    """As `find_all`, but each picture is looked at once: for pages that only show what was found."""
    files = list(files)
    if len(_remembered) > MOST_REMEMBERED:
        _remembered.clear()
    fresh = find_all(folder, [file for file in files if (folder, file) not in _remembered])
    _remembered.update({(folder, file): nearest for file, nearest in fresh.items()})
    return {file: _remembered[folder, file] for file in files if (folder, file) in _remembered}


def find_all(folder: Path, files: Iterable[str]) -> dict[str, list[tuple[int, float]]]:
    """The nearest training pictures of stored pictures: place among them, and distance in [0, 1].

    A picture is left out where it, or what it is compared with, cannot be read. Raises StorageError.
    """
    seen = {file: features for file in files if (features := _seen(file)) is not None}
    if not seen:
        return {}
    try:
        known: NDArray[np.uint8] = np.memmap(folder / FEATURES, np.uint8, "r").reshape(-1, NUM_FEATURES)
    except (OSError, ValueError):
        return {}
    found = {}
    for file, apart in zip(seen, distances(np.stack([*seen.values()]), known), strict=True):
        order = np.argsort(apart, kind="stable")[:NUM_SHOWN]
        found[file] = [(int(place), float(apart[place])) for place in order]
    return found


def _seen(file: str) -> NDArray[np.uint8] | None:
    try:
        with default_storage.open(file) as stream, Image.open(stream, formats=("PNG",)) as picture:
            return small(picture)
    except StorageError:  # says nothing of the picture, which must not fail its gate for it
        raise
    except (OSError, ValueError):
        return None
