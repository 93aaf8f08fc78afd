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
    n = len(groups)
    resampled = torch.tensor([statistic(rows) for rows in resamples(groups, seed, num_resamples)], dtype=torch.float64)
    return _basic(statistic(torch.arange(n)), resampled, n)


def mean_estimate(values: Tensor, groups: Tensor, *, seed: int = 0, num_resamples: int = 1000) -> Estimate:
    """The mean of one number a picture, [N], and its interval."""
    _, members = groups.unique(return_inverse=True)
    counts = members.bincount()
    sums = torch.zeros(len(counts), dtype=torch.float64).index_add_(0, members, values.double())
    drawn = _drawn(len(counts), seed, num_resamples)
    return _basic(float(values.double().mean()), sums[drawn].sum(1) / counts[drawn].sum(1), len(values))


def _basic(value: float, resampled: Tensor, n: int) -> Estimate:
    tail = (1 - LEVEL) / 2
    low, high = (2 * value - float(resampled.quantile(q)) for q in (1 - tail, tail))
    return Estimate(value, low, high, n)


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
