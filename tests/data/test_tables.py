from __future__ import annotations

import json
from pathlib import Path

import pytest

from bespoke.data.tables import Row, read_table
from bespoke.errors import UserError

ROSE = Row("a/rose.png", ("a red rose",), {"color": "red", "price": "12"})
JAPANESE = "赤い花、白い花瓶"


def csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "metadata.csv"
    path.write_text(text, encoding, newline="")
    return path


def jsonl(folder: Path, *lines: str) -> Path:
    path = folder / "metadata.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_jsonl_csv_xlsx_and_parquet_say_the_same(tmp_path: Path) -> None:
    openpyxl, pyarrow = pytest.importorskip("openpyxl"), pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    record = {"file_name": "a/rose.png", "text": "a red rose", "color": "red", "price": 12}
    jsonl(tmp_path, json.dumps(record))
    csv(tmp_path, "file_name,text,color,price\na/rose.png,a red rose,red,12\n")
    book = openpyxl.Workbook()
    book.active.append(list(record))
    book.active.append(list(record.values()))
    book.save(tmp_path / "metadata.xlsx")
    parquet.write_table(pyarrow.Table.from_pylist([record]), tmp_path / "metadata.parquet")
    for kind in ("jsonl", "csv", "xlsx", "parquet"):
        assert list(read_table(tmp_path / f"metadata.{kind}")) == [ROSE], kind


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_csv_is_read_in_the_encodings_that_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    path = csv(tmp_path, f'file_name,text\r\n花.png,"{JAPANESE}"\r\n', encoding)
    assert list(read_table(path)) == [Row("花.png", (JAPANESE,), {})]


def test_csv_in_another_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither UTF-8 nor Shift_JIS"):
        list(read_table(csv(tmp_path, "file_name,text\nx.png,pot\n", "utf-16")))


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        ({"texts": ["one", " two ", ""]}, ("one", "two")),
        ({"text": "one", "texts": ["two"]}, ("one", "two")),
        ({"text": '["one", "two"]'}, ("one", "two")),
        ({"text": "[sic] a vase"}, ("[sic] a vase",)),
        ({"text": "   "}, ()),
        ({"text": None}, ()),
    ],
)
def test_captions_come_as_a_string_a_list_or_a_written_list(tmp_path: Path, cells: dict, texts: tuple) -> None:
    (row,) = read_table(jsonl(tmp_path, json.dumps({"file_name": "x.png", **cells})))
    assert row.texts == texts


def test_attributes_are_strings_and_empty_cells_are_none(tmp_path: Path) -> None:
    line = json.dumps(
        {"file_name": "x.png", "text": "pot", "n": 3, "new": True, "tags": ["a"], "sku": "", "note": None}
    )
    (row,) = read_table(jsonl(tmp_path, line))
    assert row.attributes == {"n": "3", "new": "true", "tags": '["a"]'}


def test_backslashes_of_windows_are_understood(tmp_path: Path) -> None:
    (row,) = read_table(csv(tmp_path, "file_name,text\npictures\\rose.png,pot\n"))
    assert row.file_name == "pictures/rose.png"


@pytest.mark.parametrize("name", ["../secret.png", "/etc/secret.png", "a/../../secret.png", "C:\\secret.png"])
def test_a_file_outside_the_catalogue_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"metadata\.jsonl:1: .*outside the catalogue"):
        list(read_table(jsonl(tmp_path, json.dumps({"file_name": name, "text": "pot"}))))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not JSON"),
        ("[1]", "expected a JSON object"),
        ('{"text": "pot"}', "no file_name"),
        ('{"file_name": "", "text": "pot"}', "no file_name"),
        ('{"file_name": "x.png", "caption": "pot"}', "no column text or texts .*caption"),
        ('{"file_name": "x.png", "text": 5}', "text is 5; expected a string"),
        ('{"file_name": "x.png", "texts": [5]}', "expected a string"),
    ],
)
def test_a_bad_line_is_named_by_file_and_number(tmp_path: Path, line: str, complaint: str) -> None:
    good = json.dumps({"file_name": "x.png", "text": "pot"})
    with pytest.raises(UserError, match=rf"metadata\.jsonl:2: .*{complaint}") as caught:
        list(read_table(jsonl(tmp_path, good, line)))
    assert "\n" not in str(caught.value)


def test_a_csv_line_with_an_unquoted_comma_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"metadata\.csv:2: more cells than columns"):
        list(read_table(csv(tmp_path, "file_name,text\nx.png,red, round pot\n")))


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path, kind: str) -> None:
    pytest.importorskip({"xlsx": "openpyxl", "parquet": "pyarrow"}[kind])
    path = tmp_path / f"metadata.{kind}"
    path.write_bytes(b"no such thing")
    with pytest.raises(UserError, match="not a"):
        list(read_table(path))
