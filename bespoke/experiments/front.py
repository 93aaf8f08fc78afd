"""What does each way to draw get from each judge? All are asked the same captions with the same noise.

Numbers are taken picture by picture, so that two ways differ by themselves and not by what they were asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from bespoke.data.store import PairStore
from bespoke.evaluation.evaluate import Tell
from bespoke.evaluation.examine import Examined
from bespoke.evaluation.floor import Floor
from bespoke.evaluation.intervals import Estimate, estimate
from bespoke.evaluation.judge import Family
from bespoke.evaluation.questions import PICTURES_A_CAPTION, Questions
from bespoke.evaluation.result import Features
from bespoke.evaluation.scores import METRICS, NUM_RESAMPLES, OF_SETS
from bespoke.evaluation.seeing import look_through
from bespoke.experiments.comparison import Pairing, Scores
from bespoke.experiments.ways import Kind, Way

SHOWN = 8  # captions whose pictures are kept, the first of an order that nobody chose
ROOM = 1.1  # how far the worst corner of a front lies beyond the largest distance that was measured


class Point(NamedTuple):
    """What one judge says of one way to draw."""

    way: Way
    scores: Mapping[str, Estimate]  # by metric
    differences: Mapping[str, Estimate]  # to the lowest balance, pair by pair; none for itself


class Front(NamedTuple):
    """All ways by one judge."""

    judge: Examined
    points: Sequence[Point]  # balances first, rising
    real: Mapping[str, float]  # what real pictures get at the same n, where that is known
    gains: Mapping[Kind, Estimate]  # area of the balances' front minus that of a rival's with the lowest balance
    shares: Mapping[Kind, float]  # the first area over the second

    @property
    def family(self) -> Family:
        return self.judge.taught.judge.family

    @property
    def knob(self) -> list[Point]:
        """The balances."""
        return self.of("balance")

    def of(self, kind: Kind) -> list[Point]:
        """The points of a kind."""
        return [point for point in self.points if point.way.kind == kind]


class Drawn(NamedTuple):
    """One way's pictures, as far as they are kept, and what the judges saw in all of them."""

    pictures: Tensor  # [SHOWN, 3, S, S] uint8
    features: list[Features]  # one a judge


def draw_way(way: Way, judges: Sequence[Examined], questions: Questions, name: str, tell: Tell) -> Drawn:
    """A picture for every caption, and ten for each of the first."""
    taught, kept = [judge.taught for judge in judges], torch.empty(0, dtype=torch.uint8)

    def keeping(batches: Iterator[Tensor]) -> Iterator[Tensor]:
        nonlocal kept
        for batch in batches:
            if len(kept) < SHOWN:
                kept = torch.cat([kept, batch])[:SHOWN] if len(kept) else batch[:SHOWN].clone()
            yield batch

    told = lambda done, total: tell(name, done, total)  # noqa: E731
    seen = look_through(keeping(way.draw(questions.captions, questions.seeds)), taught, len(questions), told)
    texts, seeds = questions.repeated()
    many = look_through(way.draw(texts, seeds), taught, len(texts), told)
    both = [
        Features(one, repeated.unflatten(0, (-1, PICTURES_A_CAPTION))) for one, repeated in zip(seen, many, strict=True)
    ]
    return Drawn(kept, both)


def measure(
    ways: Sequence[Way], drawn: Sequence[Drawn], store: PairStore, judges: Sequence[Examined], questions: Questions
) -> list[Front]:
    """One front a judge. The first way is the lowest balance."""
    fronts = []
    for number, judge in enumerate(judges):
        pairing = Pairing(store, judge, questions)
        scores = [_remembered(pairing.scores(each.features[number])) for each in drawn]
        floor = Floor.measure(store, judge, questions, pairing.real)
        gains, shares = _against_rivals(ways, scores, questions)
        fronts.append(Front(judge, _points(ways, scores, pairing), _real(floor), gains, shares))
    return fronts


def _remembered(scores: Scores) -> Scores:
    """The same, each number of sets computed once for the same rows: all intervals resample alike, from one seed."""

    def once(score: Callable[[Tensor], float]) -> Callable[[Tensor], float]:
        known: dict[bytes, float] = {}

        def value(rows: Tensor) -> float:
            key = rows.numpy().tobytes()
            if key not in known:
                known[key] = score(rows)
            return known[key]

        return value

    return {metric: once(score) if callable(score) else score for metric, score in scores.items()}


def _points(ways: Sequence[Way], scores: Sequence[Scores], pairing: Pairing) -> list[Point]:
    metrics = [metric for metric in METRICS if metric in scores[0]]
    points = []
    for way, found in zip(ways, scores, strict=True):
        values = {metric: pairing.value(metric, found[metric]) for metric in metrics}
        steps = {metric: pairing.difference(metric, [(scores[0][metric], found[metric])]) for metric in metrics}
        points.append(Point(way, values, {} if way is ways[0] else steps))
    return points


def _real(floor: Floor) -> dict[str, float]:
    of_sets = {metric: floor.training[metric].value for metric in OF_SETS if metric in floor.training}
    of_pairs = {metric: float(hits.mean()) for metric, (hits, _) in floor.hits.items()}
    near = {} if floor.near is None else {"near_copies": floor.near.value}
    return of_sets | of_pairs | {"diversity": floor.diversity.value} | near


def _against_rivals(
    ways: Sequence[Way], scores: Sequence[Scores], questions: Questions
) -> tuple[dict[Kind, Estimate], dict[Kind, float]]:
    """How much more the balances reach than each kind of rival, in the plane of distance and R@1."""
    if "retrieval" not in scores[0]:
        return {}, {}
    distances, hits = [each["frechet"] for each in scores], [each["retrieval"] for each in scores]

    def corners(rows: Tensor) -> list[tuple[float, float]]:
        """Distance and share of captions missed, of every way; both are better where they are smaller.

        Distances as shares of that to the worst corner, in every resample of its own: resampled distances are larger,
        and against one corner for all of them no area would be left.
        """
        found = []
        for distance, hit in zip(distances, hits, strict=True):
            assert callable(distance)
            assert not callable(hit)
            found.append((distance(rows), 1 - float(hit[0][rows].mean())))
        furthest = ROOM * max(distance for distance, _ in found)
        return [(distance / furthest, missed) for distance, missed in found]

    everything, worst = corners(torch.arange(len(questions))), (1.0, 1.0)  # guessing finds next to no caption
    gains: dict[Kind, Estimate] = {}
    shares: dict[Kind, float] = {}
    knob = [number for number, way in enumerate(ways) if way.kind == "balance"]
    kinds: tuple[Kind, ...] = ("best_of", "extrapolation", "model")
    for kind in kinds:
        rivals = [number for number, way in enumerate(ways) if way.kind == kind]
        if not rivals:
            continue
        if kind != "model":  # separate models have to stand for themselves
            rivals = [0, *rivals]

        def gain(rows: Tensor, rivals: Sequence[int] = tuple(rivals)) -> float:
            at = corners(rows)
            ours, theirs = ([at[number] for number in each] for each in (knob, rivals))
            return area(ours, worst) - area(theirs, worst)

        gains[kind] = estimate(gain, questions.groups, seed=questions.seed, num_resamples=NUM_RESAMPLES)
        ours, theirs = (area([everything[number] for number in each], worst) for each in (knob, rivals))
        shares[kind] = ours / theirs if theirs else 1.0  # nothing that could be missed
    return gains, shares


def area(points: Sequence[tuple[float, float]], worst: tuple[float, float]) -> float:
    """What is dominated by points between them and the worst corner: the hypervolume in two dimensions.

    Small is good in both; points beyond the corner count for nothing.
    """
    total, height = 0.0, worst[1]
    for x, y in sorted(points):
        if x < worst[0] and y < height:
            total += (worst[0] - x) * (height - y)
            height = y
    return total
