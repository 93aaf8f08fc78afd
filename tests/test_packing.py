from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bespoke.packing import pack, pack_optimizer, unpack, unpack_optimizer
from bespoke.training.checkpoint import load_latest, save_checkpoint


class Network(nn.Module):
    """Has what is awkward: channels-last weights, a scalar, BatchNorm's counter, a parameter without gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 17, 3)
        self.normalise = nn.BatchNorm2d(17)
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.unused = nn.Parameter(torch.ones(2))
        self.to(memory_format=torch.channels_last)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.scale * self.normalise(self.convolution(pictures))


def build(seed: int) -> tuple[Network, torch.optim.Adam]:
    torch.manual_seed(seed)
    network = Network()
    groups = [
        {"params": list(network.convolution.parameters()), "lr": 1e-3},
        {"params": [*network.normalise.parameters(), network.scale, network.unused], "lr": 1 / 3000},
    ]
    return network, torch.optim.Adam(groups, betas=(0.0, 0.99))


def train(network: Network, optimizer: torch.optim.Adam, steps: range) -> None:
    for step in steps:
        pictures = torch.randn(4, 3, 9, 9, generator=torch.Generator().manual_seed(step))
        for group in optimizer.param_groups:
            group["lr"] *= 0.9
        optimizer.zero_grad()
        network(pictures.to(memory_format=torch.channels_last)).pow(3).mean().backward()
        optimizer.step()


def state_of(network: Network, optimizer: torch.optim.Adam) -> dict[str, Tensor]:
    return pack("network", network.state_dict()) | pack_optimizer("adam", optimizer)


@pytest.mark.parametrize("stop", [0, 1, 5, 11])
def test_resuming_is_exact_with_adams_moments_counters_and_rates(tmp_path: Path, stop: int) -> None:
    network, optimizer = build(seed=0)
    train(network, optimizer, range(stop))
    save_checkpoint(tmp_path, step=stop, tensors=state_of(network, optimizer), values={})
    train(network, optimizer, range(stop, 12))

    resumed_network, resumed_optimizer = build(seed=1)
    checkpoint = load_latest(tmp_path)
    assert checkpoint is not None
    resumed_network.load_state_dict(unpack("network", checkpoint.tensors))
    unpack_optimizer("adam", checkpoint.tensors, resumed_optimizer)
    saved_rates = [group["lr"] for group in resumed_optimizer.param_groups]
    assert [type(rate) for rate in saved_rates] == [float, float]
    train(resumed_network, resumed_optimizer, range(checkpoint.step, 12))

    expected, got = state_of(network, optimizer), state_of(resumed_network, resumed_optimizer)
    assert expected.keys() == got.keys()
    for name, tensor in expected.items():
        assert got[name].dtype == tensor.dtype
        assert torch.equal(got[name], tensor), name
    assert [g["lr"] for g in resumed_optimizer.param_groups] == [g["lr"] for g in optimizer.param_groups]
    assert resumed_optimizer.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]
    assert float(got["adam/state/0/step"]) == 12


def test_loading_twice_from_one_checkpoint_gives_the_same_optimizer(tmp_path: Path) -> None:
    network, optimizer = build(seed=0)
    train(network, optimizer, range(3))
    save_checkpoint(tmp_path, step=3, tensors=state_of(network, optimizer), values={})
    checkpoint = load_latest(tmp_path)
    assert checkpoint is not None
    for _ in range(2):
        network.load_state_dict(unpack("network", checkpoint.tensors))
        unpack_optimizer("adam", checkpoint.tensors, optimizer)
        assert float(pack_optimizer("adam", optimizer)["adam/state/0/step"]) == 3
        train(network, optimizer, range(3, 5))


def test_moments_take_their_parameters_memory_format() -> None:
    network, optimizer = build(seed=0)
    train(network, optimizer, range(1))
    packed = {name: tensor.contiguous() for name, tensor in pack_optimizer("adam", optimizer).items()}
    unpack_optimizer("adam", packed, optimizer)
    moments = optimizer.state[network.convolution.weight]["exp_avg_sq"]
    assert moments.stride() == network.convolution.weight.stride()
    assert not moments.is_contiguous()


def test_an_optimizer_over_other_parameters_is_refused() -> None:
    network, optimizer = build(seed=0)
    train(network, optimizer, range(1))
    packed = pack_optimizer("adam", optimizer)
    groups = [{"params": [nn.Parameter(torch.ones(17, 3, 3, 3))]}, {"params": [nn.Parameter(torch.ones(17))]}]
    with pytest.raises(ValueError, match="adam: saved for more than the 2 parameters"):
        unpack_optimizer("adam", packed, torch.optim.Adam(groups))
    groups[0]["params"][0] = nn.Parameter(torch.ones(17, 3, 5, 5))
    with pytest.raises(ValueError, match=r"adam: exp_avg of parameter 0: \(17, 3, 3, 3\) was saved, \(17, 3, 5, 5\)"):
        unpack_optimizer("adam", packed, torch.optim.Adam(groups))
    with pytest.raises(ValueError, match="2 parameter groups were saved, 1 are expected"):
        unpack_optimizer("adam", packed, torch.optim.Adam(network.parameters()))


def test_prefixes_keep_modules_apart() -> None:
    one, other = {"weight": torch.ones(1)}, {"weight": torch.zeros(1), "bias": torch.zeros(1)}
    packed = pack("generator", one) | pack("generator_ema", other)
    assert unpack("generator", packed) == one
    assert unpack("generator_ema", packed) == other
