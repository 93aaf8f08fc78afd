"""Do two orders agree? Spearman's rank correlation, in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence


def spearman(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Of pairs of numbers: 1 where one rises with the other, -1 where it falls; None where either stands still."""
    return _pearson(_ranks(xs), _ranks(ys))


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
