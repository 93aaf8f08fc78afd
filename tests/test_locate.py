"""Is a model found where people say it is, and does the one that comes with Bespoke draw?"""

from __future__ import annotations

from pathlib import Path

import pytest

from bespoke.errors import UserError
from bespoke.locate import BASES, INDEX, bases, model_folder
from bespoke.pipeline import Pipeline

MOST_BYTES = 16 * 2**20  # of all that lives with the package


def test_a_run_stands_for_its_model_and_a_folder_for_itself(tmp_path: Path) -> None:
    (tmp_path / "run" / "model").mkdir(parents=True)
    assert model_folder(tmp_path / "run") == tmp_path / "run" / "model"
    assert model_folder(tmp_path / "run" / "model") == tmp_path / "run" / "model"


def test_a_model_of_ones_own_goes_before_the_one_that_comes_with_bespoke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "products").mkdir()  # a catalogue, perhaps
    assert model_folder("products") == BASES / "products"
    (tmp_path / "products" / INDEX).touch()
    assert model_folder("products") == Path("products")


def test_what_is_nowhere_is_named_with_what_there_is() -> None:
    with pytest.raises(UserError, match=r"^prodcts: no such folder; give a run.* comes with Bespoke: products$"):
        model_folder("prodcts")


def test_a_file_and_an_empty_name_are_not_looked_for_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shop").mkdir()
    Path("shop/mug.png").touch()
    with pytest.raises(UserError, match="shop/mug.png: a file, and a model is a folder"):
        model_folder("shop/mug.png")
    with pytest.raises(UserError, match="an empty name"):
        model_folder("")


def test_a_run_that_has_not_saved_yet_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    with pytest.raises(UserError, match="a run without a model yet"):
        model_folder(tmp_path)


def test_every_model_that_comes_with_bespoke_is_whole_small_and_has_a_card() -> None:
    assert bases() == ["products"]
    assert sum(file.stat().st_size for file in BASES.rglob("*") if file.is_file()) < MOST_BYTES
    for name in bases():
        assert (BASES / name / "MODEL_CARD.md").is_file()
        out = Pipeline.from_pretrained(name)("a red mug", seed=0)
        assert out.images[0].size == (64, 64)
        assert not out.unknown_words
