"""A finished run is taught to edit: who moves, what stays bit for bit, and going on after a stop."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file, save_file

from bespoke.config import resolve, resolve_editing
from bespoke.data.batches import PairBatches
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError
from bespoke.method import layers
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline
from bespoke.training.checkpoint import load_latest
from bespoke.training.edit_step import edit_step, prepared
from bespoke.training.loop import Report, train
from bespoke.training.plan import Base, Budget
from bespoke.training.step import Players, draw, mirrored
from bespoke.training.workplace import Workplace, find_workplace

BATCH, STEPS = 8, 6
DRAWING = resolve("test32", [f"training.batch_size={BATCH}", "training.log_every=2"])
EDITING = resolve_editing(DRAWING)
BUDGET = Budget(images=EDITING.training.batch_size * STEPS)
BASE_FILES = ("generator", "discriminator", "realism", "alignment")


@pytest.fixture(scope="module", autouse=True)
def _settle_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bespoke.training.settle.NUM_PICTURES", 16)
        patch.setattr("bespoke.training.edit_watch.NUM_PAIRS", 8)
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PairStore:
    folder = tmp_path_factory.mktemp("sample")
    return prepare(Catalogue.open(write_sample(folder / "catalogue", 24, 32, seed=0)), 32, folder / "cache")


@pytest.fixture(scope="module")
def drawn(store: PairStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    run = tmp_path_factory.mktemp("drawn")
    assert train(DRAWING, store, run, Budget(images=BATCH * 2))
    return run


def run_identity(run: Path) -> str:
    return Pipeline.from_pretrained(run).identity


def teach(drawn: Path, store: PairStore, home: Path, stop_at: int | None = None) -> bool:
    """Teach the run's model to edit, or go on; everything is written into `home`."""
    base = Base(location=str(drawn), identity=run_identity(drawn))

    def tell(report: Report) -> None:
        if report.step == stop_at:
            raise KeyboardInterrupt

    return train(EDITING, store, home / "editing", BUDGET, base=base, model=home / "model", tell=tell)


@pytest.fixture(scope="module")
def taught(drawn: Path, store: PairStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("taught")
    assert teach(drawn, store, home)
    return home


def test_all_but_the_editor_stays_bit_for_bit(drawn: Path, taught: Path) -> None:
    for name in BASE_FILES:
        before, after = (load_file(home / "model" / f"{name}.safetensors") for home in (drawn, taught))
        assert all(torch.equal(before[key], after[key]) for key in before), name
    first, second = (Pipeline.from_pretrained(home / "model") for home in (drawn, taught))
    assert first.identity == second.identity
    assert first("a red mug", seed=3).images[0].tobytes() == second("a red mug", seed=3).images[0].tobytes()
    assert first.networks.editor is None
    assert second.networks.editor is not None


def test_editor_and_critic_learn(drawn: Path, taught: Path) -> None:
    checkpoint = load_latest(taught / "editing" / "checkpoints")
    assert checkpoint is not None
    editor = load_file(taught / "model" / "editor.safetensors")
    assert bool(editor["to_colors.weight"].any())  # it began at zero
    base = load_file(drawn / "model" / "discriminator.safetensors")
    assert not torch.equal(checkpoint.tensors["network/discriminator/stem.weight"], base["stem.weight"])
    assert torch.equal(checkpoint.tensors["average/discriminator/stem.weight"], base["stem.weight"])


def test_a_broken_off_teaching_ends_as_one_that_never_stopped(
    drawn: Path, taught: Path, store: PairStore, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        teach(drawn, store, tmp_path, stop_at=3)  # killed: nothing but the first checkpoint is there
    assert teach(drawn, store, tmp_path)
    whole, resumed = (load_file(home / "model" / "editor.safetensors") for home in (taught, tmp_path))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_it_is_written_down_and_shown(taught: Path) -> None:
    lines = (taught / "editing" / "metrics.jsonl").read_text()
    assert "editor/pair" in lines
    assert "critic/naturalness" in lines
    assert "edit_prefers_new" in lines
    assert list((taught / "editing" / "samples").glob("*.png"))
    assert "edits pictures" in (taught / "MODEL_CARD.md").read_text()


def test_a_run_from_a_base_that_edits_takes_over_all_but_the_editor(
    taught: Path, store: PairStore, tmp_path: Path
) -> None:
    base = Base(location=str(taught), identity=run_identity(taught))
    assert train(DRAWING, store, tmp_path / "run", Budget(images=BATCH), base=base)
    assert Pipeline.from_pretrained(tmp_path / "run").networks.editor is None


def test_an_editor_goes_on_from_that_of_the_base(taught: Path, store: PairStore, tmp_path: Path) -> None:
    base = Base(location=str(taught), identity=run_identity(taught))
    assert train(DRAWING, store, tmp_path / "run", Budget(images=BATCH), base=base)
    notes: list[str] = []

    def begun(editor: Base, home: Path) -> dict[str, torch.Tensor]:
        def tell(report: Report) -> None:
            notes.extend(report.notes)
            if report.step:
                raise KeyboardInterrupt

        run = Base(location=str(tmp_path / "run"), identity=run_identity(tmp_path / "run"), editor=editor)
        with pytest.raises(KeyboardInterrupt):
            train(EDITING, store, home / "editing", BUDGET, base=run, model=home / "model", tell=tell)
        checkpoint = load_latest(home / "editing" / "checkpoints")
        assert checkpoint is not None
        name = "network/editor/"
        return {key[len(name) :]: each for key, each in checkpoint.tensors.items() if key.startswith(name)}

    first, before = begun(base, tmp_path / "on"), load_file(taught / "model" / "editor.safetensors")
    assert all(torch.equal(first[key], before[key]) for key in before)
    assert f"The editor goes on from that of {taught}." in notes
    for number, (other, why) in enumerate(
        (
            (Base(location=str(tmp_path / "run"), identity=run_identity(tmp_path / "run")), "has none"),
            (base.model_copy(update={"identity": "0"}), "is another one by now"),
            (Base(location=str(tmp_path / "gone"), identity="0"), "gone"),
        )
    ):
        anew = begun(other, tmp_path / f"anew{number}")
        assert not anew["to_colors.weight"].any()
        assert any("begins from nothing" in note and why in note for note in notes)


@pytest.mark.parametrize("override", ["model.style_width=8", "loss.word=0", "seed=3"])
def test_an_editor_cannot_be_taught_another_model_than_its_runs(override: str) -> None:
    with pytest.raises(UserError, match="goes with its model"):
        resolve_editing(DRAWING, [override])


def test_the_editors_settings_are_not_those_of_a_drawing_run() -> None:
    assert resolve_editing(DRAWING, ["editing.pair=1"]).editing.pair == 1  # type: ignore[union-attr]
    with pytest.raises(UserError, match="expected key=value"):
        resolve("test32", ["editing.pair=1"])
    with pytest.raises(UserError, match="expected key=value"):
        resolve("test32", ["editing={}"])


def test_batches_are_half_the_runs_and_never_too_small() -> None:
    assert EDITING.training.batch_size == BATCH // 2
    with pytest.raises(UserError, match="4 or more"):
        resolve_editing(DRAWING, ["training.batch_size=2"])


def _work(rank: int, world: int, port: int, folder: Path) -> None:
    """Teaches for two steps as one of `world` processes and leaves the editor's and the critic's weights behind."""
    torch.set_num_threads(1)
    layers.SLOPE = 1.0  # rounding can push a unit over its kink: with straight units sums must agree
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    place = find_workplace()
    config = resolve_editing(
        DRAWING, ["training.precision=fp32", "training.batch_size=8", "training.augment=0.3", "editing.critic=true"]
    )
    store = prepare(Catalogue.open(folder / "catalogue"), 32, folder / "cache")
    captions = [caption for i in store.indices("train") for caption in store.captions(int(i))]
    tokenizer = Tokenizer.train(captions, config.model.vocabulary_size, config.model.caption_length)
    torch.manual_seed(0)
    networks = build_networks(config.model, tokenizer.vocabulary_size, editor=True)
    assert networks.editor is not None
    torch.nn.init.normal_(networks.editor.to_colors.weight, std=0.1)
    players = Players.make(networks, config)
    learning = {"editor": networks.editor, "discriminator": networks.discriminator}
    players.optimizers.update({name: torch.optim.SGD(net.parameters(), lr=1e-2) for name, net in learning.items()})
    batches = PairBatches(store, "train", tokenizer, seed=0, batch_size=8, word_swaps=0.9)
    for step in range(2):
        draws = draw(config, networks, (0, step), place, penalised=False)
        edit_step(players, batches.at(step, place.rank, place.world), draws, config, place)
    found = {f"{name}/{key}": value for name, net in learning.items() for key, value in net.state_dict().items()}
    save_file({name: value.contiguous() for name, value in found.items()}, folder / f"{world}-{rank}.safetensors")
    if world > 1:
        dist.destroy_process_group()


def test_two_processes_teach_what_one_does(tmp_path: Path) -> None:
    write_sample(tmp_path / "catalogue", 24, 32, 0)
    prepare(Catalogue.open(tmp_path / "catalogue"), 32, tmp_path / "cache")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for world in (2, 1):
        mp.spawn(_work, args=(world, port, tmp_path), nprocs=world)
    one, first, second = (load_file(tmp_path / f"{name}.safetensors") for name in ("1-0", "2-0", "2-1"))
    for key in one:
        assert torch.equal(first[key], second[key]), key
        assert torch.allclose(one[key], first[key], atol=1e-6, rtol=1e-3), key


def test_pictures_of_one_shot_are_each_others_twins_and_all_others_get_generated_ones(tmp_path: Path) -> None:
    config, place = (
        resolve_editing(DRAWING, ["training.batch_size=16", "editing.critic=true"]),
        Workplace(torch.device("cpu")),
    )
    shots = write_sample(tmp_path / "shots", 24, 32, seed=0, variants=2) / "metadata.jsonl"
    rows = [json.loads(line) for line in shots.read_text("utf-8").splitlines()]
    for row in rows[12:]:
        del row["same_shot"]
    shots.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    store = prepare(Catalogue.open(shots.parent), 32, tmp_path / "cache")
    captions = [caption for i in store.indices("train") for caption in store.captions(int(i))]
    tokenizer = Tokenizer.train(captions, config.model.vocabulary_size, config.model.caption_length)
    torch.manual_seed(0)
    networks = build_networks(config.model, tokenizer.vocabulary_size, editor=True)
    met = {"same": 0, "shot": 0, "generated": 0}
    for step in range(3):
        batch = PairBatches(store, "train", tokenizer, seed=0, batch_size=16, twins=True).at(step)
        draws = draw(config, networks, (0, step), place, penalised=False)
        given = prepared(networks, batch, draws, config, place)
        flip = draws.flip & ~batch.sided
        real, twins = mirrored(batch.pictures, flip), mirrored(batch.twins, flip)
        assert torch.equal(given.x[8:], real[8:])
        for row in range(8):
            way = "same" if not given.changes[row] else "shot" if batch.has_twin[row] else "generated"
            becomes = {"same": real[row], "shot": twins[row]}.get(way)
            assert torch.equal(given.x[row], real[row]) == (way != "generated")
            assert becomes is None or torch.equal(given.twin[row], becomes)
            met[way] += 1
    assert min(met.values()) > 0


def test_where_all_pictures_have_twins_no_critic_learns(drawn: Path, tmp_path: Path) -> None:
    shots = write_sample(tmp_path / "shots", 24, 32, seed=0, variants=2)
    store = prepare(Catalogue.open(shots), 32, tmp_path / "cache")
    assert teach(drawn, store, tmp_path)
    assert "critic/" not in (tmp_path / "editing" / "metrics.jsonl").read_text()
    assert bool(load_file(tmp_path / "model" / "editor.safetensors")["to_colors.weight"].any())
