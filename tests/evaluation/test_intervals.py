"""Do the intervals hold what they promise?"""

from __future__ import annotations

import math

import pytest
import torch

from bespoke.evaluation.intervals import estimate, halves_errors, mean_estimate, resamples, share_estimate
from bespoke.evaluation.metrics import manifold
from bespoke.evaluation.scores import neighbour_estimates


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


def test_of_none_or_all_the_interval_is_what_leaves_so_many_empty_by_chance() -> None:
    alone, none = torch.arange(60), torch.zeros(60, dtype=torch.float64)
    assert share_estimate(none, alone) == pytest.approx((0, 0, 1 - 0.025 ** (1 / 60), 60))
    assert share_estimate(1 - none, alone) == pytest.approx((1, 0.025 ** (1 / 60), 1, 60))
    assert share_estimate(none, alone // 6).high == pytest.approx(1 - 0.025 ** (1 / 10))  # ten classes, not 60 pictures
    assert mean_estimate(none, alone)[:3] == (0, 0, 0)  # a difference of equals is none
    some = (alone < 20).double()
    assert share_estimate(some, alone) == mean_estimate(some, alone)


def test_scores_of_neighbours_hold_their_mean_as_often_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bespoke.evaluation.scores.NUM_RESAMPLES", 40)
    alone, intervals = torch.arange(80), []
    for seed in range(50):
        real, fake = normal(160 * 16, seed).view(2, 80, 16)
        found = neighbour_estimates(real, 0.9 * fake, alone, seed=0)
        means = [float(each.mean()) for each in manifold(real, 0.9 * fake)]
        assert [each.value for each in found.values()] == pytest.approx(means)
        intervals.append(torch.tensor(list(found.values())))
    value, low, high, _ = torch.stack(intervals).unbind(2)
    held = ((low <= value.mean(0)) & (value.mean(0) <= high)).double().mean(0)
    assert float(held.min()) >= 0.88, held  # with balls held fixed, 0.7 of densities
    assert bool((low >= 0).all())
    assert bool((high[:, [0, 1, 3]] <= 1).all())


def test_of_very_many_pictures_the_first_say_how_wide_an_interval_is(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = normal(640 * 8, seed=0).view(2, 320, 8)
    usual = neighbour_estimates(real, fake, torch.arange(320), seed=0)
    monkeypatch.setattr("bespoke.evaluation.scores.LARGEST_BALLS", 160)
    few = neighbour_estimates(real, fake, torch.arange(320), seed=0)
    assert (few["density"].value, few["density"].n) == (usual["density"].value, 320)
    width, usual_width = (each["density"].high - each["density"].low for each in (few, usual))
    assert width == pytest.approx(usual_width, rel=0.5)


def test_halves_of_classes_have_no_picture_twice_and_are_never_a_handful() -> None:
    groups, halves = torch.tensor([0] * 30 + list(range(1, 12))), []

    def first(rows: torch.Tensor) -> torch.Tensor:
        halves.append(rows.tolist())
        return rows[:1].double()

    halves_errors(first, groups, num_resamples=40)
    assert all(len({*half}) == len(half) >= 41 / 4 for half in halves)
    assert {len({*half} & {*range(30)}) for half in halves} == {30}  # the large class, whole


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
