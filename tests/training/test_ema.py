from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from bespoke.training.ema import Ema


def only(value: float) -> nn.Linear:
    linear = nn.Linear(1, 1)
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.fill_(value)
    return linear


def weight_of(ema: Ema, name: str = "net") -> float:
    weight = ema.averaged[name].weight
    assert isinstance(weight, Tensor)
    return weight.item()


def test_after_one_half_life_half_of_the_old_weights_is_left() -> None:
    live = only(0.0)
    ema = Ema({"net": live}, half_life_images=640, ramp=float("inf"))
    ema.update(64, seen=0)
    with torch.no_grad():
        live.weight.fill_(1.0)
    for step in range(10):
        assert weight_of(ema) == pytest.approx(1 - 0.5 ** (step / 10), abs=1e-6)
        ema.update(64, seen=64 * (step + 1))
    assert weight_of(ema) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("seen", "half_life"), [(64, 3.2), (640, 32), (19_999, 999.95), (20_000, 1000), (10_000_000, 1000)]
)
def test_the_half_life_grows_with_the_pictures_seen_up_to_its_bound(seen: int, half_life: float) -> None:
    ema = Ema({"net": only(0.0)}, half_life_images=1000, ramp=0.05)
    assert ema.weight(64, seen=seen) == pytest.approx(1 - 0.5 ** (64 / half_life), rel=1e-12)


def test_the_weights_of_the_start_have_no_part_in_the_average() -> None:
    live = only(123.0)
    ema = Ema({"net": live}, half_life_images=1000, ramp=0.05)
    with torch.no_grad():
        live.weight.fill_(0.1)
    ema.update(64, seen=0)
    assert weight_of(ema) == live.weight.item()


def test_a_long_half_life_still_moves_the_average() -> None:
    assert Ema({"net": only(0.0)}, half_life_images=1e12, ramp=0.05).weight(1, seen=10**15) == pytest.approx(
        6.9314718e-13
    )


def test_many_updates_equal_the_weighted_sum_of_what_was_seen() -> None:
    torch.manual_seed(0)
    live = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Linear(4, 5)).to(memory_format=torch.channels_last)
    ema = Ema({"net": live}, half_life_images=100, ramp=0.5)
    expected = [torch.zeros_like(parameter, dtype=torch.float64) for parameter in live.parameters()]
    for step in range(20):
        share = ema.weight(8, seen=8 * step)
        for mean, parameter in zip(expected, live.parameters(), strict=True):
            torch.nn.init.normal_(parameter)
            mean.mul_(1 - share).add_(parameter.detach().double(), alpha=share)
        ema.update(8, seen=8 * step)
    for mean, parameter in zip(expected, ema.averaged["net"].parameters(), strict=True):
        torch.testing.assert_close(parameter.double(), mean, rtol=0, atol=1e-6)


def test_statistics_are_averaged_and_counters_copied() -> None:
    live = nn.BatchNorm1d(1, affine=False)
    ema = Ema({"net": live}, half_life_images=64, ramp=float("inf"))
    assert live.running_mean is not None
    live.running_mean.fill_(4.0)
    live.num_batches_tracked = torch.tensor(17)  # replaced, not changed in place
    ema.update(64, seen=640)
    averaged = ema.averaged["net"]
    assert isinstance(averaged, nn.BatchNorm1d)
    assert averaged.running_mean is not None
    assert averaged.running_mean.item() == 2.0
    assert averaged.num_batches_tracked is not None
    assert averaged.num_batches_tracked.item() == 17


def test_the_average_is_in_eval_mode_without_gradients_and_leaves_the_live_modules_alone() -> None:
    live = nn.Sequential(only(1.0), nn.Dropout())
    ema = Ema({"net": live}, half_life_images=64, ramp=0.05)
    ema.update(64, seen=64)
    assert live.training
    assert all(parameter.requires_grad for parameter in live.parameters())
    assert not any(module.training for module in ema.averaged.modules())
    assert not any(parameter.requires_grad for parameter in ema.averaged.parameters())
    ema.averaged["net"].load_state_dict(only_state := {name: t * 0 for name, t in live.state_dict().items()})
    assert only_state.keys() == live.state_dict().keys()
    assert live[0].weight.item() == 1.0


def test_weights_shared_by_two_modules_are_averaged_once_and_stay_shared() -> None:
    table = nn.Embedding(3, 2)
    live = {"realism": nn.Sequential(table), "alignment": nn.Sequential(table)}
    ema = Ema(live, half_life_images=64, ramp=float("inf"))
    with torch.no_grad():
        before = table.weight.clone()
        table.weight.add_(8.0)
    ema.update(64, seen=640)
    realism, alignment = (dict(ema.averaged[name].named_parameters())["0.weight"] for name in live)
    assert realism is alignment
    torch.testing.assert_close(realism, before + 4.0)


def test_saving_and_loading_the_averages_goes_on_exactly() -> None:
    torch.manual_seed(0)
    live = nn.Linear(7, 7)
    ema, resumed = (Ema({"net": live}, half_life_images=1000, ramp=0.05) for _ in range(2))
    ema.update(8, seen=0)
    for step in range(1, 10):
        torch.nn.init.normal_(live.weight)
        ema.update(8, seen=8 * step)
        if step == 5:
            resumed.averaged.load_state_dict({name: t.clone() for name, t in ema.averaged.state_dict().items()})
        if step > 5:
            resumed.update(8, seen=8 * step)
    for name, tensor in ema.averaged.state_dict().items():
        assert torch.equal(tensor, resumed.averaged.state_dict()[name])


def test_modules_that_are_not_followed_keep_the_average_they_began_with() -> None:
    followed, left = only(0.0), only(0.0)
    ema = Ema({"followed": followed, "left": left}, half_life_images=1, ramp=0.05, only={"followed"})
    with torch.no_grad():
        for linear in (followed, left):
            linear.weight.fill_(1.0)
    ema.update(64, seen=0)
    assert (weight_of(ema, "followed"), weight_of(ema, "left")) == (1.0, 0.0)
