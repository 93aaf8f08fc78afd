"""What stands in an xlsx workbook? The rows of the sheet that looks like a catalogue, every cell as it reads."""

from __future__ import annotations

import datetime
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from xml.etree.ElementTree import iterparse
from zipfile import ZipFile

from bespoke.data.columns import Columns, fits_heading, is_read
from bespoke.data.headings import MOST_ABOVE, Cells, column_names, heading_at, is_blank
from bespoke.data.item import Problems
from bespoke.errors import UserError

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # old .xls files begin so, and new ones that ask for a password
Numbered = tuple[int, Cells]


class _Marks(NamedTuple):
    """What a sheet says of its cells besides what stands in them."""

    merged: dict[int, list[tuple[int, int]]]  # first row -> column and last row of cells merged over several rows
    hidden: set[int]  # rows
    empty: dict[int, int]  # column -> the first row with a formula that has no value


def sheet_rows(path: Path, columns: Columns, problems: Problems) -> Iterator[Numbered]:
    """Number and cells of each row of the first sheet whose heading fits best, one that is shown before a hidden one.

    Other sheets and hidden rows are counted in `problems`. Raises UserError, also where a column that is read holds
    formulas whose values were never computed.
    """
    book = _open(path)
    try:
        tops = [(sheet, list(islice(_rows(sheet), MOST_ABOVE))) for sheet in book.worksheets]
        filled = [(sheet, top) for sheet, top in tops if top]
        if not filled:
            return
        best, top = max(filled, key=lambda part: (_fits(part[1], columns), part[0].sheet_state == "visible"))
        for sheet, _ in filled:
            if sheet is not best:
                problems.add("sheets that are not read", f"{path}: {sheet.title}")
        heading, names = top[heading_at([cells for _, cells in top], columns)]
        marks = _marks(best, heading)
        _refuse_formulas(path, column_names(names), marks, columns)
        for number, cells in _rows(best, marks.merged):
            if number > heading and number in marks.hidden:
                problems.add("hidden rows that are read", f"{path}:{number}")
            yield number, cells
    except UserError:
        raise
    except Exception as error:  # sheets are unpacked while they are read
        raise _no_workbook(path, error) from None
    finally:
        book.close()


def holds_pictures(path: Path) -> bool:
    """Whether pictures stand in the sheets of a workbook, over its cells or in them."""
    with ZipFile(path) as parts:
        return any(name.startswith("xl/media/") for name in parts.namelist())


def _fits(top: list[Numbered], columns: Columns) -> int:
    return max(fits_heading(cells, columns) for _, cells in top)


def _open(path: Path) -> Any:
    try:
        import openpyxl
    except ImportError:
        raise UserError(f"{path}: reading xlsx needs openpyxl; pip install openpyxl") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and the like, which nobody asked for
            return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except PermissionError:
        raise
    except Exception as error:  # zip, XML and key errors alike
        raise _no_workbook(path, error) from None


def _no_workbook(path: Path, error: Exception) -> UserError:
    with path.open("rb") as file:
        if file.read(len(_OLE)) == _OLE:
            return UserError(f"{path}: locked by a password, or an old .xls; save it as .xlsx without a password")
    reason = " ".join(str(error).split())
    return UserError(f"{path}: not an xlsx workbook ({reason}); save it again, or as CSV UTF-8")


def _rows(sheet: Any, merged: Mapping[int, Sequence[tuple[int, int]]] = MappingProxyType({})) -> Iterator[Numbered]:
    """The rows in which something stands of their own, and what they share with rows above them.

    merged: as `_marks` finds it.
    """
    sheet.reset_dimensions()  # some programs write wrong ones, and rows beyond them would be lost
    shared: dict[int, tuple[int, str | None]] = {}  # column -> the last row that a cell reaches, and what stands in it
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = [_as_read(cell) for cell in row]
        own = not all(map(is_blank, cells))
        for column, last in merged.get(number, ()):
            shared[column] = (last, cells[column] if column < len(cells) else None)
        for column, (last, value) in shared.items():
            if number <= last:
                cells += [None] * (column + 1 - len(cells))
                cells[column] = value
        if own:
            yield number, cells


def _marks(sheet: Any, heading: int) -> _Marks:
    """What the library tells only of workbooks that it holds in memory as a whole; formulas below row `heading` count.

    An empty text that a formula gave is a value: its cell has a type.
    """
    from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries

    marks = _Marks(defaultdict(list), set(), {})
    row = column = 0  # files may leave out where rows and cells stand
    with sheet._get_source() as source:
        for event, element in iterparse(source, ("start", "end")):
            kind = element.tag.rpartition("}")[2]
            if event == "start":
                if kind == "row":
                    row, column = int(element.get("r") or row + 1), 0
                    if element.get("hidden") in ("1", "true"):
                        marks.hidden.add(row)
                continue
            if kind == "c":
                place = element.get("r")
                column = coordinate_to_tuple(place)[1] if place else column + 1
                within = {inner.tag.rpartition("}")[2]: inner.text for inner in element}
                if row > heading and "f" in within and not within.get("v") and element.get("t") != "str":
                    marks.empty.setdefault(column - 1, row)
            elif kind == "mergeCell":
                left, top, _, bottom = range_boundaries(element.get("ref"))
                if bottom > top:
                    marks.merged[top].append((left - 1, bottom))
            if kind not in ("f", "v"):  # those are looked at with their cell
                element.clear()
    return marks


def _as_read(cell: Any) -> str | None:
    """A cell as it reads on the screen, near enough; errors such as #N/A are nothing."""
    value = cell.value
    if value is None or cell.data_type == "e":
        return None
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and re.fullmatch("0+", cell.number_format):
        return str(value).zfill(len(cell.number_format))  # an article's number, shown as 00100
    return str(value)


def _refuse_formulas(path: Path, names: list[str], marks: _Marks, columns: Columns) -> None:
    """Raise UserError where cells that would be read are empty because their formulas have no values."""
    for column, name in enumerate(names):
        if column in marks.empty and is_read(name, columns):
            raise UserError(
                f"{path}: column {name} holds formulas without values (first: row {marks.empty[column]}); "
                "save it in Excel once more"
            )
