"""Can a judge be trusted? It is put to the test on real pictures that it was not taught with, once per catalogue.

Distances must grow step by step as real pictures are spoiled, past what lies between real pictures, and captions must
be found less often once shuffled. A judge that has learned too little takes blobs of the right colour for pictures.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from bespoke.data.item import Part
from bespoke.data.levels import to_levels, to_signed
from bespoke.data.made_once import make_once
from bespoke.data.split import LEAST
from bespoke.data.store import PairStore, cache_folder
from bespoke.evaluation.metrics import frechet_distance
from bespoke.evaluation.questions import ask
from bespoke.evaluation.scores import OF_PAIRS, pair_hits
from bespoke.evaluation.seeing import Tell, look, look_at
from bespoke.evaluation.teach import Taught
from bespoke.tensors import save_tensors

FORMAT = 4
MOST = 300  # real pictures that are spoiled
MOST_TRAINING = 20_000  # training pictures that generated ones are compared with
SWAPS_NEEDED = 0.8  # share of real pairs at which the swapped word must be noticed
SWAPS_BY_LOOKING = 0.1  # by how much more than with another's picture: some swapped captions give themselves away
CHANCES_NEEDED = 3  # how many times better than guessing a caption must be found
LEAST_SWAPS = 20  # captions with a word that can be swapped; of fewer, luck gives 80% away
ERRORS_NEEDED = 3.0  # standard errors by which captions must be found beyond luck where no word can be swapped


def blur(pictures: Tensor, strength: int) -> Tensor:
    """[N, 3, S, S] float in [-1, 1]: the mean of each pixel's neighbours, `strength` to each side."""
    padded = F.pad(pictures, (strength,) * 4, mode="reflect")
    return F.avg_pool2d(padded, 2 * strength + 1, stride=1)


def noise(pictures: Tensor, strength: int) -> Tensor:
    """Normal noise, 8 of 255 levels for each step."""
    drawn = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
    return (pictures + strength * 8 / 127.5 * drawn).clamp(-1, 1)


def color_shift(pictures: Tensor, strength: int) -> Tensor:
    """More red and less blue, 12 of 255 levels for each step."""
    shift = strength * 12 / 127.5 * torch.tensor([1.0, 0.0, -1.0])
    return (pictures + shift[None, :, None, None]).clamp(-1, 1)


SPOILERS: dict[str, Callable[[Tensor, int], Tensor]] = {"blur": blur, "noise": noise, "color_shift": color_shift}
STRENGTHS = (1, 2, 4)


@dataclass(frozen=True)
class Examination:
    """What a judge makes of real pictures that it does not know, and of the same pictures spoiled."""

    split: Part  # where these pictures come from
    num_pictures: int
    distances: dict[str, list[float]]  # squared Frechet distances to the pictures as they are, by kind, rising strength
    floor: float  # the distance of as many training pictures, which are real, too
    retrieval: float  # share of real pictures whose caption is found among `retrieval_of`
    retrieval_of: int
    retrieval_shuffled: float  # the same, each picture with another's caption
    swap: float | None  # share that prefer the true caption to one with a word swapped; None: too few such words
    swap_shuffled: float | None  # the same, each caption with another's picture: what words alone give away

    @property
    def sees(self) -> bool:
        """Whether its distances mean anything: with every kind of spoiling they grow, and further than the floor."""
        return all(0 < a < b < c and c > self.floor for a, b, c in self.distances.values())

    @property
    def reads(self) -> bool:
        """Whether claims about faithfulness to a text can rest on it.

        Where too few captions have a word to swap, nobody can say whether it notices single words; then captions as a
        whole must be found beyond luck, which the other two limits are too low for where pictures are few.
        """
        found = self.retrieval >= CHANCES_NEEDED * self.chance and self.retrieval > self.retrieval_shuffled
        if self.swap is None:
            return found and self.errors_beyond_luck >= ERRORS_NEEDED
        return found and self.swap >= SWAPS_NEEDED and self.swap >= (self.swap_shuffled or 0.0) + SWAPS_BY_LOOKING

    @property
    def chance(self) -> float:
        """How often guessing finds a caption; always where all read the same."""
        return 1 / max(1, self.retrieval_of)

    @property
    def errors_beyond_luck(self) -> float:
        """By how many standard errors captions are found more often than shuffled ones, and than by guessing."""
        luck = max(self.retrieval_shuffled, self.chance)
        error = math.sqrt(sum(share * (1 - share) for share in (self.retrieval, luck)) / self.num_pictures)
        return (self.retrieval - luck) / error if error else 0.0

    def answers(self, metric: str) -> bool:
        """Whether it passed what it takes to answer for a metric."""
        if metric == "swap" and self.swap is None:
            return False
        return self.reads if metric in OF_PAIRS else self.sees


class Examined(NamedTuple):
    """A judge with what is known about it and what it saw in training."""

    taught: Taught
    examination: Examination
    training: Tensor  # [T, F] its features of training pictures
    training_index: Tensor  # [T] their places in the store


def examined(store: PairStore, taught: Taught, tell: Tell = lambda done, total: None) -> Examined:
    """The judge with its examination, read from the cache, and examined first if it is not there."""
    folder = cache_folder() / f"examined-{FORMAT}-{taught.identity}-{store.fingerprint[:24]}"
    file, seen = folder / "examination.json", folder / "training.safetensors"

    def write(part: Path) -> None:
        index = store.indices("train")
        if len(index) > MOST_TRAINING:
            index = np.sort(np.random.default_rng(0).choice(index, MOST_TRAINING, replace=False))
        (features,) = look_at(store, index, [taught], tell)
        save_tensors({"features": features, "index": torch.from_numpy(index.copy())}, part / seen.name)
        (part / file.name).write_text(json.dumps(asdict(examine(store, taught, features)), indent=2), "utf-8")

    make_once(folder, is_whole=lambda: file.is_file() and seen.is_file(), write=write)
    tensors = load_file(seen)
    examination = Examination(**json.loads(file.read_text("utf-8")))
    return Examined(taught, examination, tensors["features"], tensors["index"])


def held_out(store: PairStore) -> Part:
    """Where pictures are that resemble those of training and were not shown: validation, else test, else both."""
    kept_out: tuple[Part, ...] = ("validation", "test", "held-out")
    return next((split for split in kept_out if len(store.indices(split)) >= LEAST), "train")


def examine(store: PairStore, taught: Taught, training: Tensor) -> Examination:
    """Show a judge real pictures, as they are and spoiled. training: [T, F] its features of training pictures."""
    split = held_out(store)
    questions = ask(store, split, num_pictures=MOST, seed=0)
    pictures = torch.from_numpy(store.take(questions.index))
    clean = look(taught, pictures)
    distances = {
        kind: [frechet_distance(clean, look(taught, _spoiled(pictures, spoil, strength))) for strength in STRENGTHS]
        for kind, spoil in SPOILERS.items()
    }
    some = torch.randperm(len(training), generator=torch.Generator().manual_seed(0))[: len(clean)]
    hits = pair_hits(taught, questions, clean)
    shuffled = pair_hits(taught, questions, clean.roll(1, 0))
    mean = lambda found, name: float(found[name][0].mean()) if name in found else None  # noqa: E731
    words = len(questions.swap_rows) >= LEAST_SWAPS
    return Examination(
        split=split,
        num_pictures=len(questions),
        distances=distances,
        floor=frechet_distance(clean, training[some]),
        retrieval=mean(hits, "retrieval") or 0.0,
        retrieval_of=0 if questions.others is None else questions.others.shape[1] + 1,
        retrieval_shuffled=mean(shuffled, "retrieval") or 0.0,
        swap=mean(hits, "swap") if words else None,
        swap_shuffled=mean(shuffled, "swap") if words else None,
    )


def _spoiled(pictures: Tensor, spoil: Callable[[Tensor, int], Tensor], strength: int) -> Tensor:
    """[N, 3, S, S] uint8 -> the same, spoiled."""
    return to_levels(spoil(to_signed(pictures), strength))
