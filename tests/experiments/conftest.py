"""A few drawn products, a judge that has hardly learned anything, and trainings of a few steps."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bespoke.config import resolve
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.evaluation.evaluate import Tell
from bespoke.evaluation.examine import Examined, examined
from bespoke.evaluation.teach import judge_of
from bespoke.experiments.bench import Asked, Bench, Train
from bespoke.training.loop import train
from bespoke.training.plan import Budget, Plan, write_plan

NUM_TRAINING, NUM_VALIDATION = 16, 50
JUDGE_PICTURES = 128
CONFIG = resolve("test32")
BUDGET = Budget(images=16)  # two steps


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything that tests here share lies."""
    return tmp_path_factory.mktemp("experiments")


@pytest.fixture(scope="module", autouse=True)
def _smaller(place: Path) -> Iterator[None]:
    """What takes long is made smaller, in the tests of this folder and in no others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_CACHE", str(place / "cache"))
        patch.setattr("bespoke.training.settle.NUM_PICTURES", 16)
        patch.setattr("bespoke.training.watch.NUM_PAIRS", 16)
        patch.setattr("bespoke.evaluation.questions.MOST_FOR_DIVERSITY", 5)
        patch.setattr("bespoke.evaluation.scores.NUM_RESAMPLES", 20)
        patch.setattr("bespoke.experiments.comparison.NUM_RESAMPLES", 20)
        yield


@pytest.fixture(scope="session")
def shop(place: Path) -> Path:
    """The built-in catalogue, with more pictures for validation than it would set aside itself."""
    folder = write_sample(place / "shop", NUM_TRAINING + NUM_VALIDATION, 32, seed=0)
    table = folder / "metadata.jsonl"
    rows = [json.loads(line) for line in table.read_text("utf-8").splitlines()]
    for number, row in enumerate(rows):
        row["split"] = "train" if number < NUM_TRAINING else "validation"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder


@pytest.fixture(scope="session")
def store(shop: Path, place: Path) -> PairStore:
    return prepare(Catalogue.open(str(shop)), 32, place / "cache")


@pytest.fixture(scope="session")
def judges(store: PairStore, place: Path) -> list[Examined]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_CACHE", str(place / "cache"))
        return [examined(store, judge_of(store, "patches", num_pictures=JUDGE_PICTURES))]


@pytest.fixture
def at_place(shop: Path, place: Path, judges: list[Examined], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the catalogue `shop` lies in, for commands; their judge is there already."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("BESPOKE_CACHE", str(place / "cache"))
    monkeypatch.setattr("bespoke.evaluation.teach.PICTURES", JUDGE_PICTURES)
    monkeypatch.setattr("bespoke.commands.evaluate.FAMILIES", ("patches",))
    return place


@contextmanager
def unwatched(name: str) -> Iterator[Tell]:
    yield lambda what, done, total: None


def whole(plan: Plan, store: PairStore, run: Path) -> bool:
    write_plan(run, plan)
    return train(plan.config, store, run, plan.budget)


def stopped(plan: Plan, store: PairStore, run: Path) -> bool:
    """Training that is asked to stop after its first step."""
    write_plan(run, plan)
    return train(
        plan.config,
        store,
        run,
        plan.budget,
        tell=lambda report: os.kill(os.getpid(), signal.SIGTERM) if report.step == 1 else None,
    )


@pytest.fixture
def stopping() -> Train:
    return stopped


@pytest.fixture
def bench(store: PairStore, judges: list[Examined], tmp_path: Path) -> Bench:
    plan = Plan(catalogue="shop", budget=BUDGET, config=CONFIG)
    return Bench(tmp_path / "out", plan, store, judges, Asked("validation", (0.5,), 50, 0), whole, unwatched)
