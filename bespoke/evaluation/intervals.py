"""How sure is a number? Bootstrap intervals over pictures, or over classes where there are any."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

LEVEL = 0.95
ERRORS = 1.96  # standard errors to each side of a number
_TAIL = (1 - LEVEL) / 2
_MOST_LOG = 50.0  # keeps exponentials finite


class Estimate(NamedTuple):
    """A number with its 95% interval and what it was measured on."""

    value: float
    low: float
    high: float
    n: int  # pictures


def estimate(
    statistic: Callable[[Tensor], float],
    groups: Tensor,
    *,
    seed: int = 0,
    num_resamples: int = 200,
) -> Estimate:
    """A statistic of N pictures and its interval.

    statistic: takes indices [K] of pictures, which may repeat; groups: [N], pictures of one group are drawn together
    because they are not independent (captions of a class, say); give arange(N) where all are.
    The interval is the basic one, 2 v - q: resampled distances are too large, and this turns their bias around.
    """
    value = statistic(torch.arange(len(groups)))
    resampled = torch.tensor([statistic(rows) for rows in resamples(groups, seed, num_resamples)], dtype=torch.float64)
    low, high = _middle(resampled)
    return Estimate(value, 2 * value - high, 2 * value - low, len(groups))


def mean_estimate(values: Tensor, groups: Tensor, *, seed: int = 0, num_resamples: int = 1000) -> Estimate:
    """The mean of one number a picture, [N], and its interval.

    Resampled means have no bias, so that the interval is where they lie: that of a share stays within 0 and 1.
    """
    _, members = groups.unique(return_inverse=True)
    counts = members.bincount()
    sums = torch.zeros(len(counts), dtype=torch.float64).index_add_(0, members, values.double())
    drawn = _drawn(len(counts), seed, num_resamples)
    return Estimate(float(values.double().mean()), *_middle(sums[drawn].sum(1) / counts[drawn].sum(1)), len(values))


def share_estimate(values: Tensor, groups: Tensor, *, seed: int = 0) -> Estimate:
    """The mean of zeros and ones, [N], and its interval, which is never empty."""
    return unproven(mean_estimate(values, groups, seed=seed), groups)


def unproven(share: Estimate, groups: Tensor) -> Estimate:
    """The share with the interval of none or all where it is none or all, of which resamples cannot tell more.

    A share of up to 1 - (tail)^(1 / n) leaves n draws empty with the probability of one tail (Clopper and Pearson
    1934). n counts groups: pictures of one are not independent.
    """
    most = 1 - _TAIL ** (1 / len(groups.unique()))
    if share.value == 0:
        return share._replace(high=max(share.high, most))
    return share._replace(low=min(share.low, 1 - most)) if share.value == 1 else share


def halves_errors(
    statistics: Callable[[Tensor], Tensor], groups: Tensor, *, seed: int = 0, num_resamples: int = 200
) -> Tensor:
    """Standard errors [S] of statistics of N pictures that hang on nearest neighbours.

    statistics: takes indices [K] of pictures, none twice, gives [S]; groups: see `estimate`.
    A picture drawn twice is a neighbour of itself and makes balls too small, so nothing is drawn twice: b of G groups
    without replacement vary by sigma^2 (1 / b - 1 / G), for b = G / 2 as much as G groups drawn anew. What they vary
    about is what so many pictures get on average; fewer or more get something else.
    """
    _, members = groups.unique(return_inverse=True)
    num_groups, generator = int(members.max()) + 1, torch.Generator().manual_seed(seed)
    half, found = num_groups // 2, []
    for _ in range(num_resamples):
        drawn = torch.zeros(num_groups, dtype=torch.bool)
        drawn[torch.randperm(num_groups, generator=generator)[:half]] = True
        rows = drawn[members]
        if 4 * int(rows.sum()) < len(rows):  # of classes of very different sizes: too few to have neighbours
            rows = ~rows
        found.append(statistics(rows.nonzero()[:, 0]).double())
    return torch.stack(found).std(0) * math.sqrt(half / (num_groups - half))


def share_with(error: float, value: float, n: int) -> Estimate:
    """A share and its interval by its log odds, which have no end: nearest to an end it is the least symmetric."""
    if not 0 < value < 1:
        return Estimate(value, value, value, n)
    odds = math.exp(min(ERRORS * error / (value * (1 - value)), _MOST_LOG))
    return Estimate(value, value / (value + (1 - value) * odds), value * odds / (value * odds + 1 - value), n)


def positive_with(error: float, value: float, n: int) -> Estimate:
    """A number above zero and its interval by its logarithm."""
    times = math.exp(min(ERRORS * error / value, _MOST_LOG)) if value else 1.0
    return Estimate(value, value / times, value * times, n)


def _middle(resampled: Tensor) -> tuple[float, float]:
    low, high = (float(resampled.quantile(q)) for q in (_TAIL, 1 - _TAIL))
    return low, high


def resamples(groups: Tensor, seed: int, count: int) -> Iterator[Tensor]:
    """`count` times as many groups as there are, drawn with replacement: indices of all their pictures."""
    _, members = groups.unique(return_inverse=True)
    order, counts = members.argsort(stable=True), members.bincount()
    starts = counts.cumsum(0) - counts
    for row in _drawn(len(counts), seed, count):
        sizes = counts[row]
        within = torch.arange(int(sizes.sum())) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
        yield order[starts[row].repeat_interleave(sizes) + within]


def _drawn(num_groups: int, seed: int, count: int) -> Tensor:
    """[count, num_groups] int64"""
    return torch.randint(num_groups, (count, num_groups), generator=torch.Generator().manual_seed(seed))
