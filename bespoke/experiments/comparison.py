"""Is one arm better than another? The same captions, seeds and judges for all, and differences picture by picture.

Two things must hold before a difference counts: its 95% interval, from drawing pictures (or classes) anew, leaves out
zero, and it is larger than the standard deviation over training seeds. With one seed the second cannot be known, and
nothing counts. Many differences are looked at; the decisive metrics were fixed beforehand, the others explain.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from bespoke.data.store import PairStore
from bespoke.evaluation.examine import Examined, held_out
from bespoke.evaluation.intervals import ERRORS, Estimate, estimate, mean_estimate, share_estimate
from bespoke.evaluation.judge import Family
from bespoke.evaluation.metrics import diversity, frechet_distance, manifold_means, near_copies
from bespoke.evaluation.questions import Questions, ask
from bespoke.evaluation.result import Features
from bespoke.evaluation.scores import (
    LARGEST_KERNEL,
    METRICS,
    NUM_RESAMPLES,
    OF_NEIGHBOURS,
    OF_SETS,
    SMALL_IS_GOOD,
    kernel_statistic,
    neighbour_errors,
    neighbour_estimate,
    pair_hits,
)
from bespoke.evaluation.seeing import look_at
from bespoke.experiments.bench import Asked, Measured

DECISIVE = ("frechet", "retrieval")
NEITHER_GOOD = ("diversity",)  # more is not better: noise is diverse
Direction = Literal["better", "worse", "more", "less", "none"]
Outcome = Direction | Literal["one_seed"]


# Of a metric of sets, its value over given rows; of any other, the score of each picture [K] and which these are [K].
Score = Callable[[Tensor], float] | tuple[Tensor, Tensor]
Scores = Mapping[str, Score]


class Difference(NamedTuple):
    """One arm minus the first, mean over the seeds."""

    interval: Estimate  # over pictures or classes, all seeds drawn together
    deviation: float | None  # of the differences of single seeds; None with one seed
    outcome: Outcome


class Compared(NamedTuple):
    """One metric of one arm, by one judge at one balance."""

    metric: str
    judge: Family
    balance: float
    arm: str
    values: list[float]  # one a seed
    mean: float
    deviation: float | None  # over the seeds
    real: float | None  # what real pictures get at the same n
    difference: Difference | None  # None for the first arm


def compare(
    arms: Mapping[str, Sequence[Measured]], store: PairStore, judges: Sequence[Examined], asked: Asked
) -> list[Compared]:
    """Every metric that could be asked of all arms; `arms` holds the models of each, seed by seed."""
    questions = ask(store, asked.split, num_pictures=asked.num_pictures, seed=asked.seed)
    rows = []
    for judge in judges:
        pairing = Pairing(store, judge, questions)
        for balance in asked.balances:
            key = (judge.taught.judge.family, balance)
            scores = {arm: [pairing.scores(model.features[key]) for model in models] for arm, models in arms.items()}
            for metric in METRICS:
                rows += _compared(metric, key, arms, scores, pairing)
    return rows


def _compared(
    metric: str,
    key: tuple[Family, float],
    arms: Mapping[str, Sequence[Measured]],
    scores: Mapping[str, Sequence[Scores]],
    pairing: Pairing,
) -> list[Compared]:
    first = next(iter(arms))
    rows: list[Compared] = []
    for arm, models in arms.items():
        found = [model.value(metric, *key) for model in models]
        values = [value for value in found if value is not None]
        if len(values) < len(models):
            return []
        difference = None
        if arm != first:
            pairs = [(base[metric], one[metric]) for base, one in zip(scores[first], scores[arm], strict=True)]
            steps = [a - b for a, b in zip(values, rows[0].values, strict=True)]
            difference = _judged(metric, pairing.difference(metric, pairs), _deviation(steps))
        mean = statistics.fmean(values)
        real = _real(metric, models[0], key)
        rows.append(Compared(metric, *key, arm, values, mean, _deviation(values), real, difference))
    return rows


def _real(metric: str, model: Measured, key: tuple[Family, float]) -> float | None:
    row = model.row(metric, *key)
    assert row is not None
    found = row["training"] if metric in OF_SETS else row["real"]  # both at the n of the generated pictures
    return float(found["value"]) if found else None


def _deviation(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def _judged(metric: str, interval: Estimate, deviation: float | None) -> Difference:
    outcome: Outcome = direction(metric, interval)
    if deviation is not None and abs(interval.value) <= deviation:
        outcome = "none"
    elif deviation is None and outcome != "none":
        outcome = "one_seed"
    return Difference(interval, deviation, outcome)


def direction(metric: str, difference: Estimate) -> Direction:
    """What a difference says, where its interval leaves out zero."""
    if difference.low <= 0 <= difference.high:
        return "none"
    if metric in NEITHER_GOOD:
        return "more" if difference.value > 0 else "less"
    return "better" if (difference.value < 0) == (metric in SMALL_IS_GOOD) else "worse"


class Pairing:
    """One judge's real pictures, against which models are scored on the same resampled captions."""

    def __init__(self, store: PairStore, judge: Examined, questions: Questions) -> None:
        self.judge, self.questions = judge, questions
        (self.real,) = look_at(store, questions.index, [judge.taught])
        unseen = held_out(store)
        self.usual = (
            judge.training[:0] if unseen == "train" else look_at(store, store.indices(unseen), [judge.taught])[0]
        )

    def scores(self, seen: Features) -> Scores:
        """What a model gets by each metric, so that it can be resampled."""
        everywhere, few = torch.arange(len(self.questions)), slice(LARGEST_KERNEL)
        near = near_copies(self.judge.training, self.usual, seen.pictures)
        return {
            "frechet": lambda rows: frechet_distance(self.real[rows], seen.pictures[rows]),
            "kernel": kernel_statistic(self.real[few], seen.pictures[few]),
            "diversity": (diversity(seen.repeated), everywhere[: len(seen.repeated)]),
            **({"near_copies": (near.near, everywhere)} if len(self.usual) else {}),
            **_of_neighbours(self.real, seen.pictures),
            **pair_hits(self.judge.taught, self.questions, seen.pictures),
        }

    def value(self, metric: str, score: Score) -> Estimate:
        """One number and its interval."""
        groups, seed = self.questions.groups, self.questions.seed
        if callable(score) and metric in OF_NEIGHBOURS:
            error = neighbour_errors(_as_tensor(score), groups, seed=seed)
            return neighbour_estimate(metric, score(torch.arange(len(groups))), float(error), groups)
        if callable(score):
            few = LARGEST_KERNEL if metric == "kernel" else None
            return estimate(score, groups[:few], seed=seed, num_resamples=NUM_RESAMPLES)
        hits, asked = score
        mean = mean_estimate if metric == "diversity" else share_estimate
        return mean(hits, groups[asked], seed=seed)

    def difference(self, metric: str, pairs: Sequence[tuple[Score, Score]]) -> Estimate:
        """Second minus first, mean over the pairs."""
        groups, seed = self.questions.groups, self.questions.seed
        if metric == "kernel":
            groups = groups[:LARGEST_KERNEL]
        of_sets = [(one, other) for one, other in pairs if callable(one) and callable(other)]
        if of_sets:
            step = lambda rows: statistics.fmean(other(rows) - one(rows) for one, other in of_sets)  # noqa: E731
            if metric in OF_NEIGHBOURS:
                value = step(torch.arange(len(groups)))
                room = ERRORS * float(neighbour_errors(_as_tensor(step), groups, seed=seed))
                return Estimate(value, value - room, value + room, len(groups))
            return estimate(step, groups, seed=seed, num_resamples=NUM_RESAMPLES)
        steps, asked = [], torch.arange(0)
        for one, other in pairs:
            assert not callable(one)
            assert not callable(other)
            steps.append(other[0] - one[0])
            asked = one[1]
        return mean_estimate(torch.stack(steps).mean(0), groups[asked], seed=seed)


def _of_neighbours(real: Tensor, fake: Tensor) -> dict[str, Score]:
    """Precision, recall, density and coverage of the pictures at given rows; all four are found at once."""
    known: dict[bytes, Tensor] = {}

    def means(rows: Tensor) -> Tensor:
        key = rows.numpy().tobytes()
        if key not in known:
            whole = len(rows) == len(real)  # a value is exact; of halves, single precision will do for intervals
            ours, theirs = (each.double() if whole else each[rows] for each in (real, fake))
            known[key] = manifold_means(ours, theirs)
        return known[key]

    def one(number: int) -> Callable[[Tensor], float]:
        return lambda rows: float(means(rows)[number])

    return {name: one(number) for number, name in enumerate(OF_NEIGHBOURS)}


def _as_tensor(score: Callable[[Tensor], float]) -> Callable[[Tensor], Tensor]:
    """rows -> [1]"""
    return lambda rows: torch.tensor([score(rows)], dtype=torch.float64)
