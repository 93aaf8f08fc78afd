from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from bespoke.data.file_names import FileFinder


def put(folder: Path, *names: str) -> FileFinder:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return FileFinder(folder)


GLASS = "ガラス/グラス.png"
APART = unicodedata.normalize("NFD", GLASS)


@pytest.mark.parametrize(
    ("on_disk", "in_table"),
    [
        (APART, GLASS),
        (GLASS, APART),
        ("ＣＵＰ０１.png", "CUP01.png"),
        ("CUP01.png", "ＣＵＰ０１.ｐｎｇ"),
        ("ガラス/グラス.png", "ｶﾞﾗｽ/ｸﾞﾗｽ.png"),
        ("IMG_01.JPG", "img_01.jpg"),
        ("花〜束.png", "花～束.png"),  # the wave dash of macOS and that of Windows
        ("2026/A-1001.jpg", "2026/A-1001"),
        ("2026/A-1001.jpg", "2026/A-1001.JPEG"),
        ("2026/spring/A-1001.jpg", "a-1001.jpg"),
        ("2026/spring/A-1001.jpg", "A-1001"),
        ("00100.png", "100"),  # as it is after a CSV was opened in a spreadsheet
        ("2026/00100.png", "１００"),
        ("0.png", "00"),
        (os.fsdecode("花束.png".encode("cp932")), "花束.png"),
    ],
)
def test_a_file_is_found_however_its_name_is_written(tmp_path: Path, on_disk: str, in_table: str) -> None:
    assert put(tmp_path, on_disk, "other.png").find(in_table) == on_disk


def test_a_name_that_is_right_is_taken_even_where_others_are_alike(tmp_path: Path) -> None:
    finder = put(tmp_path, "Cup.png", "cup.png", "CUP.png")
    assert [finder.find(name) for name in ("cup.png", "CUP.png")] == ["cup.png", "CUP.png"]


@pytest.mark.parametrize(
    "name",
    [
        "cup.png",
        "no.png",
        "no/such.png",
        "no/such/0.png",
        "twice.png",
        "hidden.png",
        "cup",
        "..",
        "．．/x.png",
        "x" * 300,
        "a\0b",
    ],
)
def test_a_name_that_fits_no_file_or_several_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    files = ("Cup.png", "CUP.png", "a/0.png", "a/twice.png", "b/twice.png", ".trash/hidden.png")
    assert put(tmp_path, *files).find(name) == name


def test_a_number_with_other_zeros_is_taken_only_where_none_fits_better(tmp_path: Path) -> None:
    finder = put(tmp_path, "7.png", "007.png", "08.png", "008.png", "shoe9.png")
    assert [finder.find(name) for name in ("7", "007", "8", "9", "9.png")] == ["7.png", "007.png", "8", "9", "9.png"]
