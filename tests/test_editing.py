"""One picture, changed by its text: what it promises whatever the weights are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from safetensors.torch import load_file, save_file

from bespoke.cli import run
from bespoke.config import PRESETS
from bespoke.data.captions import Tokenizer
from bespoke.editing import blend, editable, words_that_differ
from bespoke.errors import UserError
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline
from bespoke.precision import autocast
from bespoke.provenance import mark

CAPTIONS = [f"a {color} {thing}" for color in ("red", "blue", "green", "white") for thing in ("cup", "hat", "bag")]
OLD, NEW = "a red cup", "a blue cup"


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """A model of fixed weights whose editor does something in some places."""
    tokenizer = Tokenizer.train(CAPTIONS, 320)
    torch.manual_seed(1)
    networks = build_networks(PRESETS["test32"].model, tokenizer.vocabulary_size, editor=True)
    assert networks.editor is not None
    torch.nn.init.normal_(networks.editor.to_colors.weight, std=0.6)
    with torch.no_grad():
        networks.editor.to_colors.weight[12] *= 10  # the mask: here nothing, there everything
    for network in networks.named().values():
        network.eval().requires_grad_(False)
    return Pipeline(networks, tokenizer)


def noisy(width: int, height: int, seed: int = 0) -> Image.Image:
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize((width, height), Image.Resampling.BILINEAR, (0, 0, width // 4, height // 4))


@pytest.mark.parametrize("size", [(32, 32), (300, 200), (40, 170), (16, 900)])
def test_any_size_comes_back_and_where_the_mask_is_black_no_byte_changes(
    pipeline: Pipeline, size: tuple[int, int]
) -> None:
    picture = noisy(*size)
    out = pipeline.edit(picture, NEW, source=OLD, seed=1)
    before, after, mask = np.asarray(picture), np.asarray(out.images[0]), np.asarray(out.mask)
    assert out.images[0].size == out.mask.size == size
    untouched = mask == 0
    assert 0.02 < untouched.mean() < 0.98  # else this test says nothing
    assert (before[untouched] == after[untouched]).all()
    assert (before[~untouched] != after[~untouched]).any()


def test_at_the_models_size_the_change_is_the_editors(pipeline: Pipeline) -> None:
    from bespoke.method.editor import change_of, compose, strengthened

    picture, networks = noisy(32, 32), pipeline.networks
    out = pipeline.edit(picture, NEW, source=OLD, seed=4, strength=0.6)
    x = editable(picture, 32).seen
    noise = torch.randn(1, networks.generator.num_noise, generator=torch.Generator().manual_seed(4))
    old, new = pipeline.tokenizer.encode([OLD, NEW]).split(1)
    with autocast(pipeline.device):
        change = change_of(networks.generator, networks.text_encoder, noise, new, old)
        made = networks.editor(x, change)  # type: ignore[misc]
    expected = compose(x, made.colors.float(), strengthened(made.mask.float(), 0.6))
    levels = ((expected[0].clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy()
    changed = np.asarray(out.mask) > 0
    assert np.abs(levels - np.asarray(out.images[0], dtype=float))[changed].max() <= 1


def test_no_strength_gives_the_picture_back_and_full_strength_leaves_no_place_out(pipeline: Pipeline) -> None:
    picture = noisy(48, 48)
    assert pipeline.edit(picture, NEW, source=OLD, strength=0).images[0].tobytes() == picture.tobytes()
    assert np.asarray(pipeline.edit(picture, NEW, source=OLD, strength=1).mask).min() == 255


def test_black_in_the_users_mask_stays(pipeline: Pipeline) -> None:
    picture, limit = noisy(60, 40), Image.new("L", (60, 40), 0)
    limit.paste(255, (30, 0, 60, 40))
    out = pipeline.edit(picture, NEW, source=OLD, strength=1, mask=limit)
    before, after = np.asarray(picture), np.asarray(out.images[0])
    assert (before[:, :30] == after[:, :30]).all()
    assert (before[:, 30:] != after[:, 30:]).any()
    assert (np.asarray(out.mask) == np.asarray(limit)).all()


def test_a_large_picture_is_cut_into_strips_without_a_seam(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = noisy(50, 90)
    whole = np.asarray(pipeline.edit(picture, NEW, source=OLD, seed=2).images[0], dtype=int)
    monkeypatch.setattr("bespoke.editing.ROWS_AT_ONCE", 7)
    strips = np.asarray(pipeline.edit(picture, NEW, source=OLD, seed=2).images[0], dtype=int)
    assert np.abs(whole - strips).max() <= 1


def test_seeds_count_up_and_give_the_same_picture_again(pipeline: Pipeline) -> None:
    picture = noisy(32, 32)
    out = pipeline.edit(picture, NEW, source=OLD, num_images=3, seed=5)
    assert out.seeds == [5, 6, 7]
    again = pipeline.edit(picture, NEW, source=OLD, seed=6)
    assert again.images[0].tobytes() == out.images[1].tobytes()
    assert out.images[0].tobytes() != out.images[1].tobytes()
    drawn = pipeline.edit(picture, NEW, source=OLD)
    repeated = pipeline.edit(picture, NEW, source=OLD, seed=drawn.seeds[0])
    assert repeated.images[0].tobytes() == drawn.images[0].tobytes()


def test_it_works_without_a_source_and_says_what_differs_with_one(pipeline: Pipeline) -> None:
    assert pipeline.edit(noisy(32, 32), NEW).new_words == []
    out = pipeline.edit(noisy(32, 32), "a blue sombrero", source=OLD)
    assert (out.new_words, out.old_words) == (["blue", "sombrero"], ["red", "cup"])
    assert out.unknown_words == ["sombrero"]
    assert words_that_differ("赤いカップ", "青いカップ") == (["赤"], ["青"])
    assert words_that_differ("A red cup, a blue lid", "a red cup, an orange lid") == (["a", "blue"], ["an", "orange"])
    assert all(-1 <= value <= 1 for value in out.alignment)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "I;16", "1"])
def test_pictures_of_any_mode_are_read(pipeline: Pipeline, mode: str) -> None:
    grey = Image.new("I;16", (40, 40), 30_000) if mode == "I;16" else noisy(40, 40).convert(mode)
    assert pipeline.edit(grey, NEW, source=OLD).images[0].mode == "RGB"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "CMYK"])
def test_a_colour_profile_stays_where_it_is_one_of_rgb(pipeline: Pipeline, mode: str, tmp_path: Path) -> None:
    picture = noisy(40, 40).convert(mode)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.info["icc_profile"] = profile if mode != "CMYK" else profile.replace(b"RGB ", b"CMYK")
    made = pipeline.edit(picture, NEW, source=OLD).images[0]
    mark(made, tmp_path / "made.png", prompt=NEW, seed=0, balance=0, model="m")
    with Image.open(tmp_path / "made.png") as kept:
        assert kept.info.get("icc_profile") == (None if mode == "CMYK" else profile)


def test_a_picture_that_is_not_square_is_seen_whole() -> None:
    picture = Image.new("RGB", (100, 50), "red")
    picture.paste("blue", (90, 0, 100, 50))  # outside of the middle square
    shown = editable(picture, 32)
    assert shown.box == (0, 8, 32, 24)
    right = shown.seen[0, :, 16, 31]
    assert right[2] > 0.9
    assert torch.equal(shown.seen[0, :, 0], shown.seen[0, :, 8])  # the edge goes on


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"text": "  "}, "new text is empty"),
        ({"text": "A  red cup"}, r"reads like the old one \('A  red cup'\); change the words that should show"),
        (
            {"source": "a red cup " * 20 + "x", "text": "a red cup " * 20},
            "come after all that is read of a long text: say them earlier",
        ),
        ({"strength": 1.5}, "strength=1.5: expected a number from 0"),
        ({"num_images": 0}, "num_images=0"),
        ({"seed": -1}, "seed=-1"),
        ({"mask": Image.new("L", (5, 6))}, "mask of 5x6, picture of 32x32"),
        ({"mask": Image.new("L", (32, 32))}, "mask: all black, so nothing may change"),
        ({"mask": Image.new("L", (32, 32), 1)}, r"mask: all black, .* paint white \(255\)"),  # an array of 0 and 1
        ({"mask": Image.new("RGBA", (32, 32))}, "mask: what is transparent is white, too"),
        ({"picture": Image.new("RGB", (15, 40))}, "16 pixels or more"),
        ({"seed": 2**53 - 1, "num_images": 2}, f"seed={2**53}: expected a whole number"),
        ({"source": "  "}, "old text is empty"),
        ({"strength": "0.5"}, "strength='0.5': expected a number from 0"),
        ({"strength": None}, "strength=None: expected a number from 0"),
        ({"text": None}, "new text is None: expected a string"),
        ({"source": [OLD]}, r"old text is \['a red cup'\]: expected a string"),
        ({"picture": "cup.png"}, "picture=str: expected a picture of PIL; open it by PIL.Image.open"),
        ({"mask": np.zeros((32, 32))}, "mask=ndarray: expected a picture of PIL"),
    ],
)
def test_mistakes_are_told_in_one_line(pipeline: Pipeline, changes: dict[str, object], expected: str) -> None:
    options = {"picture": noisy(32, 32), "text": NEW, "source": OLD} | changes
    with pytest.raises(UserError, match=expected):
        pipeline.edit(options.pop("picture"), options.pop("text"), **options)  # type: ignore[arg-type]


def test_a_saved_editor_edits_alike(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.save_pretrained(tmp_path / "model")
    loaded = Pipeline.from_pretrained(tmp_path / "model")
    picture = noisy(64, 48)
    first, second = (each.edit(picture, NEW, source=OLD, seed=3).images[0].tobytes() for each in (pipeline, loaded))
    assert first == second


def test_an_enlarged_mask_has_the_edges_of_the_large_picture() -> None:
    large = Image.new("RGB", (256, 256), "white")
    large.paste((200, 30, 30), (101, 0, 256, 256))  # between two pixels of the small picture
    shown = editable(large, 32)
    mask = (shown.seen[0, 1] < 0).float()
    colors = torch.zeros(12, 32, 32)
    colors[9:] = 0.5
    _, changed = blend(shown, colors, mask)
    row = np.asarray(changed)[128].astype(int)
    assert row[:99].max() < 40
    assert row[103:].min() > 200  # a plain enlargement takes 8 pixels to get there


def test_an_editor_of_another_version_is_to_be_taught_again(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.save_pretrained(tmp_path / "model")
    file, index = tmp_path / "model" / "editor.safetensors", tmp_path / "model" / "model_index.json"
    weights = load_file(file)
    del weights["mix.weight"]
    save_file(weights, file)
    told = json.loads(index.read_text("utf-8"))
    told["sha256"]["editor"] = hashlib.sha256(file.read_bytes()).hexdigest()
    index.write_text(json.dumps(told), "utf-8")
    with pytest.raises(UserError, match=r"editor.safetensors: taught by another version; .* teach it again by"):
        Pipeline.from_pretrained(tmp_path / "model")
    base = Pipeline.from_pretrained(tmp_path / "model", editor=False)  # what it is taught again from
    assert base.networks.editor is None
    assert base(NEW, seed=0).images[0].tobytes() == pipeline(NEW, seed=0).images[0].tobytes()
    assert (
        run(["generate", str(tmp_path / "model"), NEW, "--out", str(tmp_path / "drawn")]) == 0
    )  # its generator is whole
