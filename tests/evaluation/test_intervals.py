"""Do the intervals hold what they promise?"""

from __future__ import annotations

import math

import pytest
import torch

from bespoke.evaluation.intervals import estimate, mean_estimate, resamples


def normal(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_interval_of_a_mean_is_that_of_the_central_limit_theorem() -> None:
    values = normal(900, seed=0)
    found = mean_estimate(values, torch.arange(900))
    half = 1.96 * float(values.std()) / math.sqrt(900)
    assert found.value == pytest.approx(float(values.mean()))
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)
    assert found.n == 900


def test_it_holds_the_truth_as_often_as_it_says() -> None:
    estimates = [mean_estimate(normal(100, seed), torch.arange(100), num_resamples=200) for seed in range(200)]
    assert 0.9 <= sum(e.low <= 0 <= e.high for e in estimates) / 200 <= 0.99


def test_pictures_of_a_group_that_say_the_same_count_once() -> None:
    values, groups = normal(40, seed=0), torch.arange(40)
    alone = mean_estimate(values, groups)
    repeated = mean_estimate(values.repeat_interleave(25), groups.repeat_interleave(25))
    assert repeated.n == 1000
    assert (repeated.low, repeated.high) == pytest.approx((alone.low, alone.high))


def test_the_interval_of_a_share_stays_a_share() -> None:
    nearly_all = torch.ones(16, dtype=torch.float64)
    nearly_all[:2] = 0
    found = mean_estimate(nearly_all, torch.arange(16) // 2)
    assert 0 <= found.low < found.value < found.high <= 1


def test_groups_are_drawn_whole() -> None:
    groups = torch.tensor([5, 9, 5, 7, 9, 5])
    for rows in resamples(groups, seed=0, count=20):
        counts = rows.bincount(minlength=6)
        assert counts[0] == counts[2] == counts[5]
        assert counts[1] == counts[4]


def test_a_statistic_that_resampling_enlarges_is_set_right() -> None:
    # The largest gap between values grows by resampling; its interval must not lie above the value.
    values = torch.linspace(0, 1, 50, dtype=torch.float64)

    def largest_gap(rows: torch.Tensor) -> float:
        return float(values[rows].sort().values.diff().max())

    found = estimate(largest_gap, torch.arange(50))
    assert found.low < found.high <= found.value
