"""Tables as offices have them: titles above the heading, several sheets, quotes that never end, formulas."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from PIL import Image

from bespoke.data.columns import Columns
from bespoke.data.item import Problems
from bespoke.data.tables import Row, read_table
from bespoke.errors import UserError

MUG = Row("IMG_1.png", ("赤いマグカップ",), {})
HEADING, CELLS = ("画像ファイル名", "商品説明"), ("IMG_1.png", "赤いマグカップ")


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "metadata.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def xlsx(folder: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    path = folder / "metadata.xlsx"
    book.save(path)
    return path


def change_part(path: Path, part: str, old: bytes, new: bytes) -> None:
    """Put `new` in the place of `old` in one file of a workbook."""
    with ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with ZipFile(path, "w") as changed:
        for name, content in parts.items():
            changed.writestr(name, content)


@pytest.mark.parametrize(
    "above",
    [
        ("2024年春 商品一覧表,",),
        ("2024年春 商品一覧表",),
        ("2024年春 商品一覧表", "担当:山田,更新日:2024-04-01"),
        (",", ""),
        ("画像", ""),
    ],
)
def test_a_title_above_the_heading_is_passed_over_and_counted(tmp_path: Path, above: Sequence[str]) -> None:
    problems = Problems()
    path = csv(tmp_path, *above, ",".join(HEADING), ",".join(CELLS))
    assert list(read_table(path, problems=problems)) == [MUG]
    counted = sum(any(cell for cell in line.split(",")) for line in above)
    assert problems.counts == ({"rows above the names of the columns": counted} if counted else {})


def test_a_title_is_passed_over_in_a_workbook_and_with_columns_that_are_told(tmp_path: Path) -> None:
    path = xlsx(tmp_path, 一覧=[["商品一覧表"], ["品番", "コメント"], CELLS])
    assert list(read_table(path, Columns(file="品番", texts=("コメント",)))) == [MUG]
    assert list(read_table(path, Columns(file="品番", template="{コメント}"))) == [
        Row("IMG_1.png", ("赤いマグカップ",), {"コメント": "赤いマグカップ"})
    ]


def test_without_a_heading_that_is_known_the_first_row_is_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"metadata\.csv:2: no file_name \(columns: a, b\)"):
        list(read_table(csv(tmp_path, "a,b", "1,2", "3,4")))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_told_from_the_heading_wherever_it_stands(tmp_path: Path, separator: str) -> None:
    path = csv(tmp_path, "春、夏, 秋; 冬, の商品", separator.join(HEADING), separator.join(CELLS))
    assert list(read_table(path)) == [MUG]


def test_the_line_for_excel_that_names_the_separator_is_followed(tmp_path: Path) -> None:
    path = csv(tmp_path, "sep=|", "|".join(HEADING), "|".join(CELLS))
    assert list(read_table(path)) == [MUG]


@pytest.mark.parametrize(
    "lines",
    [
        ['IMG_1.png,"a red mug', "IMG_2.png,a blue mug"],
        ['IMG_1.png,"a red mug', 'IMG_2.png,"a blue, wide mug"'],
        ['IMG_1.png,"a red mug', 'IMG_2.png,""'],
        ['IMG_1.png,"a red mug', *(f"IMG_{n}.png,{'a mug ' * 20}" for n in range(2000))],
    ],
)
def test_a_quote_that_is_never_closed_is_named_and_swallows_no_rows(tmp_path: Path, lines: list[str]) -> None:
    path = csv(tmp_path, "file_name,text", "IMG_0.png,a mug", *lines)
    with pytest.raises(UserError, match=r"metadata\.csv:3: not CSV .*; close every quote"):
        list(read_table(path))


def test_captions_of_several_lines_with_quotes_are_read(tmp_path: Path) -> None:
    path = csv(tmp_path, "file_name,text", 'IMG_1.png,"a ""red"" mug,', 'wide"', 'IMG_2.png,a 12" plate')
    assert [row.texts for row in read_table(path)] == [('a "red" mug,\nwide',), ('a 12" plate',)]


def test_empty_cells_beyond_the_heading_are_nothing(tmp_path: Path) -> None:
    assert list(read_table(csv(tmp_path, ",".join(HEADING), ",".join(CELLS) + ",,"))) == [MUG]


@pytest.mark.parametrize("twice", [("画像", "説明", "説明"), ("画像", "説明", "画像")])
def test_of_two_columns_of_one_name_the_first_is_meant(tmp_path: Path, twice: tuple[str, ...]) -> None:
    (row,) = read_table(csv(tmp_path, ",".join(twice), "IMG_1.png,赤いマグカップ,旧"))
    assert row == Row("IMG_1.png", ("赤いマグカップ",), {f"{twice[2]} #2": "旧"})


def test_a_remark_in_brackets_and_a_line_break_are_no_part_of_a_columns_name(tmp_path: Path) -> None:
    path = xlsx(tmp_path, 一覧=[["画像\nファイル名", "商品説明(全角200字)"], CELLS])
    assert list(read_table(path)) == [MUG]


def test_a_row_that_lacks_a_cell_lacks_just_that(tmp_path: Path) -> None:
    path = tmp_path / "metadata.jsonl"
    path.write_text('{"file_name": "x.png", "text": "pot"}\n{"file_name": "y.png"}\n{"text": "jar"}\n', "utf-8")
    problems = Problems()
    assert [(row.file_name, row.texts) for row in read_table(path, problems=problems)] == [
        ("x.png", ("pot",)),
        ("y.png", ()),
    ]
    assert list(problems) == [f"1 rows that name no picture (first: {path}:3)"]


def test_the_sheet_that_looks_like_a_catalogue_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    problems = Problems()
    path = xlsx(tmp_path, 表紙=[["商品カタログ"], ["2024年春"]], 空=[], 商品=[HEADING, CELLS], 旧=[HEADING, CELLS])
    assert list(read_table(path, problems=problems)) == [MUG]
    assert problems.counts == {"sheets that are not read": 2}
    assert problems.examples["sheets that are not read"] == [f"{path}: 表紙", f"{path}: 旧"]


def test_of_two_sheets_that_fit_the_one_that_is_shown_is_read(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    path = xlsx(tmp_path, 旧=[HEADING, ["IMG_0.png", "旧商品"]], 商品=[HEADING, CELLS])
    book = openpyxl.load_workbook(path)
    book["旧"].sheet_state, book.active = "hidden", 1
    book.save(path)
    problems = Problems()
    assert list(read_table(path, problems=problems)) == [MUG]
    assert problems.examples == {"sheets that are not read": [f"{path}: 旧"]}


def test_rows_that_a_filter_hides_are_read_and_counted(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    path = xlsx(tmp_path, 一覧=[["商品一覧表"], HEADING, CELLS, CELLS, [], CELLS])
    book = openpyxl.load_workbook(path)
    for number in (1, 4, 5, 6):  # a title and an empty row are no data
        book.active.row_dimensions[number].hidden = True
    book.active.auto_filter.ref = "A2:B6"
    book.save(path)
    problems = Problems()
    assert list(read_table(path, problems=problems)) == [MUG] * 3
    assert problems.examples["hidden rows that are read"] == [f"{path}:4", f"{path}:6"]


def test_remarks_beside_and_many_empty_rows_above_a_sheet_do_no_harm(tmp_path: Path) -> None:
    path = xlsx(tmp_path, 一覧=[*[[None]] * 15, HEADING, [*CELLS, None, "要確認"]])
    assert list(read_table(path)) == [MUG]


def test_cells_of_a_workbook_are_read_as_they_look(tmp_path: Path) -> None:
    path = xlsx(
        tmp_path,
        一覧=[
            ["file_name", "text", "code", "since", "on_sale", "error"],
            [100, datetime.datetime(2024, 4, 1), 7, datetime.datetime(2024, 4, 1, 9, 30), True, "#N/A"],
            [101, "#N/A", 8, None, None, None],
        ],
    )
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(path)
    for row in (2, 3):
        book.active.cell(row, 1).number_format = "00000"
    book.active.cell(2, 3).number_format = "000"
    book.save(path)
    first, second = read_table(path)
    assert first == Row("00100", ("2024-04-01",), {"code": "007", "since": "2024-04-01 09:30:00", "on_sale": "True"})
    assert second == Row("00101", (), {"code": "8"})


@pytest.mark.parametrize("column", [0, 1])
def test_formulas_whose_values_were_never_computed_are_named(tmp_path: Path, column: int) -> None:
    rows = [list(CELLS) for _ in range(12)]
    for number, row in enumerate(rows):
        row[column] = f'=A{number}&"x"'
    with pytest.raises(UserError, match=rf"column {HEADING[column]} holds formulas without values .*; save it"):
        list(read_table(xlsx(tmp_path, 一覧=[HEADING, *rows])))


def test_one_formula_without_a_value_among_captions_is_named_with_its_row(tmp_path: Path) -> None:
    path = xlsx(tmp_path, 一覧=[["=TODAY()"], HEADING, CELLS, ["IMG_2.png", '=A3&"x"']])
    with pytest.raises(UserError, match=rf"column {HEADING[1]} holds formulas without values \(first: row 4\)"):
        list(read_table(path))


def test_a_formula_that_gave_an_empty_text_has_a_value(tmp_path: Path) -> None:
    path = xlsx(tmp_path, 一覧=[HEADING, CELLS, ["IMG_2.png", '=IF(A2="","x","")']])
    change_part(path, "xl/worksheets/sheet1.xml", b'<c r="B3">', b'<c r="B3" t="str">')
    assert [row.texts for row in read_table(path)] == [MUG.texts, ()]


def test_formulas_that_nobody_reads_do_no_harm(tmp_path: Path) -> None:
    path = xlsx(tmp_path, 一覧=[[*HEADING, "税込"], [*CELLS, "=1+1"]])
    assert list(read_table(path)) == [MUG]


def test_wrong_dimensions_of_a_sheet_lose_no_rows(tmp_path: Path) -> None:
    path = xlsx(tmp_path, 一覧=[HEADING, CELLS])
    change_part(path, "xl/worksheets/sheet1.xml", b'<dimension ref="A1:B2"', b'<dimension ref="A1"')
    assert list(read_table(path)) == [MUG]


def test_a_workbook_with_a_password_is_told_as_one(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    path = tmp_path / "metadata.xlsx"
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096))
    with pytest.raises(UserError, match="locked by a password, or an old .xls; save it as .xlsx without a password"):
        list(read_table(path))


def test_pictures_in_the_cells_of_a_workbook_are_told_as_such(tmp_path: Path) -> None:
    drawing = pytest.importorskip("openpyxl.drawing.image")
    openpyxl = pytest.importorskip("openpyxl")
    path = xlsx(tmp_path, 一覧=[["商品説明", "写真"], ["赤いマグカップ"]])
    Image.new("RGB", (20, 20)).save(tmp_path / "mug.png")
    book = openpyxl.load_workbook(path)
    book.active.add_image(drawing.Image(str(tmp_path / "mug.png")), "B2")
    book.save(path)
    with pytest.raises(UserError, match="pictures are in the workbook itself; save each as a file .* into column 写真"):
        list(read_table(path, problems=Problems()))


@pytest.mark.parametrize("kind", ["zstd", "snappy"])
def test_a_parquet_with_a_damaged_page_is_refused(tmp_path: Path, kind: str) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "metadata.parquet"
    names = [f"{n}.png" for n in range(500)]
    parquet.write_table(pyarrow.table({"file_name": names, "text": names}), path, compression=kind)
    data = bytearray(path.read_bytes())
    data[40:400] = bytes(360)
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match=r"metadata\.parquet: not a parquet file .*; write it again"):
        list(read_table(path))


def test_values_that_read_alike_are_one(tmp_path: Path) -> None:
    path = csv(tmp_path, "file_name,text,color", *(f"{n}.png,mug,{c}" for n, c in enumerate(["赤", "赤 ", "赤\u3000"])))
    assert {row.attributes["color"] for row in read_table(path)} == {"赤"}
    path = csv(tmp_path, "file_name,text,color", *(f"{n}.png,mug,{c}" for n, c in enumerate(["レッド", "ﾚｯﾄﾞ"])))
    assert {row.attributes["color"] for row in read_table(path)} == {"レッド"}
