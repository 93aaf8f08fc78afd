"""Do averaged weights get the statistics that they draw with?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bespoke.config import resolve
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import prepare
from bespoke.method.generator import Generator, Stage
from bespoke.method.layers import Standardise
from bespoke.training.set_up import set_up
from bespoke.training.step import draw

BATCH = 8


def test_statistics_are_those_of_drawing_and_can_be_had_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bespoke.training.settle.NUM_PICTURES", BATCH)  # one batch
    store = prepare(Catalogue.open(write_sample(tmp_path / "shop", 24, 32, seed=0)), 32, tmp_path / "cache")
    config = resolve(
        "test32",
        ["model.canonical_width=0", "model.grain=0.25", f"training.batch_size={BATCH}", "training.precision=fp32"],
    )
    work = set_up(config, store, None, None, lambda text: None)
    averaged = work.players.average.averaged["generator"]
    assert isinstance(averaged, Generator)
    last = averaged.stages[-1]
    assert isinstance(last, Stage)
    with torch.no_grad():
        last.noise.fill_(3.0)  # so that all of the noise would be told from a part of it
    networks = work.made().networks
    assert not any(module.training for module in networks.generator.modules())
    norm = [module for module in networks.generator.stages[-1].modules() if isinstance(module, Standardise)][-1]
    assert norm.running_mean is not None
    assert norm.running_var is not None
    seen: list[Tensor] = []

    def keep(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        seen.append(given[0])

    norm.register_forward_pre_hook(keep)
    batch, draws = work.batches.at(0), draw(work.config, networks, (0, 0), work.place, penalised=False)
    with torch.no_grad():
        networks.generator(draws.noise, networks.text_encoder(batch.captions), draws.balance)
    torch.testing.assert_close(norm.running_mean, seen[0].mean((0, 2, 3)), rtol=0.05, atol=0.02)
    torch.testing.assert_close(norm.running_var, seen[0].var((0, 2, 3)), rtol=0.1, atol=0.02)
    again = work.made().networks.generator.state_dict()
    assert all(torch.equal(again[name], value) for name, value in networks.generator.state_dict().items())
