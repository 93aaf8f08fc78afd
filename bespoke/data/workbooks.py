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
from typing import Any
from xml.etree.ElementTree import iterparse

from bespoke.data.columns import Columns, fits_heading, is_read
from bespoke.data.headings import MOST_ABOVE, Cells, column_names, heading_at, is_blank
from bespoke.data.item import Problems
from bespoke.errors import UserError

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # old .xls files begin so, and new ones that ask for a password
Numbered = tuple[int, Cells]
_PEEKED = 2 * MOST_ABOVE  # rows in which formulas without values are looked for


def sheet_rows(path: Path, columns: Columns, problems: Problems) -> Iterator[Numbered]:
    """Number and cells of each row of the first sheet whose heading fits best; the others are counted in `problems`.

    Raises UserError, also where a column that is read holds formulas whose values were never computed.
    """
    book = _open(path)
    try:
        tops = [(sheet, [cells for _, cells in islice(_rows(sheet), MOST_ABOVE)]) for sheet in book.worksheets]
        filled = [(sheet, top) for sheet, top in tops if top]
        if not filled:
            return
        best = max(filled, key=lambda part: max(fits_heading(cells, columns) for cells in part[1]))[0]
        for sheet, _ in filled:
            if sheet is not best:
                problems.add("sheets that are not read", f"{path}: {sheet.title}")
        _refuse_formulas(path, best.title, list(islice(_rows(best), _PEEKED)), columns)
        yield from _rows(best, _merged_down(best))
    except UserError:
        raise
    except Exception as error:  # sheets are unpacked while they are read
        raise _no_workbook(path, error) from None
    finally:
        book.close()


def _open(path: Path, *, values: bool = True) -> Any:
    try:
        import openpyxl
    except ImportError:
        raise UserError(f"{path}: reading xlsx needs openpyxl; pip install openpyxl") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and the like, which nobody asked for
            return openpyxl.load_workbook(path, read_only=True, data_only=values)
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

    merged: as `_merged_down` finds it.
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


def _merged_down(sheet: Any) -> dict[int, list[tuple[int, int]]]:
    """First row -> column and last row of each cell that is merged over several rows, as a name that several share.

    The library tells merged cells only of workbooks that it holds in memory as a whole.
    """
    from openpyxl.utils.cell import range_boundaries

    starts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    with sheet._get_source() as source:
        for _, element in iterparse(source):
            if element.tag.endswith("}mergeCell"):
                left, top, _, bottom = range_boundaries(element.get("ref"))
                if bottom > top:
                    starts[top].append((left - 1, bottom))
            element.clear()
    return starts


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


def _refuse_formulas(path: Path, title: str, rows: list[tuple[int, Cells]], columns: Columns) -> None:
    """Raise UserError where a column that would be read is empty because its formulas have no values."""
    place = heading_at([cells for _, cells in rows[:MOST_ABOVE]], columns)
    below = rows[place + 1 :]
    empty = {
        column: name
        for column, name in enumerate(column_names(rows[place][1]))
        if is_read(name, columns) and all(column >= len(cells) or is_blank(cells[column]) for _, cells in below)
    }
    if not below or not empty:
        return
    book = _open(path, values=False)
    try:
        sheet = book[title]
        sheet.reset_dimensions()
        for cells in islice(sheet.iter_rows(min_row=below[0][0], max_row=below[-1][0]), _PEEKED):
            for column, name in empty.items():
                if column < len(cells) and cells[column].data_type == "f":
                    raise UserError(f"{path}: column {name} holds formulas without values; save it in Excel once more")
    finally:
        book.close()
