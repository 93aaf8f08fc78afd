"""What does one judge say of one set of pictures? Each metric with its interval.

Numbers of sets (distances, precision, ...) depend on the number of pictures: compare them at equal n only.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from bespoke.evaluation.intervals import ERRORS, Estimate, estimate, halves_errors, positive_with, share_with, unproven
from bespoke.evaluation.metrics import Manifold, frechet_distance, manifold, manifold_means, preference, retrieval
from bespoke.evaluation.questions import Questions
from bespoke.evaluation.seeing import read
from bespoke.evaluation.teach import Taught

NUM_RESAMPLES = 100  # of the distances, each of which takes as long as the distance itself
LARGEST_KERNEL = 2000  # pictures; its matrices grow with their square
LARGEST_BALLS = 2000  # pictures, likewise

OF_NEIGHBOURS = Manifold._fields
OF_SETS = ("frechet", "kernel", *OF_NEIGHBOURS)
OF_PAIRS = ("retrieval", "retrieval_in_class", "swap", "class_accuracy")
OF_DRAWS = ("diversity", "near_copies")
METRICS = (*OF_SETS, *OF_PAIRS, *OF_DRAWS)
SMALL_IS_GOOD = ("frechet", "kernel", "near_copies")


def set_scores(real: Tensor, fake: Tensor, groups: Tensor, *, seed: int) -> dict[str, Estimate]:
    """How far two sets of N features [N, F] are apart; picture i of both is drawn together for the interval."""
    return {
        "frechet": estimate(
            lambda rows: frechet_distance(real[rows], fake[rows]), groups, seed=seed, num_resamples=NUM_RESAMPLES
        ),
        "kernel": kernel_estimate(real[:LARGEST_KERNEL], fake[:LARGEST_KERNEL], groups[:LARGEST_KERNEL], seed=seed),
        **neighbour_estimates(real, fake, groups, seed=seed),
    }


def neighbour_estimates(real: Tensor, fake: Tensor, groups: Tensor, *, seed: int) -> dict[str, Estimate]:
    """Precision, recall, density and coverage of N features [N, F] each, and intervals over pictures of both kinds."""
    errors = neighbour_errors(lambda rows: manifold_means(real[rows], fake[rows]), groups, seed=seed).tolist()
    values = [float(each.mean()) for each in manifold(real, fake)]
    return {
        name: neighbour_estimate(name, value, error, groups)
        for name, value, error in zip(OF_NEIGHBOURS, values, errors, strict=True)
    }


def neighbour_estimate(metric: str, value: float, error: float, groups: Tensor) -> Estimate:
    """One of OF_NEIGHBOURS with the interval that follows from its standard error."""
    if metric == "density":
        return positive_with(error, value, len(groups))
    return unproven(share_with(error, value, len(groups)), groups)


def neighbour_errors(means: Callable[[Tensor], Tensor], groups: Tensor, *, seed: int) -> Tensor:
    """Standard errors [S] of numbers [S] made of OF_NEIGHBOURS, of the pictures at given rows, none twice.

    Balls are drawn anew with the pictures that they are around: with balls held fixed, 95% intervals held the truth in
    42 to 90% of repetitions (docs/evaluation.md). Beyond LARGEST_BALLS pictures the first ones say how large an error
    is.
    """
    few = groups[:LARGEST_BALLS]
    errors = halves_errors(means, few, seed=seed, num_resamples=NUM_RESAMPLES)
    return errors * math.sqrt(len(few.unique()) / len(groups.unique()))


def kernel_estimate(real: Tensor, fake: Tensor, groups: Tensor, *, seed: int) -> Estimate:
    """The kernel distance over all pairs, and its interval. real, fake: [N, F]."""
    return estimate(kernel_statistic(real, fake), groups, seed=seed, num_resamples=NUM_RESAMPLES)


def kernel_statistic(real: Tensor, fake: Tensor) -> Callable[[Tensor], float]:
    """The kernel distance of the pictures at given rows, which may repeat, of both sets [N, F]."""
    n, x, y = len(real), real.double(), fake.double()
    cubic = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3  # noqa: E731
    within, across = cubic(x, x) + cubic(y, y), cubic(x, y)

    def resampled(rows: Tensor) -> float:
        weight = rows.bincount(minlength=n).double()
        # A picture drawn twice is no pair: at distance 0 from itself it would make the distance too large.
        pairs = weight.sum().square() - weight.square().sum()
        inner = (weight @ within @ weight - within.diagonal() @ weight.square()) / pairs
        return float(inner - 2 * (weight @ across @ weight) / weight.sum().square())

    return resampled


def pair_hits(taught: Taught, questions: Questions, features: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """By metric: 0 or 1 for each picture that can be asked [K], and which pictures these are [K].

    features: [N, F] of real or generated pictures, picture i to the caption i of the questions. A metric that cannot
    be asked (one class only, no words to swap) is left out.
    """
    places = taught.judge.place_pictures(features)
    captions = read(taught, questions.captions)
    rows, hits = torch.arange(len(questions)), {}
    if questions.others is not None:
        hits["retrieval"] = retrieval(places, captions, questions.others), rows
    if len(rows := questions.in_class_rows):
        rivals = captions[questions.in_class]  # [M, K, E]
        own, best = (places[rows] * captions[rows]).sum(1), torch.einsum("me,mke->mk", places[rows], rivals)
        hits["retrieval_in_class"] = (own > best.max(1).values).double(), rows
    if len(rows := questions.swap_rows):
        hits["swap"] = preference(places[rows], captions[rows], read(taught, questions.swapped)), rows
    if len(rows := torch.isin(questions.classes, taught.known_classes).nonzero()[:, 0]):
        told = taught.judge.classify(features[rows]).argmax(1)
        hits["class_accuracy"] = (told == questions.classes[rows]).double(), rows
    return hits


def standard_error(found: Estimate) -> float:
    """Of a number with a 95% interval."""
    return (found.high - found.low) / (2 * ERRORS)
