from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from bespoke.data.catalogue import Catalogue
from bespoke.data.columns import Columns
from bespoke.errors import UserError

FolderMaker = Callable[..., Path]
PictureMaker = Callable[..., Path]


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(UserError, match=r"^no/such: no such folder"):
        Catalogue.open("no/such")


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"")
    with pytest.raises(UserError, match=r"x\.zip: a file; give the folder"):
        Catalogue.open(tmp_path / "x.zip")


def test_a_folder_without_captions_says_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"no captions found; add metadata\.jsonl"):
        Catalogue.open(tmp_path)


def test_items_are_streamed_and_not_collected(make_folder: FolderMaker) -> None:
    folder = make_folder(2)
    with (folder / "metadata.jsonl").open("a") as file:
        file.write("this line would raise\n")
    assert next(iter(Catalogue.open(folder))).name == "0.png"


def test_the_name_is_that_of_the_folder_and_fits_in_a_file_name(make_folder: FolderMaker) -> None:
    assert Catalogue.open(make_folder(1, name="my shop: 2026")).name == "my_shop_2026"


def test_the_fingerprint_is_stable_and_counts_the_items(make_folder: FolderMaker) -> None:
    catalogue = Catalogue.open(make_folder(3))
    assert catalogue.fingerprint() == catalogue.fingerprint() == Catalogue.open(catalogue.location).fingerprint()
    assert catalogue.num_items == 3


def test_the_fingerprint_changes_with_captions_attributes_and_files(make_folder: FolderMaker) -> None:
    folder = make_folder(2)
    seen = {Catalogue.open(folder).fingerprint()}
    for change in ({"text": "another"}, {"color": "red"}, {"split": "test"}):
        make_folder(2, row=lambda _, change=change: change)
        for number in range(2):
            os.utime(folder / f"{number}.png", ns=(0, 0))
        seen.add(Catalogue.open(folder).fingerprint())
    os.utime(folder / "0.png", ns=(1, 1))
    seen.add(Catalogue.open(folder).fingerprint())
    (folder / "1.png").unlink()
    seen.add(Catalogue.open(folder).fingerprint())
    assert len(seen) == 6


def test_a_folder_of_generated_pictures_is_a_catalogue(make_folder: FolderMaker) -> None:
    folder = make_folder(1, row=lambda _: {"seed": 7, "balance": 0.5, "alignment": 0.31, "model": "vases"})
    (item,) = Catalogue.open(folder)
    assert item.attributes == {"seed": "7", "balance": "0.5", "alignment": "0.31", "model": "vases"}
    assert json.loads((folder / "metadata.jsonl").read_text())["text"] == item.texts[0]


def test_columns_are_told_to_a_table_and_refused_where_there_is_none(tmp_path: Path, make_folder: FolderMaker) -> None:
    folder = make_folder(1, row=lambda _: {"title": "a vase", "text": None})
    told = Catalogue.open(folder, Columns(texts=("title",)))
    assert [item.texts for item in told] == [("a vase",)]
    assert told.chosen_columns() == ("file_name", ("title",), None)
    assert told.fingerprint() != Catalogue.open(folder).fingerprint()
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "x.png").write_bytes(b"")
    (tmp_path / "pairs" / "x.txt").write_text("pot")
    assert Catalogue.open(tmp_path / "pairs").chosen_columns() is None
    with pytest.raises(UserError, match="pairs: no metadata table in it, so it has no columns; leave out --file"):
        Catalogue.open(tmp_path / "pairs", Columns(texts=("title",)))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("商品.XLSX", r"rename it to metadata\.xlsx"),
        ("商品.xls", r"save it as metadata\.xlsx or metadata\.csv"),
        ("商品.tsv", r"save it as metadata\.xlsx or metadata\.csv"),
    ],
)
def test_a_table_by_another_name_is_pointed_to(tmp_path: Path, name: str, told: str) -> None:
    for lock in ("~$0.xlsx", "._0.csv", name):
        (tmp_path / lock).write_bytes(b"")
    (tmp_path / "metadata.csv").mkdir()
    with pytest.raises(UserError, match=rf"if they are in {re.escape(name)}, {told}; else add"):
        Catalogue.open(tmp_path)


def test_a_table_saved_as_unicode_text_is_pointed_to(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("what this is", "utf-8")
    (tmp_path / "商品.txt").write_text("画像\t説明\nmug.png\t赤いカップ\n", "utf-16")
    with pytest.raises(UserError, match=r"if they are in 商品\.txt, rename it to metadata\.csv; else add"):
        Catalogue.open(tmp_path)


def test_pictures_are_found_though_names_are_written_otherwise(tmp_path: Path, make_picture: PictureMaker) -> None:
    make_picture(tmp_path / "２０２６" / unicodedata.normalize("NFD", "グラス.png"))
    table = "ファイル名;説明\r\n2026\\ｸﾞﾗｽ.PNG;赤いグラス\r\n"
    (tmp_path / "metadata.csv").write_bytes(table.encode("cp932"))
    (item,) = Catalogue.open(tmp_path)
    assert (item.texts, item.name) == (("赤いグラス",), "２０２６/" + unicodedata.normalize("NFD", "グラス.png"))
    with item.open() as stream:
        assert stream.read(4) == b"\x89PNG"
