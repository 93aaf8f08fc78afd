"""Do models with better metrics need fewer revisions? A rank correlation, said only where there is enough to say it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

FEWEST = 5  # model versions; of fewer, any order is likely by chance
_Z = 1.959964  # 95 %


class Correlation(NamedTuple):
    """Spearman's rank correlation with its 95% interval; None where fewer than FEWEST pairs or no order."""

    n: int
    value: float | None
    low: float | None
    high: float | None


def rank_correlation(xs: Sequence[float], ys: Sequence[float]) -> Correlation:
    """Of pairs of numbers. The interval is that of Bonett and Wright (2000), rough for small n.

    It says whether two orders agree, never that one causes the other.
    """
    n = len(xs)
    assert n == len(ys)
    if n < FEWEST:
        return Correlation(n, None, None, None)
    value = _pearson(_ranks(xs), _ranks(ys))
    if value is None:
        return Correlation(n, None, None, None)
    # The transformation has no value at its ends.
    inner = math.copysign(min(abs(value), 1 - 1 / n**2), value)
    half = _Z * math.sqrt((1 + inner**2 / 2) / (n - 3))
    low, high = (math.tanh(math.atanh(inner) + side * half) for side in (-1, 1))
    return Correlation(n, value, min(low, value), max(high, value))


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1; equal numbers share the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            ranks[place] = (start + end) / 2 + 1
        start = end + 1
    return ranks


def _pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    dx, dy = [x - mean_x for x in xs], [y - mean_y for y in ys]
    size = math.sqrt(sum(d * d for d in dx) * sum(d * d for d in dy))
    return max(-1.0, min(1.0, sum(a * b for a, b in zip(dx, dy, strict=True)) / size)) if size else None
