"""Which figures would a paper give? FID, KID and Inception score, CLIP score, FD-DINOv2, by the networks of others.

Only for a comparison with papers that measured pictures of the same kind at a like number. Whoever chose a model or a
setting by them would tune to networks that never saw the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bespoke.data.store import PairStore
from bespoke.evaluation.intervals import mean_estimate
from bespoke.evaluation.metrics import clip_score, frechet_distance, inception_score, kernel_distance
from bespoke.evaluation.paper_networks import Clip, Inception, Network
from bespoke.evaluation.paper_texts import missing_sentence
from bespoke.evaluation.questions import Questions
from bespoke.evaluation.result import Figure, PaperNetwork, PaperRow, Papers
from bespoke.evaluation.seeing import AT_ONCE, Tell
from bespoke.pages.texts import Language

Distance = Callable[[Tensor, Tensor], float]


def _kernel_distance(real: Tensor, fake: Tensor) -> float:
    return kernel_distance(real, fake, generator=torch.Generator().manual_seed(0))


# Of sets of features, real ones and others.
DISTANCES: dict[PaperNetwork, dict[str, Distance]] = {
    "inception": {"fid": frechet_distance, "kid": _kernel_distance},
    "clip": {},
    "dinov2": {"fd_dinov2": frechet_distance},
}
PAPER_METRICS = ("fid", "kid", "inception_score", "clip_score", "fd_dinov2")


@dataclass(frozen=True)
class PaperFloor:
    """What one network makes of real pictures; no generated picture has a part in it."""

    network: Network
    questions: Questions
    real: Tensor  # [N, F]
    halves: dict[str, Figure]  # one half of the split against the other
    training: dict[str, Figure]  # N training pictures against the split; empty where there are fewer
    scores: dict[str, Figure]  # of the real pictures themselves
    captions: Tensor | None  # [N, F] of CLIP

    @classmethod
    def measure(cls, network: Network, store: PairStore, questions: Questions, tell: Tell) -> PaperFloor:
        """Have the network look at the split and at as many training pictures, and compare them."""
        others = np.setdiff1d(store.indices("train"), questions.index)
        enough = len(others) >= len(questions)
        drawn = np.random.default_rng(questions.seed).permutation(others)[: len(questions) if enough else 0]
        index = np.concatenate([questions.index, drawn])
        parts = []
        for start in range(0, len(index), AT_ONCE):
            parts.append(network.look(torch.from_numpy(store.take(index[start : start + AT_ONCE]))))
            tell(min(start + AT_ONCE, len(index)), len(index))
        real, training = torch.cat(parts).tensor_split([len(questions)])
        first, second = questions.halves()
        captions = network.read(questions.captions) if isinstance(network, Clip) else None
        return cls(
            network=network,
            questions=questions,
            real=real,
            halves=_distances(network, real[second], real[first]),
            training=_distances(network, real, training) if enough else {},
            scores=_scores(network, questions, real, captions),
            captions=captions,
        )

    def rows(self, balance: float, fake: Tensor) -> Iterator[PaperRow]:
        """All metrics of the pictures of one balance. fake: [N, F], picture i to caption i of the questions."""
        name = self.network.card.name
        first, second = self.questions.halves()
        half = _distances(self.network, self.real[second], fake[first])
        for metric, whole in _distances(self.network, self.real, fake).items():
            training = self.training.get(metric)
            yield PaperRow(name, metric, balance, whole, self.halves[metric], half[metric], training)
        for metric, figure in _scores(self.network, self.questions, fake, self.captions).items():
            yield PaperRow(name, metric, balance, figure, self.scores[metric], None, None)


def _distances(network: Network, real: Tensor, fake: Tensor) -> dict[str, Figure]:
    return {
        metric: Figure(distance(real, fake), len(fake)) for metric, distance in DISTANCES[network.card.name].items()
    }


def _scores(network: Network, questions: Questions, features: Tensor, captions: Tensor | None) -> dict[str, Figure]:
    """What needs no real pictures. features: [N, F], in the order of the questions, which is random."""
    if isinstance(network, Inception):
        return {"inception_score": Figure(inception_score(network.logits(features)), len(features))}
    if captions is None:
        return {}
    found = mean_estimate(clip_score(features, captions), questions.groups, seed=questions.seed)
    return {"clip_score": Figure(found.value, found.n, found.low, found.high)}


def watched(batches: Iterator[Tensor], networks: Sequence[Network], seen: Sequence[list[Tensor]]) -> Iterator[Tensor]:
    """Pictures on their way to the judges; what the networks see in them is added to `seen`, one list a network."""
    for batch in batches:
        for features, network in zip(seen, networks, strict=True):
            features.append(network.look(batch))
        yield batch


def as_data(papers: Papers, language: Language) -> dict[str, Any]:
    """For report.json."""
    figure = lambda value: value._asdict() if isinstance(value, Figure) else value  # noqa: E731
    return {
        "networks": [card._asdict() for card in papers.cards],
        "rows": [{name: figure(value) for name, value in row._asdict().items()} for row in papers.rows],
        "missing": [
            {"network": line.values["network"], "text": missing_sentence(line, language)} for line in papers.missing
        ],
    }
