from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from bespoke.config import PRESETS, Config, resolve
from bespoke.data.batches import PairBatches
from bespoke.data.borrowed_eyes import INSTALL, PACKAGE
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError
from bespoke.experiments.ablations import ABLATIONS, arm_configs, arms_named
from bespoke.networks import build_networks
from bespoke.training.set_up import projected_discriminator
from bespoke.training.step import Players, draw, joint_step
from bespoke.training.workplace import Workplace

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"


def value_of(config: Config, change: str) -> tuple[object, object]:
    """What the config has where `change` changes it, and what it would have."""
    key, _, value = change.partition("=")
    section, _, name = key.partition(".")
    try:
        wanted = json.loads(value)
    except ValueError:
        wanted = value
    return config.model_dump()[section][name], wanted


@pytest.mark.parametrize("arm", ABLATIONS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_arm_is_a_config_of_every_preset_and_differs_from_the_method(arm: str, preset: str) -> None:
    first, second = arm_configs(arm, preset, ["training.batch_size=4"], 2)
    assert first.training.batch_size == 4
    assert second == first.model_copy(update={"seed": 1})
    (method,) = arm_configs("dual", preset, ["training.batch_size=4"], 1)
    values = [value_of(method, change) for change in ABLATIONS[arm].change]
    assert (first == method) == all(has == wanted for has, wanted in values)
    if preset in ("cpu64", "gpu64", "gpu256"):
        assert (first == method) == (arm == "dual")
    assert all(ABLATIONS[arm].question)
    assert re.search("[\u3040-\u30ff]", ABLATIONS[arm].question.ja)


def test_the_runs_of_the_published_plan_are_all_there() -> None:
    numbered = [row.question.en.split(":")[0] for row in ABLATIONS.values() if row.question.en.startswith("A")]
    assert numbered == [f"A{number}" for number in range(10)]


def test_the_arm_of_the_paper_has_its_losses_on_the_sizes_and_rates_of_the_preset() -> None:
    (arm,), paper, usual = arm_configs("dte-faithful", "cpu64", [], 1), PRESETS["dte-faithful"], PRESETS["cpu64"]
    assert arm.loss == paper.loss
    assert (arm.model.balance, arm.model.canonical_width, arm.model.word_attention_size) == (False, 0, 0)
    assert arm.model.generator_widths == usual.model.generator_widths
    assert arm.training.generator_rate == usual.training.generator_rate
    assert arm_configs("dte-faithful", "dte-faithful", [], 1) == [paper]


def test_every_arm_is_in_the_documentation() -> None:
    told = DOCS.read_text("utf-8")
    assert [arm for arm in ABLATIONS if f"`{arm}`" not in told] == []


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PairStore:
    folder = tmp_path_factory.mktemp("sample")
    return prepare(Catalogue.open(write_sample(folder / "catalogue", 12, 32, 0)), 32, folder / "cache")


@pytest.mark.parametrize("arm", [arm for arm in ABLATIONS if arm != "pretrained"])  # which reads vectors, not tokens
def test_every_arm_takes_a_step_of_its_own(arm: str, store: PairStore) -> None:
    place, terms = Workplace(torch.device("cpu")), []
    tokenizer = Tokenizer.train([text for i in store.indices("train") for text in store.captions(int(i))], 300, 32)
    usual = ["training.batch_size=4", "training.contrast_first=0.1", "training.augment=1"]
    if arm == "projected" and find_spec(PACKAGE.replace("-", "_")) is None:
        pytest.skip(f"needs `{INSTALL}`")
    for config in (resolve("test32", usual), *arm_configs(arm, "test32", usual, 1)):
        torch.manual_seed(0)
        networks = build_networks(config.model, tokenizer.vocabulary_size)
        swaps = config.training.word_swaps
        batches = PairBatches(store, "train", tokenizer, seed=0, batch_size=4, word_swaps=swaps)
        draws = draw(config, networks, (0, 1), place, penalised=True)
        projected = projected_discriminator(config) if config.loss.projected else None
        players = Players.make(networks, config, projected)
        joint_step(players, batches.at(0), draws, config, place)
        terms.append(joint_step(players, batches.at(1), draws, config, place))
    same = arm in ("dual", "no-opening")  # which differs before the first joint step
    assert (terms[0] == terms[1]) == same


def test_seeds_are_counted_from_the_one_that_was_set() -> None:
    assert [config.seed for config in arm_configs("shared", "test32", ["seed=7"], 3)] == [7, 8, 9]


def test_arms_are_listed_by_name() -> None:
    assert arms_named("shared, dual") == ["shared", "dual"]
    for names, told in (
        ("dual,fancy", "--arms dual,fancy: no arm 'fancy'; choose of dte-faithful, df-gan, dual, shared, head, frozen"),
        ("dual", "--arms dual: expected two or more different arms"),
        ("dual,dual", "expected two or more different arms; name each once"),
        ("", "no arm ''"),
    ):
        with pytest.raises(UserError, match=told):
            arms_named(names)
