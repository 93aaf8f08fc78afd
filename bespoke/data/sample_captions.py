"""What would people write under a picture of the built-in catalogue, in English and in Japanese?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from bespoke.data.sample_attributes import Attributes
from bespoke.data.sample_captions_en import english
from bespoke.data.sample_captions_ja import japanese

TOLD = {  # how often a caption tells each detail; the kind of product is always told
    "color": 0.92,
    "second_color": 0.75,  # with the pattern, where there is one
    "pattern": 0.75,
    "material": 0.40,
    "size": 0.30,
    "position": 0.22,
    "view": 0.25,
    "background": 0.28,
}


def captions(
    attributes: Attributes, languages: Sequence[str], rng: np.random.Generator, first_tells: Collection[str] = ()
) -> list[str]:
    """One true caption for each of `languages` ("en" or "ja"), all different: the first tells most, others less."""
    texts: list[str] = []
    while len(texts) < len(languages):
        share = 1.0 if not texts else rng.uniform(0.4, 1.0)
        told = frozenset(detail for detail, often in TOLD.items() if rng.random() < often * share)
        if attributes.size == "medium" and rng.random() < 0.7:  # people mention what is out of the ordinary
            told -= {"size"}
        if not texts:
            told |= {"color", "second_color", "pattern", *first_tells}
        write = english if languages[len(texts)] == "en" else japanese
        text = write(attributes, told, rng)
        if text not in texts:
            texts.append(text)
    return texts
