from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from bespoke.commands.folders import claim_folder, free_name
from bespoke.data.catalogue import Catalogue
from bespoke.errors import UserError
from bespoke.generation import read_prompts, write_pictures
from bespoke.pipeline import Picture
from bespoke.provenance import read_mark

TEXTS = ["a red cup", "赤いカップ", '"quoted", with commas']


def picture(number: int, text: str = "a red cup") -> Picture:
    return Picture(Image.new("RGB", (16, 16), (number, 0, 0)), text, number, 0.25, 0.125)


def test_a_generation_is_a_catalogue(tmp_path: Path) -> None:
    files = list(write_pictures(map(picture, range(3), TEXTS), tmp_path, model="shop 0123"))
    assert [file.name for file in files] == ["000001.png", "000002.png", "000003.png"]
    items = list(Catalogue.open(tmp_path))
    assert [(item.name, item.texts) for item in items] == [(f.name, (t,)) for f, t in zip(files, TEXTS, strict=True)]
    assert items[2].attributes == {"seed": "2", "balance": "0.25", "alignment": "0.125", "model": "shop 0123"}
    with items[2].open() as stream:
        assert Image.open(stream).getpixel((0, 0)) == (2, 0, 0)


def test_every_picture_says_that_a_model_made_it(tmp_path: Path) -> None:
    (file,) = write_pictures([picture(7)], tmp_path, model="shop 0123")
    told = read_mark(file)
    assert told["digital_source_type"].endswith("trainedAlgorithmicMedia")
    assert (told["prompt"], told["seed"], told["balance"], told["model"]) == ("a red cup", 7, 0.25, "shop 0123")


def test_a_generation_that_is_broken_off_is_a_catalogue_of_what_is_there(tmp_path: Path) -> None:
    def broken() -> Iterator[Picture]:
        yield picture(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(write_pictures(broken(), tmp_path, model="shop"))
    assert len(list(Catalogue.open(tmp_path))) == 1


def test_half_a_surrogate_pair_does_not_break_the_table(tmp_path: Path) -> None:
    list(write_pictures([picture(1, "a \ud800 cup")], tmp_path, model="shop"))
    assert [item.texts for item in Catalogue.open(tmp_path)] == [("a ? cup",)]


def test_nothing_is_written_into_a_folder_that_holds_something(tmp_path: Path) -> None:
    assert claim_folder(tmp_path / "new" / "pictures").is_dir()
    assert claim_folder(tmp_path / "new" / "pictures")  # empty, so free
    with pytest.raises(UserError, match=r"not empty \(first: pictures\), nothing is overwritten"):
        claim_folder(tmp_path / "new")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file: pictures cannot be written there"):
        claim_folder(tmp_path / "file")


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    assert free_name(tmp_path / "pictures") == tmp_path / "pictures"
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures-2").touch()
    assert free_name(tmp_path / "pictures") == tmp_path / "pictures-3"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_texts_are_read_from_lines_tables_and_json_lines(tmp_path: Path, encoding: str) -> None:
    lines, table = tmp_path / "prompts.txt", tmp_path / "prompts.CSV"
    lines.write_text("\n\n".join(TEXTS) + "\n  \n", encoding)
    table.write_text('sku,text\n1,a red cup\n2,赤いカップ\n3,"""quoted"", with commas"\n', encoding)
    assert list(read_prompts(lines)) == list(read_prompts(table)) == TEXTS


def test_the_column_text_is_found_whatever_its_case_in_tables_and_sheets(tmp_path: Path) -> None:
    table, sheet = tmp_path / "prompts.csv", tmp_path / "prompts.xlsx"
    table.write_text("Sku,Text \n1,a red cup\n", "utf-8")
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (("SKU", "ＴＥＸＴ"), (1, "a red cup")):
        book.active.append(row)
    book.save(sheet)
    assert list(read_prompts(table)) == list(read_prompts(sheet)) == ["a red cup"]


def test_json_lines_may_hold_several_texts_a_row(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(json.dumps({"text": "one"}) + "\n" + json.dumps({"texts": ["two", "three"]}) + "\n", "utf-8")
    assert list(read_prompts(path)) == ["one", "two", "three"]


def test_texts_are_read_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"text": "one"}\n{"text": \n', "utf-8")
    prompts = read_prompts(path)
    assert next(prompts) == "one"
    with pytest.raises(UserError, match="prompts.jsonl:2: not JSON"):
        next(prompts)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("prompts.jsonl", b'{"text": ""}\n', r"prompts.jsonl:1: no text \(columns: text\)"),
        ("prompts.csv", b"caption\na red cup\n", r"prompts.csv:2: no text \(columns: caption\)"),
        ("prompts.json", b'["a red cup"]', r"prompts.json: .json is read neither as lines nor as a table; give a text"),
        ("prompts.tsv", b"sku\ttext\n1\ta red cup\n", "prompts.tsv: .tsv is read neither as lines nor as a table"),
        ("prompts.txt", "赤い cup".encode("utf-16-le"), "prompts.txt: neither UTF-8 nor Shift_JIS"),
    ],
)
def test_a_file_without_texts_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        list(read_prompts(tmp_path / name))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none.txt: no such file"):
        read_prompts(tmp_path / "none.txt")
