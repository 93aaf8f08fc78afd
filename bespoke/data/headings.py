"""Which row of a table names its columns, and what are the rows below it as records?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bespoke.data.columns import Columns, fits_heading
from bespoke.data.item import Problems
from bespoke.errors import UserError

Cells = list[Any]
Record = dict[str, Any]

MOST_ABOVE = 10  # rows among which the names of the columns are looked for: a title may stand above them


def named(
    rows: Iterable[tuple[int, Cells]], path: Path, columns: Columns, problems: Problems, *, remarks: bool
) -> Iterator[tuple[int, Record]]:
    """Rows below the one that names the columns, as records; empty rows are passed over, as are those above it.

    remarks: whether cells beyond the heading are remarks beside the table, or text that was torn apart. Raises
    UserError for the second.
    """
    filled = ((number, cells) for number, cells in rows if any(not is_blank(cell) for cell in cells))
    top = list(islice(filled, MOST_ABOVE))
    if not top:
        return
    place = heading_at([cells for _, cells in top], columns)
    for number, _ in top[:place]:
        problems.add("rows above the names of the columns", f"{path}:{number}")
    names = column_names(top[place][1])
    for number, cells in chain(top[place + 1 :], filled):
        if not remarks and any(not is_blank(cell) for cell in cells[len(names) :]):
            raise UserError(f"{path}:{number}: more cells than columns; put quotes around the text")
        yield number, dict(zip(names, cells + [None] * (len(names) - len(cells)), strict=False))


def heading_at(rows: list[Cells], columns: Columns) -> int:
    """Which of the first rows names the columns: the first, unless one below it says more of pictures and captions."""
    fits = [fits_heading(cells, columns) for cells in rows]
    return fits.index(max(fits))


def column_names(cells: Cells) -> list[str]:
    """A name for each cell of a heading; the second of the same name is "name #2", empty cells give none."""
    names: list[str] = []
    for cell in cells:
        name = "" if cell is None else " ".join(str(cell).split())
        count = 1
        unique = name
        while name and unique in names:
            count += 1
            unique = f"{name} #{count}"
        names.append(unique)
    return names


def is_blank(cell: Any) -> bool:
    """Whether nothing stands in a cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())
