"""What is a model asked? Captions of real pictures it has not seen, with seeds and wrong captions to tell apart.

Everything is drawn from one seed, so that every model and every balance is asked the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bespoke.data.captions import swap_word
from bespoke.data.item import PARTS, SPLITS, Part
from bespoke.data.split import LEAST
from bespoke.data.store import PairStore
from bespoke.errors import UserError

RIVALS = 99  # captions of other pictures beside the right one
RIVALS_IN_CLASS = 19
MOST_FOR_DIVERSITY = 100  # captions
PICTURES_A_CAPTION = 10  # for diversity
LEAST_CLASSES = 10  # to draw classes for intervals; with fewer, pictures are drawn
APART = 10**9  # seeds of the pictures for diversity begin so far above the others'


@dataclass(frozen=True)
class Questions:
    """One caption for each of N real pictures, in an order that nobody chose, and the picture to be drawn for it."""

    index: NDArray[np.int64]  # [N] places of the real pictures in the store
    captions: list[str]
    classes: Tensor  # [N] int64, -1 where a picture has none
    groups: Tensor  # [N] int64, what is drawn together for intervals
    seed: int  # of the first picture; picture i has seed + i
    others: Tensor | None  # [N, K] places among the N: captions of other pictures; None where all read the same
    in_class_rows: Tensor  # [M] places among the N whose class has enough captions
    in_class: Tensor  # [M, RIVALS_IN_CLASS] captions of other pictures of the same class
    swap_rows: Tensor  # [W] places among the N whose caption has a colour, number or pattern word
    swapped: list[str]  # W captions in which such a word is another

    def __len__(self) -> int:
        return len(self.captions)

    def halves(self) -> tuple[Tensor, Tensor]:
        """Places among the N of two halves of equal size, [N // 2] each, one by one of the same class."""
        order = self.classes.argsort(stable=True)
        return order[0 : len(order) // 2 * 2 : 2], order[1::2]

    @property
    def by_class(self) -> bool:
        """Whether intervals come from drawing classes."""
        return bool((self.groups == self.classes).all())

    @property
    def seeds(self) -> list[int]:
        return list(range(self.seed, self.seed + len(self)))

    @property
    def num_repeated(self) -> int:
        """How many captions are drawn ten times."""
        return min(MOST_FOR_DIVERSITY, len(self))

    def repeated(self) -> tuple[list[str], list[int]]:
        """Texts and seeds for diversity: the first captions, PICTURES_A_CAPTION times each."""
        texts = [text for text in self.captions[: self.num_repeated] for _ in range(PICTURES_A_CAPTION)]
        return texts, [self.seed + APART + number for number in range(len(texts))]


def ask(store: PairStore, split: Part, *, num_pictures: int, seed: int) -> Questions:
    """Questions on up to `num_pictures` pictures of a part. Raises UserError where there are too few."""
    if num_pictures < LEAST:
        raise UserError(f"--num-pictures {num_pictures}: expected {LEAST} or more; fewer say nothing about a model")
    everything = store.indices(split)
    _check_enough(store, split, len(everything))
    rng = np.random.default_rng([seed, PARTS.index(split)])
    index = rng.permutation(everything)[:num_pictures]
    captions = [_any(store.captions(int(place)), rng) for place in index]
    classes = torch.from_numpy(store.group[index].astype(np.int64))
    by_class = bool((classes >= 0).all()) and len(classes.unique()) >= LEAST_CLASSES
    in_class_rows, in_class = _in_class(captions, classes.numpy(), rng)
    swaps = [(row, swapped) for row, text in enumerate(captions) if (swapped := swap_word(text, rng)) is not None]
    return Questions(
        index=index,
        captions=captions,
        classes=classes,
        groups=classes if by_class else torch.arange(len(index)),
        seed=seed,
        others=_others(captions, rng),
        in_class_rows=in_class_rows,
        in_class=in_class,
        swap_rows=torch.tensor([row for row, _ in swaps], dtype=torch.int64),
        swapped=[text for _, text in swaps],
    )


def _check_enough(store: PairStore, split: Part, count: int) -> None:
    if count >= LEAST:
        return
    counts = ", ".join(f"{name} {len(store.indices(name)):,}" for name in SPLITS)
    enough = [name for name in PARTS if len(store.indices(name)) >= LEAST]
    what = f"choose --split {' or '.join(enough)}" if enough else "add pictures to the catalogue"
    if "train" in enough:
        what += " (train only says how well a model knows what it has seen)"
    raise UserError(
        f"{store.manifest.catalogue}: {f'{count} pictures' if count else 'no pictures'} for {split}, at least {LEAST} "
        f"are needed: with fewer, numbers say nothing ({counts}); {what}"
    )


def _any(texts: list[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


def _others(captions: list[str], rng: np.random.Generator) -> Tensor | None:
    """For each caption as many captions that read otherwise, up to RIVALS, as there are for all."""
    texts = np.array(captions, dtype=object)
    different = [np.flatnonzero(texts != text) for text in captions]
    count = min(RIVALS, *map(len, different))
    if not count:
        return None
    return torch.from_numpy(np.stack([rng.choice(rows, count, replace=False) for rows in different]))


def _in_class(captions: list[str], classes: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """For the captions whose class has RIVALS_IN_CLASS others that read otherwise: which, and those others."""
    texts = np.array(captions, dtype=object)
    rows, rivals = [], []
    for row, text in enumerate(captions):
        same = np.flatnonzero((classes == classes[row]) & (texts != text))
        if classes[row] >= 0 and len(same) >= RIVALS_IN_CLASS:
            rows.append(row)
            rivals.append(rng.choice(same, RIVALS_IN_CLASS, replace=False))
    chosen = np.stack(rivals) if rivals else np.empty((0, RIVALS_IN_CLASS), np.int64)
    return torch.tensor(rows, dtype=torch.int64), torch.from_numpy(chosen)
