"""How sure is a number? Bootstrap intervals over pictures, or over classes where there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

LEVEL = 0.95


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


def _middle(resampled: Tensor) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = (float(resampled.quantile(q)) for q in (tail, 1 - tail))
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
