from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bespoke.data.captions import Tokenizer, swap_word
from bespoke.data.catalogue import Catalogue
from bespoke.data.lexicon import FORMS
from bespoke.data.sample import LANGUAGES, sample_attributes, write_sample
from bespoke.data.sample_captions import ENGLISH, JAPANESE, captions
from bespoke.data.sample_objects import OBJECTS
from bespoke.data.sample_pictures import BACKGROUNDS, COLORS, PATTERNS, POSITIONS, SIZES, draw
from bespoke.errors import UserError

PLAIN = {
    "object": "ball",
    "color": "blue",
    "pattern": "plain",
    "accent": "none",
    "size": "large",
    "position": "center",
    "background": "white",
}


def _pixels(seed: int = 0, side: int = 64, **changes: str) -> NDArray[np.int64]:
    """[H, W, 3]"""
    return np.asarray(draw(PLAIN | changes, side, random.Random(seed)), dtype=np.int64)


def _blue(pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a blue product is, [H, W]."""
    return pixels[..., 2] - pixels[..., 0] > 60


def _rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]


def _texts(index: int, languages: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    attributes = sample_attributes(5, index)
    return attributes, captions(attributes, languages, random.Random(index))


def test_a_larger_catalogue_begins_with_the_smaller_one(tmp_path: Path) -> None:
    small, large = (write_sample(tmp_path / str(count), count, 32, 1, "both") for count in (3, 6))
    assert _rows(large)[:3] == _rows(small)
    assert len(_rows(large)) == 6
    for row in _rows(small):
        name = str(row["file_name"])
        assert (small / name).read_bytes() == (large / name).read_bytes()


def test_pictures_depend_on_the_seed_and_not_on_the_language(tmp_path: Path) -> None:
    english, japanese = (write_sample(tmp_path / language, 2, 32, 1, language) for language in ("en", "ja"))
    other = write_sample(tmp_path / "other", 2, 32, 2, "en")
    first = "0000/000.png"
    assert (english / first).read_bytes() == (japanese / first).read_bytes()
    assert (english / first).read_bytes() != (other / first).read_bytes()
    assert [{**row, "texts": None} for row in _rows(english)] == [{**row, "texts": None} for row in _rows(japanese)]


def test_the_catalogue_reader_reads_it(tmp_path: Path) -> None:
    items = list(Catalogue.open(write_sample(tmp_path / "sample", 4, 32, 0, "both")))
    assert [item.attributes for item in items] == [sample_attributes(0, index) for index in range(4)]
    assert all(len(set(item.texts)) == 3 for item in items)


def test_pictures_have_the_size_asked_for(tmp_path: Path) -> None:
    for size in (16, 50, 128):
        folder = write_sample(tmp_path / str(size), 1, size, 0)
        with Image.open(folder / "0000/000.png") as picture:
            assert (picture.size, picture.mode) == ((size, size), "RGB")


def test_every_value_of_every_attribute_occurs() -> None:
    seen = [sample_attributes(0, index) for index in range(400)]
    for name, values in (
        ("object", OBJECTS),
        ("color", COLORS),
        ("pattern", PATTERNS),
        ("size", SIZES),
        ("position", POSITIONS),
        ("background", BACKGROUNDS),
        ("accent", [*COLORS, "none"]),
    ):
        assert {attributes[name] for attributes in seen} == set(values)
    assert all((attributes["accent"] == "none") == (attributes["pattern"] == "plain") for attributes in seen)


@pytest.mark.parametrize("color", COLORS)
def test_a_product_has_the_color_it_is_said_to_have(color: str) -> None:
    middle = _pixels(object="shirt", color=color, background="light blue")[28:40, 28:36].mean((0, 1))
    distances = {name: float(np.abs(middle - value).sum()) for name, value in COLORS.items()}
    assert min(distances, key=distances.__getitem__) == color


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if pattern != "plain"])
@pytest.mark.parametrize("size", SIZES)
def test_a_patterned_product_shows_both_of_its_colors(pattern: str, size: str) -> None:
    pixels = _pixels(object="shirt", pattern=pattern, accent="yellow", size=size)
    yellow = (pixels[..., 0] - pixels[..., 2] > 80).sum()
    assert 0.15 < yellow / (yellow + _blue(pixels).sum()) < 0.75


def test_products_differ_in_size_and_stand_where_they_are_said_to_stand() -> None:
    for kind in OBJECTS:
        areas = [_blue(_pixels(seed, object=kind, size=size)).sum() for seed in range(3) for size in SIZES]
        assert max(areas[0::3]) < min(areas[1::3])
        assert max(areas[1::3]) < min(areas[2::3])
        for size in SIZES:
            columns = {
                position: np.nonzero(_blue(_pixels(object=kind, size=size, position=position)))[1]
                for position in POSITIONS
            }
            assert columns["left"].mean() + 4 < columns["center"].mean() < columns["right"].mean() - 4
            assert min(found.min() for found in columns.values()) >= 0
            assert max(found.max() for found in columns.values()) <= 63


def test_no_product_is_cut_by_the_edge() -> None:
    for kind in OBJECTS:
        for position in POSITIONS:
            for seed in range(3):
                shape = _blue(_pixels(seed, object=kind, position=position))
                assert not (shape[0] | shape[-1] | shape[:, 0] | shape[:, -1]).any()


@pytest.mark.parametrize("size", [32, 64])
def test_all_kinds_can_be_told_apart_by_their_shape(size: int) -> None:
    def shapes(seeds: range) -> tuple[NDArray[np.float64], list[str]]:
        kinds = [kind for kind in OBJECTS for _ in seeds]
        pictures = [_blue(_pixels(seed, size, object=kind)) for kind in OBJECTS for seed in seeds]
        return np.stack(pictures).reshape(len(kinds), -1).astype(np.float64), kinds

    known, known_kinds = shapes(range(8))
    new, new_kinds = shapes(range(8, 12))
    nearest = ((new[:, None] - known[None]) ** 2).sum(-1).argmin(1)
    assert [known_kinds[index] for index in nearest] == new_kinds


def test_english_captions_name_only_what_is_there() -> None:
    sizes = {word: size for size, words in ENGLISH["size"].items() for word in words if word}
    nouns = {word.split()[-1]: kind for kind, words in ENGLISH["object"].items() for word in words}
    colors = re.compile(r"\b(" + "|".join([*COLORS, "grey", "violet"]) + r")\b")
    same = {"grey": "gray", "violet": "purple"}
    for index in range(300):
        attributes, texts = _texts(index, ("en", "en", "en"))
        assert len(set(texts)) == 3
        assert colors.search(texts[0])
        true_colors = {attributes["color"], attributes["accent"], attributes["background"].split()[-1]}
        for text in texts:
            words = text.lower().strip(".").replace(",", "").split()
            assert {nouns[word] for word in words if word in nouns} == {attributes["object"]}
            assert {sizes[word] for word in words if word in sizes} <= {attributes["size"]}
            assert {same.get(color, color) for color in colors.findall(text.lower())} <= true_colors
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|  | ,|\{", text.lower())
            for position in POSITIONS:
                assert position == attributes["position"] or f"the {position}" not in text


def test_japanese_captions_name_only_what_is_there() -> None:
    for index in range(300):
        attributes, texts = _texts(index, ("ja", "ja", "ja"))
        assert len(set(texts)) == 3
        for text in texts:
            assert any(word in text for word in JAPANESE["object"][attributes["object"]])
            for position, words in JAPANESE["position"].items():
                assert position == attributes["position"] or not any(word in text for word in words)
            for pattern, words in JAPANESE["marks"].items():
                assert pattern == attributes["pattern"] or not any(word in text for word in words)
        assert any(word in texts[0] for word in JAPANESE["background"][attributes["background"]])


def test_both_languages_are_found_under_every_picture() -> None:
    for index in range(20):
        _, texts = _texts(index, LANGUAGES["both"][index % 2])
        assert 1 <= sum(text.isascii() for text in texts) <= 2


def test_captions_can_be_learned_and_have_something_to_swap() -> None:
    texts = [text for index in range(400) for text in _texts(index, LANGUAGES["both"][index % 2])[1]]
    tokenizer = Tokenizer.train(texts[:900], 2048)
    assert [word for text in texts[900:] for word in tokenizer.unknown(text)] == []
    tokens = tokenizer.encode(texts)
    assert not (tokens < 3)[tokens != 0].any()
    assert float((tokens[:, -1] != 0).float().mean()) == 0  # none is cut
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


def test_mistakes_are_named(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    for arguments, message in (
        ((tmp_path, 1, 32, 0), "expected a new or an empty folder"),
        ((tmp_path / "new", 0, 32, 0), "num_pictures=0: expected 1 or more"),
        ((tmp_path / "new", 1, 8, 0), "size=8: expected 16 or more"),
        ((tmp_path / "mine.txt", 1, 32, 0), "expected a new or an empty folder"),
        ((tmp_path / "mine.txt" / "below", 1, 32, 0), "could not be written"),
    ):
        with pytest.raises(UserError, match=message):
            write_sample(*arguments)
    with pytest.raises(UserError, match="language='fr': expected one of en, ja, both"):
        write_sample(tmp_path / "new", 1, 32, 0, "fr")  # type: ignore[arg-type]
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
