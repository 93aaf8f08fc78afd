"""How do pictures get from a model to a judge? Drawn and looked at 64 at a time; nothing is learned here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bespoke.data.levels import to_levels, to_signed
from bespoke.data.store import PairStore
from bespoke.evaluation.teach import Taught
from bespoke.pipeline import Pipeline
from bespoke.precision import autocast

AT_ONCE = 64
Tell = Callable[[int, int], None]  # pictures done, and in all


@torch.no_grad()
def draw(pipeline: Pipeline, texts: Sequence[str], seeds: Sequence[int], balance: float) -> Iterator[Tensor]:
    """The picture of each text and seed, in batches [n, 3, S, S] uint8.

    The same pictures as the pipeline draws, but for rounding: it draws each alone, which takes longer.
    """
    networks, device = pipeline.networks, pipeline.device
    for start in range(0, len(texts), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        noise = torch.cat(
            [torch.randn(1, networks.generator.num_noise, generator=_seeded(seed)) for seed in seeds[rows]]
        )
        text = networks.text_encoder(pipeline.tokenizer.encode(list(texts[rows])).to(device))
        with autocast(device):
            made = networks.generator(noise.to(device), text, torch.full((len(noise),), balance, device=device))
        yield to_levels(made.pictures)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def look(taught: Taught, pictures: Tensor) -> Tensor:
    """Features [N, F] of pictures [N, 3, S, S] uint8; always in fp32, so that numbers of two machines compare."""
    parts = [taught.judge.features(to_signed(part)) for part in pictures.split(AT_ONCE)]
    return torch.cat(parts)


def look_at(
    store: PairStore, index: NDArray[np.int64], judges: Sequence[Taught], tell: Tell = lambda done, total: None
) -> list[Tensor]:
    """Features [N, F] of real pictures, one tensor a judge."""
    return look_through((torch.from_numpy(store.take(rows)) for rows in _parts(index)), judges, len(index), tell)


def look_through(
    batches: Iterator[Tensor], judges: Sequence[Taught], total: int, tell: Tell = lambda done, total: None
) -> list[Tensor]:
    """Features [N, F] of pictures that come in batches, one tensor a judge; the pictures themselves are not kept."""
    seen: list[list[Tensor]] = [[] for _ in judges]
    done = 0
    for batch in batches:
        for features, taught in zip(seen, judges, strict=True):
            features.append(look(taught, batch))
        done += len(batch)
        tell(done, total)
    return [torch.cat(features) for features in seen]


def _parts(index: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    return (index[start : start + AT_ONCE] for start in range(0, len(index), AT_ONCE))


@torch.no_grad()
def read(taught: Taught, captions: Sequence[str]) -> Tensor:
    """Places [N, E] of captions, unit vectors."""
    parts = [
        taught.judge.place_captions(taught.tokenizer.encode(list(captions[start : start + 256])))
        for start in range(0, len(captions), 256)
    ]
    return torch.cat(parts) if parts else torch.empty(0, taught.judge.to_shared.out_features)
