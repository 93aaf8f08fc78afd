"""In which ways can faithfulness be had? The balance, and its rivals: all draw a picture for a caption and a seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from bespoke.data.levels import as_image
from bespoke.evaluation.seeing import AT_ONCE, draw
from bespoke.method.text_encoder import DualTextEmbedding, DualTextEncoder
from bespoke.pipeline import CANDIDATE_STRIDE, Pipeline

Kind = Literal["balance", "best_of", "extrapolation", "model"]
STRETCHES = (1.5, 2.0)  # omega of the extrapolated condition; 1 is the condition itself
Draw = Callable[[Sequence[str], Sequence[int]], Iterator[Tensor]]  # texts, seeds -> batches [n, 3, S, S] uint8


@dataclass(frozen=True)
class Way:
    """One way to draw a picture of a caption."""

    kind: Kind
    value: float  # the balance, also of another model; candidates a picture; omega
    model: str  # its name
    num_draws: int  # what it costs: pictures drawn for each that is kept
    draw: Draw = dataclasses.field(repr=False)


def ways_of(
    pipeline: Pipeline,
    captions: Sequence[str],
    *,
    name: str,
    balances: Sequence[float],
    best_of: int,
    others: Sequence[tuple[str, Pipeline, float]],
) -> list[Way]:
    """The balances of a model, rising; then its rivals: best-of-N and extrapolation at the lowest, and other models.

    captions: those that will be asked; their mean is what the condition is extrapolated away from. best_of: 1 leaves
    that rival out. others: name, model and the balance that it is drawn at.
    """
    lowest = balances[0]

    def at(model: Pipeline, balance: float) -> Draw:
        return lambda texts, seeds: draw(model, texts, seeds, balance)

    found = [Way("balance", balance, name, 1, at(pipeline, balance)) for balance in balances]
    if best_of > 1:
        best: Draw = lambda texts, seeds: draw_best(pipeline, texts, seeds, lowest, best_of)  # noqa: E731
        found.append(Way("best_of", best_of, name, best_of, best))
    for stretch in STRETCHES:
        found.append(Way("extrapolation", stretch, name, 1, at(stretched(pipeline, captions, stretch), lowest)))
    found += [Way("model", balance, other, 1, at(model, balance)) for other, model, balance in others]
    return found


def draw_best(
    pipeline: Pipeline, texts: Sequence[str], seeds: Sequence[int], balance: float, count: int
) -> Iterator[Tensor]:
    """As `draw`, of `count` candidates that with the highest alignment by the model itself, as the pipeline chooses."""
    candidates = [
        draw(pipeline, texts, [seed + number * CANDIDATE_STRIDE for seed in seeds], balance) for number in range(count)
    ]
    for start, batches in zip(range(0, len(texts), AT_ONCE), zip(*candidates, strict=True), strict=True):
        told = texts[start : start + AT_ONCE]
        best = torch.stack([pipeline.score([*map(as_image, batch)], told) for batch in batches]).argmax(0)  # [n]
        yield torch.stack(batches)[best, torch.arange(len(best))]


def stretched(pipeline: Pipeline, captions: Sequence[str], stretch: float) -> Pipeline:
    """The model with its condition extrapolated: S_G goes `stretch` times as far from the mean S_G of the captions.

    c = c_mean + omega (c - c_mean). No caption is dropped in training, so the mean stands for "no caption". At b = 0,
    where the generator reads S_G alone, that is all of its condition but for single words. The balance itself cannot
    be extrapolated: beyond 1 its Fourier features take values that were never seen, and from 2 on they begin again.
    """
    mean = pipeline.embed(captions).realism.mean(0).to(pipeline.device)
    networks = pipeline.networks
    encoder = _Stretched(networks.text_encoder, mean, stretch)
    return Pipeline(dataclasses.replace(networks, text_encoder=encoder), pipeline.tokenizer, identity=pipeline.identity)


class _Stretched(DualTextEncoder):
    def __init__(self, encoder: DualTextEncoder, mean: Tensor, stretch: float) -> None:
        super().__init__(encoder.realism, encoder.alignment)
        self.mean, self.stretch = mean, stretch

    def forward(self, captions: Tensor) -> DualTextEmbedding:
        text: DualTextEmbedding = super().forward(captions)
        sentence = self.mean + self.stretch * (text.realism.sentence - self.mean)
        return text._replace(realism=text.realism._replace(sentence=sentence))
