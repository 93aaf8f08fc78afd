from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from bespoke.data import sample_captions_en as en
from bespoke.data import sample_captions_ja as ja
from bespoke.data.captions import Tokenizer, swap_word
from bespoke.data.catalogue import Catalogue
from bespoke.data.lexicon import FORMS
from bespoke.data.sample import CHANGED, LANGUAGES, sample_attributes, sample_captions, sample_drawing, write_sample
from bespoke.data.sample_attributes import NAMES, POSITIONS, SIZES, VIEWS, Attributes, changed, other_values
from bespoke.data.sample_captions import captions
from bespoke.data.sample_colors import BACKGROUNDS, COLORS, main_color
from bespoke.data.sample_materials import LIGHTS, MATERIALS, PATTERNS
from bespoke.data.sample_objects import BASE_KINDS, NEW_LINE, OBJECTS
from bespoke.data.sample_pictures import draw
from bespoke.errors import UserError

BLUE_MUG = Attributes(
    object="mug",
    color="blue",
    second_color="yellow",
    pattern="striped",
    material="glossy",
    size="large",
    position="center",
    view="angled",
    light="left",
    background="white",
)


def _product(kind: str, **others: str) -> Attributes:
    return replace(BLUE_MUG, object=kind, material=OBJECTS[kind].materials[0], **others)


def _levels(picture: Image.Image) -> NDArray[np.int64]:
    """[H, W, 3]"""
    return np.asarray(picture, dtype=np.int64)


def _rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]


def _texts(index: int, languages: Sequence[str]) -> tuple[Attributes, list[str]]:
    attributes = sample_attributes(5, index)
    return attributes, captions(attributes, languages, np.random.default_rng(index))


def test_a_larger_catalogue_begins_with_the_smaller_one(tmp_path: Path) -> None:
    small, large = (write_sample(tmp_path / str(count), count, 32, 1, "both") for count in (3, 6))
    assert _rows(large)[:3] == _rows(small)
    assert len(_rows(large)) == 6
    for row in _rows(small):
        name = str(row["file_name"])
        assert (small / name).read_bytes() == (large / name).read_bytes()


def test_another_process_draws_and_writes_the_same(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    code = f"from bespoke.data.sample import write_sample; write_sample({str(there)!r}, 4, 32, 9, 'both')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    write_sample(here, 4, 32, 9, "both")
    names = sorted(path.relative_to(here) for path in here.rglob("*.*"))
    assert len(names) == 5
    assert all((here / name).read_bytes() == (there / name).read_bytes() for name in names)


def test_pictures_depend_on_the_seed_and_not_on_the_language(tmp_path: Path) -> None:
    english, japanese = (write_sample(tmp_path / language, 2, 32, 1, language) for language in ("en", "ja"))
    other = write_sample(tmp_path / "other", 2, 32, 2, "en")
    first = "0000/000.png"
    assert (english / first).read_bytes() == (japanese / first).read_bytes()
    assert (english / first).read_bytes() != (other / first).read_bytes()
    assert [{**row, "texts": None} for row in _rows(english)] == [{**row, "texts": None} for row in _rows(japanese)]


def test_the_catalogue_reader_reads_it_with_its_attributes(tmp_path: Path) -> None:
    items = list(Catalogue.open(write_sample(tmp_path / "sample", 4, 32, 0, "both")))
    assert [item.attributes for item in items] == [asdict(sample_attributes(0, index)) for index in range(4)]
    assert all(len(set(item.texts)) == 3 for item in items)


def test_pictures_have_the_size_asked_for(tmp_path: Path) -> None:
    for size in (16, 50, 128):
        folder = write_sample(tmp_path / str(size), 1, size, 0)
        with Image.open(folder / "0000/000.png") as picture:
            assert (picture.size, picture.mode) == ((size, size), "RGB")
        assert sample_drawing(0, 0, size, sample_attributes(0, 0)).mask.shape == (size, size)


def test_a_product_line_can_be_held_out_and_drawn_alone(tmp_path: Path) -> None:
    others = [kind for kind in OBJECTS if kind != "teapot"]
    assert {sample_attributes(0, index, others).object for index in range(400)} == set(others)
    assert sample_attributes(0, 3, others) == sample_attributes(0, 3, others[::-1])
    rows = _rows(write_sample(tmp_path / "teapots", 3, 32, 0, objects=("teapot",)))
    assert {row["object"] for row in rows} == {"teapot"}


def test_the_catalogue_of_the_base_is_drawn_as_it_was_when_the_base_learned_it() -> None:
    seen = hashlib.sha256()
    for index in (0, 1, 2, 7, 11, 11_999):
        attributes = sample_attributes(1, index, BASE_KINDS)
        seen.update(sample_drawing(1, index, 64, attributes).picture.tobytes())
        seen.update(json.dumps([asdict(attributes), sample_captions(1, index, attributes, "both")]).encode())
    assert seen.hexdigest() == "95e03249eff0b36a45d4e40e1e4d8669d8a201de405e752acfabd2fe6be852c9"


def test_the_new_line_is_none_of_what_the_base_has_seen() -> None:
    assert set(OBJECTS) - set(BASE_KINDS) == {NEW_LINE}
    assert {sample_attributes(0, index).object for index in range(400)} == set(BASE_KINDS)
    words = {word for table in (en.OBJECTS, ja.OBJECTS) for kind in BASE_KINDS for word in table[kind]}
    assert words.isdisjoint({*en.OBJECTS[NEW_LINE], *ja.OBJECTS[NEW_LINE]})


def test_every_value_of_every_attribute_occurs_and_only_with_what_it_goes_with() -> None:
    seen = [sample_attributes(0, index) for index in range(600)]
    tables: dict[str, Sequence[str]] = {
        "object": BASE_KINDS,
        "color": list(COLORS),
        "second_color": [*COLORS, "none"],
        "pattern": PATTERNS,
        "material": MATERIALS,
        "size": list(SIZES),
        "position": list(POSITIONS),
        "view": list(VIEWS),
        "light": list(LIGHTS),
        "background": list(BACKGROUNDS),
    }
    assert tuple(tables) == NAMES
    for name, values in tables.items():
        assert {getattr(attributes, name) for attributes in seen} == set(values)
    for attributes in seen:
        assert attributes.second_color != attributes.color
        assert attributes.second_color != "none" or attributes.pattern == "plain"
        assert attributes.material in OBJECTS[attributes.object].materials


def test_the_main_color_is_read_right_from_98_of_100_pictures_of_all_products_and_patterns() -> None:
    asked = [
        replace(sample_attributes(7, 10 * row + column, [kind]), pattern=pattern)
        for row, kind in enumerate(OBJECTS)
        for column, pattern in enumerate([*PATTERNS, *PATTERNS])
    ]
    asked = [attributes for attributes in asked if attributes.second_color != "none" or attributes.pattern == "plain"]
    drawings = [sample_drawing(7, index, 64, attributes) for index, attributes in enumerate(asked)]
    read = [main_color(drawing.picture, drawing.mask) for drawing in drawings]
    right = [color == attributes.color for color, attributes in zip(read, asked, strict=True)]
    assert len(right) > 130
    assert sum(right) >= 0.98 * len(right)


def test_the_main_color_of_a_flat_patch_is_the_nearest_color_of_the_palette() -> None:
    mask = np.ones((4, 4), dtype=np.bool_)
    for name, color in COLORS.items():
        assert main_color(Image.new("RGB", (4, 4), color), mask) == name
        assert main_color(Image.new("RGB", (4, 4), tuple(round(0.8 * level) for level in color)), mask) == name
    with pytest.raises(ValueError, match="at least one pixel"):
        main_color(Image.new("RGB", (4, 4)), ~mask)


@pytest.mark.parametrize("kind", OBJECTS)
def test_each_change_of_one_attribute_can_be_seen(kind: str) -> None:
    before = _product(kind)
    drawn = sample_drawing(0, 4, 48, before)
    for name in NAMES:
        value = other_values(before, name)[-1]
        after = sample_drawing(0, 4, 48, changed(before, name, value))
        where = np.ones_like(drawn.mask) if name == "background" else drawn.mask | after.mask
        difference = np.abs(_levels(drawn.picture) - _levels(after.picture))[where].mean()
        assert difference > 2.5, (name, value, difference)


def test_an_edit_of_the_color_leaves_all_else_as_it_is() -> None:
    for kind in OBJECTS:
        before, after = _product(kind), changed(_product(kind), "color", "red")
        one, other = (sample_drawing(0, 2, 48, attributes) for attributes in (before, after))
        assert (one.mask == other.mask).all()
        outside = np.asarray(Image.fromarray(one.mask).convert("L").filter(ImageFilter.MaxFilter(5))) == 0
        assert outside.any()
        assert (_levels(one.picture)[outside] == _levels(other.picture)[outside]).all()


def test_edits_of_light_material_and_pattern_keep_the_shape_and_the_pose() -> None:
    for name in ("second_color", "pattern", "material", "light", "background"):
        masks = [sample_drawing(0, 2, 48, BLUE_MUG).mask]
        masks += [
            sample_drawing(0, 2, 48, changed(BLUE_MUG, name, value)).mask for value in other_values(BLUE_MUG, name)
        ]
        assert all((mask == masks[0]).all() for mask in masks)


def test_products_have_the_size_and_the_place_they_are_said_to_have() -> None:
    def box(kind: str, size: str, position: str) -> tuple[int, int, int, int]:
        mask = sample_drawing(3, 1, 64, _product(kind, size=size, position=position)).mask
        rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
        return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1

    for kind in OBJECTS:
        for size, share in SIZES.items():
            top, foot, left, right = box(kind, size, "center")
            assert max(foot - top, right - left) == pytest.approx(64 * share, abs=1.5 + 0.05 * 64 * share)
            assert min(top, left) > 0
            assert max(foot, right) < 64
        boxes = [box(kind, "large", position) for position in POSITIONS]
        middles = [(left + right) / 2 for _, _, left, right in boxes]
        assert middles[0] + 2 < middles[1] < middles[2] - 2
        assert min(left for _, _, left, _ in boxes) > 0
        assert max(right for _, _, _, right in boxes) < 64


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if pattern != "plain"])
def test_a_patterned_product_shows_both_of_its_colors_and_more_of_the_first(pattern: str) -> None:
    for kind in OBJECTS:
        drawing = sample_drawing(1, 1, 64, _product(kind, pattern=pattern))
        red, _, blue = _levels(drawing.picture)[drawing.mask].T
        yellow, blues = (red - blue > 20).sum(), (blue - red > 20).sum()
        assert 0.12 < yellow / (yellow + blues) < 0.55


def test_a_product_casts_a_shadow_on_the_side_away_from_the_light() -> None:
    for kind in ("mug", "shirt"):
        shown = {light: sample_drawing(0, 2, 64, _product(kind, light=light)) for light in ("left", "right")}
        background = ~shown["left"].mask
        column = np.broadcast_to(np.arange(64), (64, 64))[background]
        darkness = {light: 255 - _levels(drawing.picture).mean(-1)[background] for light, drawing in shown.items()}
        middle = {light: (dark**2 * column).sum() / (dark**2).sum() for light, dark in darkness.items()}
        assert middle["left"] > middle["right"] + 3


def test_all_kinds_can_be_told_apart_by_their_shape() -> None:
    def shapes(seeds: range) -> tuple[NDArray[np.float64], list[str]]:
        kinds = [kind for kind in OBJECTS for _ in seeds]
        drawn = [
            draw(_product(kind, view="front"), 32, np.random.default_rng(seed)).mask
            for kind in OBJECTS
            for seed in seeds
        ]
        mirrored = [mask[:, ::-1] for mask in drawn]
        return np.stack([drawn, mirrored], 1).reshape(len(kinds), 2, -1).astype(np.float64), kinds

    known, known_kinds = shapes(range(5))
    new, new_kinds = shapes(range(5, 7))
    distance = ((new[:, None, :1] - known[None]) ** 2).sum(-1).min(-1)
    right = [known_kinds[index] == kind for index, kind in zip(distance.argmin(1), new_kinds, strict=True)]
    assert sum(right) >= 0.9 * len(right)


def _said(tables: Mapping[str, tuple[str, ...]], text: str, *, whole_words: bool) -> set[str]:
    """Which values of a table a text names, longer words first."""
    found = set()
    words = sorted(((word, value) for value, words in tables.items() for word in words), key=lambda pair: -len(pair[0]))
    for word, value in words:
        pattern = rf"(?<![\w-]){re.escape(word)}(?![\w-])" if whole_words else re.escape(word)
        if re.search(pattern, text, re.IGNORECASE):
            found.add(value)
            text = re.sub(pattern, " ", text, flags=re.IGNORECASE)
    return found


def test_english_captions_never_say_what_is_not_there() -> None:
    colors = {name: en.COLORS.get(name, (name,)) for name in COLORS}
    grounds = {name: en.BACKGROUNDS.get(name, (name,)) for name in BACKGROUNDS}
    for index in range(500):
        attributes, texts = _texts(index, ("en", "en", "en"))
        assert len(set(texts)) == 3
        for text in texts:
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|  | ,|\{|\.\.|,$", text.lower())
            assert _said(en.OBJECTS, text, whole_words=True) <= {attributes.object}
            ground = re.search(r"([\w ]+?) background", text)
            if ground:
                named = ground[1].removeprefix("on ").split(" a ")[-1].split(" an ")[-1].strip()
                assert named.lower() in {word.lower() for word in grounds[attributes.background]}
                text = text.replace(ground[0], "")
            assert _said(colors, text, whole_words=True) <= {attributes.color, attributes.second_color}
            for table, name in ((en.PATTERNS, "pattern"), (en.SIZES, "size"), (en.VIEWS, "view")):
                assert _said(table, text, whole_words=True) <= {getattr(attributes, name)}
            assert _said(en.POSITIONS, text, whole_words=True) <= {attributes.position}


def test_a_color_stands_before_the_thing_that_has_it() -> None:
    for index in range(300):
        attributes, texts = _texts(index, ("en", "en", "en"))
        words = en.COLORS.get(attributes.second_color, (attributes.second_color,))
        for text in texts:
            parts = "|".join(sorted(en.PARTS[attributes.object], key=len, reverse=True))
            named = re.search(rf"(\w+) ({parts})\b", text)
            assert named is None or named[1].lower() in words


def test_japanese_captions_never_say_what_is_not_there() -> None:
    for index in range(500):
        attributes, texts = _texts(index, ("ja", "ja", "ja"))
        assert len(set(texts)) == 3
        for text in texts:
            assert text.strip()
            assert any(word in text for word in ja.OBJECTS[attributes.object])
            assert not re.search(r"[a-zA-Z]{2,}|のの|、、|。。|です、|[のと×・/]$|^[の、]", text)
            ground = _said(ja.BACKGROUNDS, text, whole_words=False)
            assert ground <= {attributes.background}
            for word in ja.BACKGROUNDS[attributes.background]:
                text = text.replace(word, "")
            assert _said(ja.COLORS, text, whole_words=False) <= {attributes.color, attributes.second_color}
            assert _said(ja.PATTERNS, text, whole_words=False) <= {attributes.pattern}
            assert _said(ja.VIEWS, text, whole_words=False) <= {attributes.view}
            assert _said(ja.POSITIONS, text, whole_words=False) <= {attributes.position}
            assert _said(ja.SIZES, text, whole_words=False) <= {attributes.size}


def test_captions_differ_in_length_order_and_completeness() -> None:
    texts = [text for index in range(300) for text in _texts(index, ("en", "en", "en"))[1]]
    lengths = sorted(len(text.split()) for text in texts)
    assert lengths[15] <= 2
    assert lengths[-15] >= 14
    assert len(set(texts)) > 0.85 * len(texts)
    assert 0.2 < sum(text[0].isupper() for text in texts) / len(texts) < 0.8
    assert 0.1 < sum(text.endswith(".") for text in texts) / len(texts) < 0.6


def test_both_languages_are_found_under_every_picture() -> None:
    for index in range(20):
        texts = sample_captions(0, index, sample_attributes(0, index), "both")
        assert 1 <= sum(text.isascii() for text in texts) <= 2


def test_captions_can_be_learned_and_have_something_to_swap() -> None:
    texts = [text for index in range(1000) for text in _texts(index, LANGUAGES["both"][index % 2])[1]]
    tokenizer = Tokenizer.train(texts[:2700], 2048)
    assert [word for text in texts[2700:] for word in tokenizer.unknown(text)] == []
    tokens = tokenizer.encode(texts)
    assert not (tokens < 3)[tokens != 0].any()
    assert float((tokens[:, -1] != 0).float().mean()) < 0.01  # hardly any is cut
    rng = np.random.default_rng(0)
    assert sum(swap_word(text, rng) is not None for text in texts) > 0.7 * len(texts)


def test_a_swapped_word_says_something_that_the_caption_did_not_say() -> None:
    def said(text: str) -> set[tuple[str, str]]:
        return {
            (form.kind, form.family[match["word"].lower()]) for form in FORMS for match in form.pattern.finditer(text)
        }

    rng = np.random.default_rng(0)
    for index in range(100):
        for text in _texts(index, ("en", "ja"))[1]:
            swapped = swap_word(text, rng)
            if swapped is not None:
                assert len(said(swapped) - said(text)) == 1


def test_only_changes_that_can_be_drawn_are_offered_and_taken() -> None:
    plain = replace(BLUE_MUG, pattern="plain", second_color="none")
    assert other_values(plain, "pattern") == []
    assert "none" in other_values(replace(BLUE_MUG, pattern="plain"), "second_color")
    assert "none" not in other_values(BLUE_MUG, "second_color")
    assert set(other_values(BLUE_MUG, "object")) == {
        kind for kind, product in OBJECTS.items() if "glossy" in product.materials and kind != "mug"
    }
    assert changed(BLUE_MUG, "size", "small") == replace(BLUE_MUG, size="small")
    with pytest.raises(UserError, match="material='leather': expected one of matte, metal for this picture"):
        changed(BLUE_MUG, "material", "leather")
    with pytest.raises(UserError, match="attribute 'weight': expected one of object, color"):
        changed(BLUE_MUG, "weight", "heavy")


def test_mistakes_are_named(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    for arguments, message in (
        ((tmp_path, 1, 32, 0), "expected a new or an empty folder"),
        ((tmp_path / "new", 0, 32, 0), "num_pictures=0: expected 1 or more"),
        ((tmp_path / "new", 1, 8, 0), "size=8: expected 16 or more"),
        ((tmp_path / "new", 1, 32, -1), "seed=-1: expected 0 or more"),
        ((tmp_path / "mine.txt", 1, 32, 0), "expected a new or an empty folder"),
        ((tmp_path / "mine.txt" / "below", 1, 32, 0), "could not be written"),
    ):
        with pytest.raises(UserError, match=message):
            write_sample(*arguments)
    with pytest.raises(UserError, match="language='fr': expected one of en, ja, both"):
        write_sample(tmp_path / "new", 1, 32, 0, "fr")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="objects: expected some of mug, .* got 'zebra'"):
        write_sample(tmp_path / "new", 1, 32, 0, objects=("mug", "zebra"))
    with pytest.raises(UserError, match="got none at all"):
        write_sample(tmp_path / "new", 1, 32, 0, objects=())
    assert not (tmp_path / "new").exists()


def test_an_interrupted_catalogue_is_not_taken_for_whole_and_is_drawn_again(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    folder.mkdir()
    (folder / "metadata.jsonl.part").write_text("what a killed process leaves")
    (folder / "0000").write_text("in the way of the pictures")
    with pytest.raises(UserError, match="could not be written"):
        write_sample(folder, 2, 32, 0)
    assert not (folder / "metadata.jsonl").exists()
    (folder / "0000").unlink()
    assert len(_rows(write_sample(folder, 2, 32, 0))) == 2


def test_variants_show_one_shot_in_other_colors_patterns_and_backgrounds(tmp_path: Path) -> None:
    rows = _rows(write_sample(tmp_path / "shots", 36, 32, 5, variants=3))
    assert [row["same_shot"] for row in rows] == [str(number // 3) for number in range(36)]
    changed = []
    for first in range(0, 36, 3):
        shot = rows[first : first + 3]
        assert len({(row["color"], row["pattern"], row["background"]) for row in shot}) == 3
        assert len({row["texts"][0] for row in shot}) == 3  # each difference is told
        for row in shot[1:]:
            differs = [name for name in NAMES if row[name] != shot[0][name]]
            assert len(differs) == 1
            changed += differs
    assert set(changed) == {"color", "pattern", "background"}
    assert "same_shot" not in _rows(write_sample(tmp_path / "plain", 2, 32, 5))[0]
    pairs = _rows(write_sample(tmp_path / "pairs", 240, 32, 5, variants=2))
    twins = [(a, b) for a, b in zip(pairs[::2], pairs[1::2], strict=True) if a["second_color"] != "none"]
    for name, share in CHANGED.items():
        assert abs(sum(a[name] != b[name] for a, b in twins) / len(twins) - share) < 0.15
    with pytest.raises(UserError, match="variants=0: expected 1 or more"):
        write_sample(tmp_path / "none", 2, 32, 5, variants=0)
