"""Does every preset train, save, load and draw?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bespoke.config import PRESETS, resolve
from bespoke.data.batches import PairBatches
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import prepare
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline
from bespoke.training.step import Players, draw, joint_step
from bespoke.training.workplace import Workplace

BATCH = 2
LARGE = {preset for preset in PRESETS if preset.startswith("gpu")}


@pytest.mark.parametrize(
    "preset", [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in PRESETS]
)
def test_a_preset_takes_two_joint_steps_is_saved_loaded_and_draws(preset: str, tmp_path: Path) -> None:
    config = resolve(preset, ["training.augment=0.3", f"training.batch_size={BATCH}"])
    size, place = config.model.image_size, Workplace(torch.device("cpu"))
    store = prepare(Catalogue.open(write_sample(tmp_path / "catalogue", 12, size, 0)), size, tmp_path / "cache")
    captions = [caption for index in store.indices("train") for caption in store.captions(int(index))]
    tokenizer = Tokenizer.train(captions, 300, config.model.caption_length)
    torch.manual_seed(0)
    players = Players.make(build_networks(config.model, tokenizer.vocabulary_size), config)
    batches = PairBatches(store, "train", tokenizer, seed=0, batch_size=BATCH)
    for step in range(2):
        draws = draw(config, players.networks, (0, step), place, penalised=step == 0)
        terms = joint_step(players, batches.at(step), draws, config, place)
        assert all(bool(term.isfinite()) for term in terms.values())
        players.average.update(BATCH, seen=step * BATCH)

    Pipeline(players.settled(), tokenizer).save_pretrained(tmp_path / "model")
    pipeline = Pipeline.from_pretrained(tmp_path / "model")
    assert pipeline.networks.settings == config.model
    plain, faithful = (pipeline("a red mug", seed=0, balance=balance).images[0] for balance in (0.0, 1.0))
    assert plain.size == (size, size)
    assert (plain.tobytes() == faithful.tobytes()) != config.model.balance
