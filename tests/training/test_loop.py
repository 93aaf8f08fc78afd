from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from bespoke.config import Config, resolve
from bespoke.data.catalogue import Catalogue
from bespoke.data.front_end import make_front_end
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError
from bespoke.networks import Networks
from bespoke.pipeline import Pipeline
from bespoke.training.alarms import ALARMS
from bespoke.training.checkpoint import Checkpoint, load_latest
from bespoke.training.loop import Report, StopRequest, learning_rate_factor, train
from bespoke.training.plan import Budget
from bespoke.training.set_up import set_up
from bespoke.training.step import Players
from bespoke.training.watch import NEED_HELD_OUT, NEED_VARIETY, Watch

STEPS, BATCH = 8, 16
CONFIG = resolve("test32", [f"training.batch_size={BATCH}", "training.log_every=2"])
BUDGET = Budget(images=STEPS * BATCH)


@pytest.fixture(scope="module", autouse=True)
def _settle_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bespoke.training.settle.NUM_PICTURES", 64)
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PairStore:
    folder = tmp_path_factory.mktemp("sample")
    catalogue = write_sample(folder / "catalogue", 24, 32, seed=0)
    return prepare(Catalogue.open(catalogue), 32, folder / "cache")


@pytest.fixture(scope="module")
def whole(store: PairStore, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Report]]:
    """A run that nobody stopped, and all it told."""
    run, told = tmp_path_factory.mktemp("run"), []
    assert train(CONFIG, store, run, BUDGET, tell=told.append)
    return run, told


def newest(run: Path) -> Checkpoint:
    checkpoint = load_latest(run / "checkpoints")
    assert checkpoint is not None
    return checkpoint


def metrics(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]


def stop_after(steps: set[int]) -> Callable[[Report], None]:
    def tell(report: Report) -> None:
        if report.step in steps:
            os.kill(os.getpid(), signal.SIGTERM)

    return tell


def test_a_run_leaves_what_people_and_programs_need(store: PairStore, whole: tuple[Path, list[Report]]) -> None:
    run, told = whole
    assert {path.name for path in run.iterdir()} == {
        "checkpoints",
        "metrics.jsonl",
        "model",
        "MODEL_CARD.md",
        "samples",
        "tensorboard",
    }
    assert newest(run).step == STEPS
    assert [report.step for report in told] == list(range(STEPS + 1))  # 0: what is done before the first step
    assert told[-1].share == 1
    assert told[-1].sheet == run / "samples" / f"{STEPS * BATCH:09d}.png"
    num_captions = len((run / "samples" / "captions.txt").read_text("utf-8").splitlines())
    with Image.open(told[-1].sheet) as sheet:
        assert sheet.size == (32 * num_captions, 32 * 4)  # three balances, and the real pictures
    assert {row["step"] for row in metrics(run)} == {2, 4, 6, 8}
    listened_to = {name for alarm in ALARMS for name in alarm.needs}
    assert metrics(run)[-1].keys() >= listened_to - NEED_VARIETY - NEED_HELD_OUT
    assert not metrics(run)[-1].keys() & (NEED_VARIETY | NEED_HELD_OUT)  # a handful kept out is too few to tell
    assert "spent its whole budget" in (run / "MODEL_CARD.md").read_text("utf-8")
    assert store.fingerprint[:12] in (run / "MODEL_CARD.md").read_text("utf-8")
    assert Pipeline.from_pretrained(run)("a red ball", seed=0).images[0].size == (32, 32)


def test_a_run_stopped_at_random_ends_as_if_it_never_was(
    store: PairStore, whole: tuple[Path, list[Report]], tmp_path: Path
) -> None:
    stops = random.Random(1).sample(range(1, STEPS - 2, 2), 3)  # a run stops one step after it was asked to
    sittings = 1
    while not train(CONFIG, store, tmp_path, BUDGET, tell=stop_after(set(stops))):
        assert newest(tmp_path).step < STEPS
        assert (tmp_path / "model" / "model_index.json").exists()
        assert "can be resumed" in (tmp_path / "MODEL_CARD.md").read_text("utf-8")
        sittings += 1
    assert sittings > 1
    expected, state = newest(whole[0]), newest(tmp_path)
    assert expected.tensors.keys() == state.tensors.keys()
    assert [name for name, tensor in expected.tensors.items() if not torch.equal(tensor, state.tensors[name])] == []
    assert (state.step, state.values["progress"]["attempt"]) == (STEPS, 0)
    losses = [
        [{k: v for k, v in row.items() if k.startswith("generator/")} for row in metrics(run)]
        for run in (whole[0], tmp_path)
    ]
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("has_bf16", "precision", "told"), [(False, "auto", True), (True, "auto", False), (False, "fp32", False)]
)
def test_who_trains_without_bf16_is_told_how_much_that_costs(
    store: PairStore, monkeypatch: pytest.MonkeyPatch, has_bf16: bool, precision: str, told: bool
) -> None:
    monkeypatch.setattr("bespoke.training.set_up.computes_bf16", lambda device: has_bf16)
    config = resolve("test32", [f"training.precision={precision}"])
    notes = set_up(config, store, None, None, lambda text: None).notes
    assert any("computes in fp32" in note for note in notes) == told


def test_signals_of_kept_out_pictures_are_written_where_enough_are_kept_out(tmp_path: Path) -> None:
    def silent(num_pictures: int) -> set[str]:
        catalogue = write_sample(tmp_path / str(num_pictures), num_pictures, 32, seed=0)
        store = prepare(Catalogue.open(catalogue), 32, tmp_path / "cache")
        front_end = make_front_end(CONFIG.model, ["a red mug"], None)
        return Watch(store, front_end, CONFIG, torch.device("cpu")).says_nothing

    assert silent(24) == NEED_VARIETY | NEED_HELD_OUT
    assert silent(400) == set()


def test_a_finished_run_is_left_as_it_is(store: PairStore, whole: tuple[Path, list[Report]]) -> None:
    before = newest(whole[0]).path
    told: list[Report] = []
    assert train(CONFIG, store, whole[0], BUDGET, tell=told.append)
    assert newest(whole[0]).path == before
    assert [report.step for report in told] == [STEPS]
    assert "Going on from step 8" in told[0].notes[0]


@pytest.fixture
def players(monkeypatch: pytest.MonkeyPatch) -> list[Players]:
    """The players of every training that follows, to do harm to."""
    made: list[Players] = []
    make = Players.make

    def make_and_tell(networks: Networks, config: Config, projected: None) -> Players:
        made.append(make(networks, config, projected))
        return made[-1]

    monkeypatch.setattr(Players, "make", make_and_tell)
    return made


def poison(module: torch.nn.Module) -> None:
    list(module.parameters())[-1].data.view(-1)[0] = float("nan")


@pytest.mark.parametrize(
    "poisoned",
    [
        lambda players: players.networks.discriminator,
        lambda players: players.networks.generator,
        lambda players: players.networks.text_encoder.realism,
        lambda players: players.average.averaged["generator"],  # enters no loss: only the next checkpoint would tell
    ],
    ids=["discriminator", "generator", "realism", "average"],
)
def test_a_number_that_is_not_finite_is_rolled_back(
    store: PairStore, tmp_path: Path, players: list[Players], poisoned: Callable[[Players], torch.nn.Module]
) -> None:
    told: list[Report] = []

    def tell(report: Report) -> None:
        told.append(report)
        if [each.step for each in told] == [0, 1]:
            poison(poisoned(players[0]))

    config = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"log_every": 1})})
    assert train(config, store, tmp_path, Budget(images=2 * BATCH), tell=tell)
    (note,) = [note for report in told for note in report.notes if "not finite" in note]
    assert "went back to step 0" in note
    state = newest(tmp_path)
    assert (state.step, state.values["progress"]["attempt"]) == (2, 1)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in state.tensors.values())
    assert [row["step"] for row in metrics(tmp_path)] == [1, 2, 2]  # the last twice: losses and signals of health
    assert Pipeline.from_pretrained(tmp_path)("a red ball", seed=0).images


def test_a_training_that_keeps_diverging_gives_up_and_says_what_to_change(
    store: PairStore, tmp_path: Path, players: list[Players]
) -> None:
    def tell(report: Report) -> None:
        if report.step:
            poison(players[0].networks.discriminator)

    with pytest.raises(UserError, match="training keeps diverging .* lower training.generator_rate"):
        train(CONFIG, store, tmp_path, BUDGET, tell=tell)
    assert newest(tmp_path).step == 0


def test_a_budget_that_runs_out_over_the_writing_leaves_a_sheet_too(
    store: PairStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=iter([0, 1, 1, 100]).__next__)  # the first step, and what is written after it
    monkeypatch.setattr("bespoke.training.loop.time", clock)
    told: list[Report] = []
    assert train(CONFIG, store, tmp_path, Budget(minutes=0.5), tell=told.append)
    assert [report.step for report in told] == [0, 1]
    assert told[-1].sheet is not None
    assert told[-1].sheet.is_file()


def test_a_checkpoint_of_another_config_is_refused(store: PairStore, whole: tuple[Path, list[Report]]) -> None:
    changed = CONFIG.model_copy(update={"seed": 1})
    with pytest.raises(UserError, match=r"made with another config \(seed was 0, now it is 1\)"):
        train(changed, store, whole[0], BUDGET)


def test_one_picture_is_enough_to_train_on(tmp_path: Path) -> None:
    catalogue = Catalogue.open(write_sample(tmp_path / "catalogue", 1, 32, seed=0))
    config: Config = resolve("test32", [f"training.batch_size={BATCH}"])
    assert train(config, prepare(catalogue, 32, tmp_path / "cache"), tmp_path / "run", Budget(images=BATCH))


def test_rates_rise_hold_and_fall_to_a_twentieth() -> None:
    assert [learning_rate_factor(step, 0.0) for step in (0, 49, 99, 5000)] == [0.01, 0.5, 1.0, 1.0]
    late = [learning_rate_factor(5000, share) for share in (0.5, 0.75, 1.0, 1.2)]
    assert late == pytest.approx([1.0, 0.5**0.5, 0.05, 0.05])


def test_a_second_request_to_stop_is_final_and_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
