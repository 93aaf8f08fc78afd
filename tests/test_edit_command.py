"""The way of a user: draw a catalogue, train, teach to edit, edit a photograph."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bespoke.cli import run
from bespoke.config import PRESETS
from bespoke.data.captions import Tokenizer
from bespoke.data.sample import write_sample
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline
from bespoke.provenance import COMPOSITE, TRAINED_ALGORITHMIC_MEDIA, read_mark

OLD, NEW = "a red mug", "a blue mug"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A catalogue and a run of a few steps that was taught to edit for a few more."""
    folder = tmp_path_factory.mktemp("edit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_CACHE", str(folder / "cache"))
        patch.setattr("bespoke.training.settle.NUM_PICTURES", 16)
        patch.setattr("bespoke.training.edit_watch.NUM_PAIRS", 8)
        write_sample(folder / "shop", 24, 32, seed=0)
        train = ["train", str(folder / "shop"), "--out", str(folder / "run")]
        assert run([*train, "--preset", "test32", "--images", "16", "--set", "training.batch_size=8"]) == 0
        yield folder


@pytest.fixture(scope="module")
def taught(home: Path) -> Path:
    before = Pipeline.from_pretrained(home / "run").identity
    train = ["train", str(home / "shop"), "--out", str(home / "run"), "--edit"]
    assert run([*train, "--images", "16"]) == 0
    assert Pipeline.from_pretrained(home / "run").identity == before
    assert run([*train, "--resume", "--images", "24"]) == 0
    return home / "run"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    levels = np.random.default_rng(0).integers(0, 256, (50, 80, 3), dtype=np.uint8)
    Image.fromarray(levels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_taught_run_edits_and_says_what_it_did(taught: Path, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["edit", str(taught), str(photo), NEW, "--from", OLD, "-n", "2", "--seed", "3", "--sheet"]
    assert run([*command, "--out", str(out)]) == 0
    rows = [json.loads(line) for line in (out / "metadata.jsonl").read_text().splitlines()]
    assert [row["seed"] for row in rows] == [3, 4]
    assert rows[0]["text"] == NEW
    assert rows[0]["source"] == OLD
    for row in rows:
        with Image.open(out / row["file_name"]) as made, Image.open(out / "masks" / row["file_name"]) as mask:
            assert made.size == mask.size == (80, 50)
        marked = read_mark(out / row["file_name"])
        assert marked["digital_source_type"] == COMPOSITE  # part of it is still the photo
        assert marked["prompt"] == NEW
        assert marked["model"] == row["model"]
        assert re.fullmatch(r"run [0-9a-f]{12} editor [0-9a-f]{12}", row["model"])
        assert marked["chain"]["edited_from"] == row["edited_from"]
        assert marked["chain"]["strength"] == 0.7
    assert read_mark(out / "sheet.png")["digital_source_type"] == COMPOSITE
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.width > sheet.height / 6 > 80
    assert run(["generate", str(taught), OLD, "-n", "1", "--out", str(tmp_path / "drawn")]) == 0
    again = ["edit", str(taught), str(tmp_path / "drawn" / "000001.png"), NEW, "--from", OLD]
    assert run([*again, "--out", str(tmp_path / "again")]) == 0
    assert read_mark(tmp_path / "again" / "000001.png")["digital_source_type"] == TRAINED_ALGORITHMIC_MEDIA


def test_the_model_that_is_taught_to_edit_goes_on_drawing_with_the_noise_it_has(taught: Path) -> None:
    grain = Pipeline.from_pretrained(taught).networks.settings.grain
    assert grain == 0.25  # by its catalogue, whose grounds are plain
    assert json.loads((taught / "config.json").read_text("utf-8"))["config"]["model"]["grain"] is None
    assert json.loads((taught / "editing" / "config.json").read_text("utf-8"))["config"]["model"]["grain"] == grain


def test_the_report_on_edits_needs_a_taught_run(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["train", str(home / "shop"), "--out", str(tmp_path / "r"), "--preset", "test32", "--images", "8"])
    assert run(["evaluate", str(tmp_path / "r"), str(home / "shop"), "--edit"]) == 2
    assert "has not been taught to edit" in capsys.readouterr().err
    assert run(["evaluate", str(tmp_path / "r"), str(home / "shop"), "--edit", "--balance", "1"]) == 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((OLD, "--from", OLD), "reads like the old one"),
        (("",), "new text is empty"),
        ((NEW, "--strength", "7"), "strength=7: expected"),
        ((NEW, "--mask", "mask.png"), "mask of 20x20, picture of 80x50"),
        ((NEW, "--mask", "none.png"), "no such picture file"),
        ((NEW, "--mask", "paint.png"), "mask: what is transparent is white, too"),
    ],
)
def test_mistakes_end_with_code_2_and_one_line(
    taught: Path, photo: Path, options: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(photo.parent)
    Image.new("L", (20, 20)).save("mask.png")
    paint = Image.new("RGBA", (80, 50))
    paint.paste("white", (40, 0, 80, 50))
    paint.save("paint.png")
    assert run(["edit", str(taught), str(photo), *options]) == 2
    told = capsys.readouterr().err
    assert expected in told
    assert told.count("\n") == 1
    assert not Path("edits").exists()


def test_what_is_no_picture_is_told(taught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.png").write_text("hello")
    assert run(["edit", str(taught), str(tmp_path / "text.png"), NEW]) == 2
    assert capsys.readouterr().err.endswith("not a JPEG, PNG or WEBP picture; convert it\n")  # out of what to take it?


def test_versions_are_made_one_at_a_time_and_ctrl_c_leaves_whole_those_that_are_there(
    taught: Path, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, asked = Pipeline.edit, iter(range(2))

    def interrupted(*arguments: object, **options: object) -> object:
        if next(asked, None) is None:
            raise KeyboardInterrupt
        return edit(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Pipeline, "edit", interrupted)
    command = ["edit", str(taught), str(photo), NEW, "--from", OLD, "-n", "3", "--seed", "5"]
    assert run([*command, "--out", str(tmp_path / "part")]) == 130
    told = capsys.readouterr().out
    assert f"Stopped: 2 of 3 pictures are in {tmp_path / 'part'}, described in " in told
    assert "For the others give --seed 7 and a new --out." in told
    assert len((tmp_path / "part" / "metadata.jsonl").read_text("utf-8").splitlines()) == 2


def test_a_disk_that_fills_up_leaves_no_half_mask(
    taught: Path, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = Image.Image.save

    def full(image: Image.Image, target: object, *arguments: object, **options: object) -> None:
        if isinstance(target, Path):
            target.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        save(image, target, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Image.Image, "save", full)
    assert run(["edit", str(taught), str(photo), NEW, "--from", OLD, "--out", str(tmp_path / "out")]) == 2
    assert "masks/000001.png: could not be written (No space left on device)" in capsys.readouterr().err
    assert list((tmp_path / "out" / "masks").iterdir()) == []
    assert not (tmp_path / "out" / "metadata.jsonl").exists()  # a row says that its files are whole


def test_it_is_said_where_nothing_changed(
    taught: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["edit", str(taught), str(photo), NEW, "--from", OLD, "-n", "2"]
    assert run([*command, "--strength", "1e-9", "--out", str(tmp_path / "a")]) == 0
    assert "Nothing changed in 2 of 2: raise --strength" in capsys.readouterr().out
    assert run([*command, "--strength", "0", "--out", str(tmp_path / "b")]) == 0
    assert "Nothing changed" not in capsys.readouterr().out  # as it was asked for


def test_a_text_in_the_place_of_the_picture_is_one_line(taught: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["edit", str(taught), "赤いマグカップ" * 20, NEW]) == 2  # no name of a file is as long as that
    told = capsys.readouterr().err
    assert "give the name of a file" in told
    assert told.count("\n") == 1


def test_an_animated_picture_gives_its_first_frame(taught: Path, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "moving.webp", save_all=True, append_images=frames[1:], lossless=True)
    command = ["edit", str(taught), str(tmp_path / "moving.webp"), NEW, "--strength", "0", "--out", str(tmp_path / "o")]
    assert run(command) == 0
    with Image.open(tmp_path / "o" / "000001.png") as made:
        assert made.getpixel((5, 5))[0] > 200  # type: ignore[index]


def test_a_model_that_was_not_taught_says_how_to_teach_it(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = Tokenizer.train([OLD, NEW], 300)
    networks = build_networks(PRESETS["test32"].model, tokenizer.vocabulary_size)
    for network in networks.named().values():
        network.eval()
    Pipeline(networks, tokenizer).save_pretrained(tmp_path / "model")
    assert run(["edit", str(tmp_path / "model"), str(photo), NEW]) == 2
    assert "--edit" in capsys.readouterr().err


def test_an_editor_is_taught_once_and_not_after_its_model_changed(
    home: Path, taught: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", str(home / "shop"), "--out", str(taught)]
    assert run([*train, "--edit"]) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert run([*train, "--edit", "--resume", "--preset", "test32"]) == 2
    assert run([*train, "--resume", "--images", "24"]) == 0  # the model itself goes on
    assert Pipeline.from_pretrained(taught).networks.editor is None
    capsys.readouterr()
    assert run([*train, "--edit", "--resume"]) == 2
    assert "has been trained further since" in capsys.readouterr().err


def test_there_must_be_a_run_to_teach(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = ["train", str(home / "shop"), "--out", str(tmp_path / "none"), "--edit"]
    assert run(train) == 2
    assert "train it first, without --edit" in capsys.readouterr().err
    assert run([*train, "--from", "x"]) == 2
    assert "leave out --preset and --from" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
