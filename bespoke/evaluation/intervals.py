"""How sure is a number? Bootstrap intervals over pictures, or over classes where there are any."""

from __future__ import annotations

from collections.abc import Callable
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
    value = statistic(torch.arange(n))
    resampled = torch.tensor([statistic(rows) for rows in resamples(groups, seed, num_resamples)], dtype=torch.float64)
    tail = (1 - LEVEL) / 2
    low, high = (2 * value - float(resampled.quantile(q)) for q in (1 - tail, tail))
    return Estimate(value, low, high, n)


def mean_estimate(values: Tensor, groups: Tensor, *, seed: int = 0, num_resamples: int = 1000) -> Estimate:
    """The mean of one number a picture, [N], and its interval."""
    return estimate(lambda rows: float(values[rows].double().mean()), groups, seed=seed, num_resamples=num_resamples)


def resamples(groups: Tensor, seed: int, count: int) -> list[Tensor]:
    """`count` times as many groups as there are, drawn with replacement: indices of all their pictures."""
    _, members = groups.unique(return_inverse=True)
    order = members.argsort(stable=True)
    rows = order.split(members.bincount().tolist())  # of each group
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(len(rows), (count, len(rows)), generator=generator)
    return [torch.cat([rows[group] for group in row.tolist()]) for row in drawn]
