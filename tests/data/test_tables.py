from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from bespoke.data.columns import Columns
from bespoke.data.item import Problems
from bespoke.data.tables import Row, read_table, read_texts
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_csv_is_read_in_the_encodings_that_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    path = csv(tmp_path, f'file_name,text\r\n花.png,"{JAPANESE}"\r\n', encoding)
    assert list(read_table(path)) == [Row("花.png", (JAPANESE,), {})]


def test_csv_in_another_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="neither UTF-8 nor Shift_JIS"):
        list(read_table(csv(tmp_path, "file_name,text\nx.png,pot\n", "utf-16-le")))


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        ({"texts": ["one", " two ", ""]}, ("one", "two")),
        ({"text": "one", "texts": ["two"]}, ("one", "two")),
        ({"text": '["one", "two"]'}, ("one", "two")),
        ({"text": "[sic] a vase"}, ("[sic] a vase",)),
        ({"text": "   "}, ()),
        ({"text": None}, ()),
        ({"text": 5, "texts": [7.5]}, ("5", "7.5")),
        ({"text": "[2024]"}, ("[2024]",)),
        ({"text": "[" * 100_000}, ("[" * 100_000,)),
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


@pytest.mark.parametrize("name", ["../secret.png", "a/../../secret.png", "/", "C:\\.."])
def test_a_file_outside_the_catalogue_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"metadata\.jsonl:1: .*outside the catalogue"):
        list(read_table(jsonl(tmp_path, json.dumps({"file_name": name, "text": "pot"}))))


@pytest.mark.parametrize(
    "name", ["/etc/rose.png", "C:\\photos\\rose.png", "https://shop.example/img/rose.png?size=large", "C:rose.png"]
)
def test_a_place_elsewhere_stands_for_its_last_part(tmp_path: Path, name: str) -> None:
    (row,) = read_table(jsonl(tmp_path, json.dumps({"file_name": name, "text": "pot"})))
    assert row.file_name == "rose.png"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "expected a JSON object"),
        ('{"text": "pot"}', "no file_name"),
        ('{"file_name": "", "text": "pot"}', "no file_name"),
        ('{"file_name": "x.png", "text": true}', "text is True; expected a string"),
        ('{"file_name": "x.png", "texts": [{}]}', "expected a string"),
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


@pytest.mark.parametrize("separator", [";", "\t"])
def test_csv_may_be_separated_by_semicolons_or_tabs(tmp_path: Path, separator: str) -> None:
    path = csv(
        tmp_path, f'file_name{separator}text{separator}"size, in cm"\nx.png{separator}"red, round; old"{separator}7\n'
    )
    assert list(read_table(path)) == [Row("x.png", ("red, round; old",), {"size, in cm": "7"})]


def test_a_csv_without_the_names_of_its_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"metadata\.csv:2: x\.png stands where the names of the columns should"):
        list(read_table(csv(tmp_path, "x.png,a red pot\ny.png,a blue pot\n")))


def test_empty_rows_and_columns_without_a_name_are_passed_over(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    assert list(read_table(csv(tmp_path, "file_name,text,\n,,\nx.png,pot,7\n"))) == [Row("x.png", ("pot",), {})]
    book = openpyxl.Workbook()
    for row in (["file_name", "text", None, "color"], [None], ["x.png", 7.5, "lost", None], ["y.png", "pot"]):
        book.active.append(row)
    book.save(tmp_path / "metadata.xlsx")
    rows = [Row("x.png", ("7.5",), {}), Row("y.png", ("pot",), {})]
    assert list(read_table(tmp_path / "metadata.xlsx")) == rows


def test_a_remark_below_the_table_is_counted_and_passed_over(tmp_path: Path) -> None:
    path, problems = csv(tmp_path, "file_name,text\nx.png,pot\n,1 article in all\n"), Problems()
    assert [row.file_name for row in read_table(path, problems=problems)] == ["x.png"]
    assert list(problems) == [f"1 rows that name no picture (first: {path}:3)"]


def test_a_caption_can_be_put_together_from_columns(tmp_path: Path) -> None:
    path = csv(tmp_path, "写真,色,種類\nx.png,赤い,壺\ny.png,,\n", "cp932")
    rows = list(read_table(path, Columns(template="{色}{種類}")))
    assert rows == [Row("x.png", ("赤い壺",), {"色": "赤い", "種類": "壺"}), Row("y.png", (), {})]


def test_a_workbook_whose_sheet_is_broken_is_refused(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["file_name", "text"])
    book.active.append(["x.png", "pot"])
    book.save(tmp_path / "whole.xlsx")
    with ZipFile(tmp_path / "whole.xlsx") as whole, ZipFile(tmp_path / "metadata.xlsx", "w") as broken:
        for name in whole.namelist():
            content = whole.read(name)
            broken.writestr(name, content[:-80] if "sheet1" in name else content)
    with pytest.raises(UserError, match="not an xlsx workbook .*; save it again, or as CSV UTF-8") as caught:
        list(read_table(tmp_path / "metadata.xlsx"))
    assert "\n" not in str(caught.value)


def test_a_list_of_texts_names_no_pictures_and_keeps_lines_and_other_cells(tmp_path: Path) -> None:
    path = csv(tmp_path, "sku,caption,price\nA,a red rose,12\n\nB,,\n")
    assert list(read_texts(path)) == [(2, ["a red rose"], {"sku": "A", "price": "12"}), (4, [], {"sku": "B"})]
    built = list(read_texts(path, Columns(template="{SKU}: {caption}")))
    assert [texts for _, texts, _ in built] == [["A: a red rose"], ["B"]]
    with pytest.raises(UserError, match="metadata.csv:2: no column text or texts .columns: a, b.; say which"):
        list(read_texts(csv(tmp_path, "a,b\n1,2\n")))


def test_a_cell_that_is_merged_over_rows_stands_in_all_of_them(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["商品一覧"])
    sheet.merge_cells("A1:C1")
    sheet.append(["file_name", "color", "text"])
    for number in range(4):
        sheet.append([f"{number}.png", "赤", "a mug" if number < 2 else None])
    sheet.merge_cells("B3:B5")
    sheet.merge_cells("C4:C6")
    sheet.merge_cells("A7:A9")  # nothing of their own stands in these
    book.save(tmp_path / "metadata.xlsx")
    expected = [Row(f"{number}.png", ("a mug",), {"color": "赤"}) for number in range(4)]
    assert list(read_table(tmp_path / "metadata.xlsx")) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "1.png|2.PNG|3.jpg",
        "1.png, 2.png,3.png",
        "1.png\n2.png\n3.png",
        "https://a.jp/1.png?v=7 https://a.jp/2.png,3.png",
    ],
)
def test_of_several_pictures_in_a_cell_the_first_is_read_and_the_others_are_counted(tmp_path: Path, cell: str) -> None:
    problems, further = Problems(), "further pictures of a product that are not read"
    (row,) = read_table(jsonl(tmp_path, json.dumps({"file_name": cell, "text": "pot"})), problems=problems)
    assert row == Row("1.png", ("pot",), {})
    assert problems.counts == {further: 2}
    assert "2." in problems.examples[further][0]


def test_a_comma_in_a_name_parts_nothing(tmp_path: Path) -> None:
    (row,) = read_table(jsonl(tmp_path, json.dumps({"file_name": "mug, red|wide.png", "text": "pot"})))
    assert row.file_name == "mug, red|wide.png"


@pytest.mark.parametrize(
    ("first", "second"), [("画像1", "画像2"), ("Image 1", "Image 2"), ("商品画像パス１", "商品画像パス２")]
)
def test_of_several_columns_of_pictures_the_first_is_read_and_the_others_are_counted(
    tmp_path: Path, first: str, second: str
) -> None:
    problems = Problems()
    path = csv(tmp_path, f"商品名,{second},説明,{first}\n壺,/a/2.png,赤い壺,/a/1.png\n皿,,白い皿,3.png\n")
    assert [row.file_name for row in read_table(path, problems=problems)] == ["1.png", "3.png"]
    assert list(problems) == [f"1 further pictures of a product that are not read (first: {path}:2: /a/2.png)"]


def test_shopifys_further_rows_of_a_product_are_counted_and_its_html_is_read(tmp_path: Path) -> None:
    problems = Problems()
    path = csv(
        tmp_path,
        "Handle,Title,Body (HTML),Image Src,Variant Image\n"
        "mug,Mug,<p>A red <b>mug</b></p>,https://cdn.shopify.com/1.png?v=17,https://cdn.shopify.com/1.png\n"
        "mug,,,https://cdn.shopify.com/2.png?v=17,\n"
        "mug,,,,\n"
        "pot,Pot,<p>A pot</p>,https://cdn.shopify.com/3.png,\n"
        "cup,Cup,,https://cdn.shopify.com/4.png,\n",
    )
    found = [(row.file_name, row.texts) for row in read_table(path, problems=problems)]
    assert found == [("1.png", ("A red mug",)), ("3.png", ("A pot",)), ("4.png", ())]
    assert problems.counts == {"further pictures of a product that are not read": 1, "rows that name no picture": 1}
