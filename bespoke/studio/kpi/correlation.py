"""Do models with better metrics need fewer revisions? A rank correlation, said only where there is enough to say it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from bespoke.evaluation.ranks import spearman

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
    value = spearman(xs, ys)
    if value is None:
        return Correlation(n, None, None, None)
    # The transformation has no value at its ends.
    inner = math.copysign(min(abs(value), 1 - 1 / n**2), value)
    half = _Z * math.sqrt((1 + inner**2 / 2) / (n - 3))
    low, high = (math.tanh(math.atanh(inner) + side * half) for side in (-1, 1))
    return Correlation(n, value, min(low, value), max(high, value))
