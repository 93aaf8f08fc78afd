"""Which training pictures is a picture nearest to? By small copies of them, looked at as they are and in the mirror.

Small copies see composition and colours, not details: a near picture is one to be looked at, and a far one is no proof
that nothing was copied. The limit is what real pictures of the same catalogue that were held out stay above.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from django.core.files.storage import default_storage
from numpy.typing import NDArray
from PIL import Image

from bespoke.errors import UserError
from bespoke.studio.review.small import FEATURES, NUM_FEATURES, distances, small

NUM_SHOWN = 3


def find(folder: Path, file: str) -> list[tuple[int, float]]:
    """The nearest training pictures of a stored picture: place among them, and distance in [0, 1].

    Raises UserError where the picture or what it is compared with cannot be read.
    """
    try:
        with default_storage.open(file) as stream, Image.open(stream, formats=("PNG",)) as picture:
            seen = small(picture)
        known: NDArray[np.uint8] = np.memmap(folder / FEATURES, np.uint8, "r").reshape(-1, NUM_FEATURES)
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be compared with training pictures ({error}); calibrate again") from error
    apart = distances(seen[None], known)[0]
    order = np.argsort(apart, kind="stable")[:NUM_SHOWN]
    return [(int(place), float(apart[place])) for place in order]
