from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bespoke.config import PRESETS
from bespoke.data.captions import Tokenizer
from bespoke.errors import UserError
from bespoke.networks import build_networks
from bespoke.pipeline import CANDIDATE_STRIDE, Pipeline

CAPTIONS = [f"a {color} {thing}" for color in ("red", "blue", "green", "white") for thing in ("cup", "hat", "bag")]


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """A small model that was never trained: its weights are as good as any for what is promised here."""
    tokenizer = Tokenizer.train(CAPTIONS, 320)
    torch.manual_seed(0)
    networks = build_networks(PRESETS["test32"].model, tokenizer.vocabulary_size)
    for network in networks.named().values():
        network.eval().requires_grad_(False)
    return Pipeline(networks, tokenizer)


@pytest.fixture
def saved(pipeline: Pipeline, tmp_path: Path) -> Path:
    pipeline.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_a_saved_model_is_as_open_to_the_team_as_the_umask_says(saved: Path, pipeline: Pipeline) -> None:
    (saved.parent / "ordinary").touch()
    ordinary = (saved.parent / "ordinary").stat().st_mode
    assert {file.stat().st_mode for file in saved.iterdir()} == {ordinary}
    (saved / "generator.safetensors").chmod(0o600)
    pipeline.save_pretrained(saved)
    assert {file.stat().st_mode for file in saved.iterdir()} == {ordinary}


def test_a_seed_gives_the_same_picture_in_batches_of_1_7_and_64(pipeline: Pipeline) -> None:
    texts = [f"{CAPTIONS[i % len(CAPTIONS)]} {i}" for i in range(64)]
    of_64 = [image.tobytes() for image in pipeline(texts, seed=5).images]
    of_7 = [image.tobytes() for start in (0, 7) for image in pipeline(texts[start : start + 7], seed=5 + start).images]
    of_1 = [pipeline(texts[i], seed=5 + i).images[0].tobytes() for i in (0, 6, 13)]
    assert of_7 == of_64[:14]
    assert of_1 == [of_64[i] for i in (0, 6, 13)]
    assert len(set(of_64)) == 64


def test_each_picture_of_a_call_has_the_next_seed(pipeline: Pipeline) -> None:
    out = pipeline(["a red cup", "a blue hat"], num_images=3, seed=7)
    assert out.seeds == [7, 8, 9, 10, 11, 12]
    assert [picture.text for picture in out.pictures] == ["a red cup"] * 3 + ["a blue hat"] * 3
    assert out.images[4].tobytes() == pipeline("a blue hat", seed=11).images[0].tobytes()
    assert [image.size for image in out.images] == [(32, 32)] * 6


def test_a_seed_that_was_drawn_makes_the_picture_again(pipeline: Pipeline) -> None:
    out = pipeline("a red cup")
    assert pipeline("a red cup", seed=out.seeds[0]).images[0].tobytes() == out.images[0].tobytes()


def test_text_and_balance_change_the_picture(pipeline: Pipeline) -> None:
    pictures = [pipeline(text, balance=b, seed=0).images[0].tobytes() for text in CAPTIONS[:2] for b in (0.0, 1.0)]
    assert len(set(pictures)) == 4


def test_best_of_keeps_the_candidate_of_highest_alignment(pipeline: Pipeline) -> None:
    best = pipeline("a red cup", seed=3, best_of=5).pictures[0]
    candidates = [pipeline("a red cup", seed=3 + k * CANDIDATE_STRIDE).pictures[0] for k in range(5)]
    assert best.alignment == max(candidate.alignment for candidate in candidates)
    assert best.alignment > min(candidate.alignment for candidate in candidates)
    again = pipeline("a red cup", seed=best.seed).pictures[0]
    assert again.image.tobytes() == best.image.tobytes()


def test_streaming_reads_a_text_only_when_its_picture_is_wanted(pipeline: Pipeline) -> None:
    read: list[str] = []
    texts = (read.append(text) or text for text in CAPTIONS)
    pictures = pipeline.stream(texts, seed=0)
    next(pictures)
    assert read == CAPTIONS[:1]


def test_words_never_seen_in_training_are_named(pipeline: Pipeline) -> None:
    assert pipeline(["a red zebra", "a red cup"], seed=0).unknown_words == {"a red zebra": ["zebra"]}


@pytest.mark.parametrize("text", ["", " \n", "\U0001f33b", "赤いカップ", "a red cup " * 2000, "<pad> <0x41>", "\ud800"])
def test_any_text_becomes_a_picture(pipeline: Pipeline, text: str) -> None:
    assert len(pipeline(text, seed=0).images) == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"balance": 1.01}, "balance=1.01: expected a number from 0"),
        ({"balance": -0.5}, "balance=-0.5: expected a number from 0"),
        ({"balance": float("nan")}, "balance=nan: expected a number from 0"),
        ({"num_images": 0}, "num_images=0: expected 1 or more"),
        ({"best_of": 0}, "best_of=0: expected 1 or more"),
        ({"seed": -1}, "seed=-1: expected a whole number from 0"),
        ({"seed": 2**53}, "seed=9007199254740992: expected a whole number from 0"),
        ({"seed": True}, "seed=True: expected a whole number from 0"),
        ({"seed": 1.0}, "seed=1.0: expected a whole number from 0"),
        ({"num_images": 1.5}, "num_images=1.5: expected 1 or more"),
    ],
)
def test_what_cannot_be_asked_for_is_said_before_anything_is_drawn(
    pipeline: Pipeline, asked: dict[str, float], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        pipeline.stream(["a red cup"], **asked)


def test_pictures_whose_seeds_could_not_be_asked_for_again_are_not_drawn(pipeline: Pipeline) -> None:
    pictures = pipeline.stream(["a red cup", "a blue cup"], seed=2**53 - 1)
    assert next(pictures).seed == 2**53 - 1
    with pytest.raises(UserError, match="seed=9007199254740992: expected a whole number"):
        next(pictures)


def test_one_text_is_one_text_and_what_is_none_is_told(pipeline: Pipeline) -> None:
    assert [picture.text for picture in pipeline.stream("a red cup", seed=0)] == ["a red cup"]
    with pytest.raises(UserError, match="text None: expected a string"):
        pipeline(["a red cup", None], seed=0)  # type: ignore[list-item]
    assert pipeline("a red cup", seed=0, balance=np.float32(0.5)).pictures[0].balance == 0.5


def test_sentences_are_embedded_in_both_spaces_whatever_the_batch(pipeline: Pipeline) -> None:
    realism, alignment = pipeline.embed(CAPTIONS)
    assert realism.shape == alignment.shape == (len(CAPTIONS), 64)
    assert not torch.equal(realism, alignment)
    torch.testing.assert_close(pipeline.embed(CAPTIONS, batch_size=5).alignment, alignment)
    assert pipeline.embed([]).realism.shape == (0, 64)


def test_a_picture_scores_what_it_was_given_when_it_was_made(pipeline: Pipeline) -> None:
    out = pipeline(CAPTIONS[:5], seed=0)
    scores = pipeline.score(out.images, CAPTIONS[:5], batch_size=2)
    assert scores.shape == (5,)
    assert bool((scores.abs() <= 1).all())
    # Pictures have 256 levels, and other batches other roundings in bf16.
    torch.testing.assert_close(scores, torch.tensor(out.alignment), atol=0.02, rtol=0)
    assert pipeline.score([], []).shape == (0,)


def test_pictures_of_any_shape_and_mode_can_be_scored(pipeline: Pipeline) -> None:
    picture = Image.new("RGB", (50, 40), "red")
    same = picture.crop((5, 0, 45, 40)).convert("RGBA")
    first, second = pipeline.score([picture, same], ["a red cup"] * 2)
    assert float(first) == pytest.approx(float(second), abs=1e-3)


def test_scoring_needs_a_text_for_every_picture(pipeline: Pipeline) -> None:
    with pytest.raises(UserError, match="1 pictures and 2 texts"):
        pipeline.score([Image.new("RGB", (32, 32))], ["a red cup", "a blue hat"])


def test_editing_says_that_this_model_cannot(pipeline: Pipeline) -> None:
    with pytest.raises(UserError, match="has not been taught to edit"):
        pipeline.edit(Image.new("RGB", (32, 32)), "a red cup")


def test_a_saved_model_draws_the_same_picture(pipeline: Pipeline, saved: Path) -> None:
    loaded = Pipeline.from_pretrained(saved)
    assert loaded("a red cup", seed=1).images[0].tobytes() == pipeline("a red cup", seed=1).images[0].tobytes()
    assert loaded("a red cup", seed=1).alignment == pipeline("a red cup", seed=1).alignment
    assert loaded.identity == Pipeline.from_pretrained(saved.parent).identity  # a folder with model/ in it is a run
    assert len(loaded.identity) == 12


def test_saving_again_replaces_the_model_and_leaves_nothing_else(pipeline: Pipeline, saved: Path) -> None:
    (saved / "MODEL_CARD.md").touch()  # of the model before
    (saved / "editor.safetensors").touch()
    (saved / ".DS_Store").touch()  # of somebody who had a look
    pipeline.save_pretrained(saved)
    files = {path.name for path in saved.iterdir()}
    assert files == {
        "model_index.json",
        "tokenizer.json",
        *(f"{name}.safetensors" for name in ("generator", "discriminator", "realism", "alignment")),
    }
    assert [path.name for path in saved.parent.iterdir() if "model" in path.name] == ["model"]


@pytest.mark.parametrize("place", ["model", ".", "run", "file", "/"])
def test_saving_never_takes_away_what_is_no_model(
    pipeline: Pipeline, saved: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(saved.parent)
    (saved / "notes.txt").write_text("mine")
    (saved.parent / "model.new").mkdir()
    (saved.parent / "run" / "checkpoints").mkdir(parents=True)
    Path("file").write_text("mine")
    before = sorted(saved.parent.rglob("*"))
    with pytest.raises(UserError, match="files that are no model's|not a folder that could hold a model"):
        pipeline.save_pretrained(place)
    assert sorted(saved.parent.rglob("*")) == before


def _set_index(**changes: object) -> Callable[[Path], None]:
    def damage(model: Path) -> None:
        index = json.loads((model / "model_index.json").read_text("utf-8"))
        (model / "model_index.json").write_text(json.dumps(index | changes), "utf-8")

    return damage


def _flip_a_byte(model: Path) -> None:
    content = bytearray((model / "generator.safetensors").read_bytes())
    content[-1] ^= 1
    (model / "generator.safetensors").write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda model: (model / "model_index.json").unlink(), "no model_index.json in it"),
        (lambda model: (model / "model_index.json").write_text("{", "utf-8"), "model_index.json: not valid JSON"),
        (_set_index(format=99), "model_index.json: format 99, this version reads 1"),
        (_set_index(model={"image_size": 33}), "model_index.json: not a model of this version"),
        (_set_index(model=[]), "model_index.json: not a model of this version"),
        (_set_index(vocabulary_size="many"), "model_index.json: not a model of this version"),
        (_flip_a_byte, "generator.safetensors: damaged"),
        (lambda model: (model / "realism.safetensors").unlink(), "realism.safetensors: missing"),
        (lambda model: (model / "alignment.safetensors").write_bytes(b""), "alignment.safetensors: damaged"),
        (_set_index(vocabulary_size=321), "model_index.json: changed or damaged since it was saved"),
        (lambda model: (model / "tokenizer.json").unlink(), "tokenizer.json: missing"),
        (lambda model: (model / "tokenizer.json").write_text("{}", "utf-8"), "tokenizer.json: damaged"),
        (
            lambda model: Tokenizer.train([f"{text}s" for text in CAPTIONS], 320).save(model / "tokenizer.json"),
            "tokenizer.json: damaged",
        ),
    ],
)
def test_a_model_folder_that_is_not_whole_is_refused(
    saved: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(saved)
    with pytest.raises(UserError, match=message) as caught:
        Pipeline.from_pretrained(saved)
    assert "\n" not in str(caught.value)


def _as_saved_before_checksums_of_all(model: Path) -> None:
    index = json.loads((model / "model_index.json").read_text("utf-8"))
    for name in ("tokenizer", "settings"):
        del index["sha256"][name]
    (model / "model_index.json").write_text(json.dumps(index), "utf-8")


def test_a_model_of_an_earlier_version_loads_as_the_same(saved: Path) -> None:
    identity = Pipeline.from_pretrained(saved).identity
    _as_saved_before_checksums_of_all(saved)
    assert Pipeline.from_pretrained(saved).identity == identity


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda model: (model / "tokenizer.json").unlink(), "tokenizer.json: missing"),
        (lambda model: (model / "tokenizer.json").write_text("{}", "utf-8"), "tokenizer.json: expected a tokenizer"),
        (
            lambda model: Tokenizer.train(["x"], 300).save(model / "tokenizer.json"),
            "tokenizer.json: has .* pieces, the model",
        ),
        (_set_index(vocabulary_size=10**15), "model_index.json: asks for networks of an impossible size"),
        (_set_index(vocabulary_size=10**30), "model_index.json: asks for networks of an impossible size"),
        (_set_index(vocabulary_size=-1), "model_index.json: asks for networks of an impossible size"),
    ],
)
def test_damage_to_one_of_an_earlier_version_is_one_line_too(
    saved: Path, damage: Callable[[Path], object], message: str
) -> None:
    _as_saved_before_checksums_of_all(saved)
    damage(saved)
    with pytest.raises(UserError, match=message) as caught:
        Pipeline.from_pretrained(saved)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "meta", 3.5])
def test_a_device_that_does_not_work_here_is_one_line(saved: Path, device: str) -> None:
    with pytest.raises(UserError, match=rf"device='{device}': does not work here \(.+\); use cpu, or leave") as caught:
        Pipeline.from_pretrained(saved, device=device)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["runs/nobody/none", "/nowhere", "./nowhere", "nowhere"])
def test_a_path_that_is_no_hub_id_is_never_looked_up(path: str) -> None:
    with pytest.raises(UserError, match="no such folder; give a run, a model folder or a hub id"):
        Pipeline.from_pretrained(path)


def test_a_hub_id_that_cannot_be_had_is_one_line() -> None:
    with pytest.raises(UserError, match="nobody/nothing: neither a folder nor a model on the hub") as caught:
        Pipeline.from_pretrained("nobody/nothing")  # conftest.py keeps the tests off the network
    assert "\n" not in str(caught.value)


def test_a_model_that_the_disk_refuses_leaves_the_one_before(
    pipeline: Pipeline, saved: Path, files_no_longer_than: Callable[[int], AbstractContextManager[None]]
) -> None:
    before = Pipeline.from_pretrained(saved).identity
    refused = rf"{saved}: the model could not be written .*File too large.*; free some space or mend the folder"
    with files_no_longer_than(50_000), pytest.raises(UserError, match=refused):
        pipeline.save_pretrained(saved)
    assert Pipeline.from_pretrained(saved).identity == before


def test_a_run_that_has_not_saved_a_model_yet_is_told_apart_from_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(UserError, match="a run without a model yet"):
        Pipeline.from_pretrained(tmp_path)
