"""What does a metadata table say? Rows of metadata.jsonl, .csv, .xlsx or .parquet, one at a time."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bespoke.data.columns import Chosen, Columns, choose, choose_texts, fill, numbered_files, product_column
from bespoke.data.headings import Record, is_blank
from bespoke.data.item import Problems
from bespoke.data.markup import as_words
from bespoke.data.pictures import SUFFIXES
from bespoke.data.records import read_records
from bespoke.data.workbooks import holds_pictures
from bespoke.errors import UserError

METADATA_NAMES = ("metadata.jsonl", "metadata.csv", "metadata.xlsx", "metadata.parquet")


@dataclass(frozen=True, slots=True)
class Row:
    """One picture's row: file name relative to the table, captions, and every further column as an attribute."""

    file_name: str
    texts: tuple[str, ...]
    attributes: dict[str, str]


def read_table(path: Path, columns: Columns | None = None, problems: Problems | None = None) -> Iterator[Row]:
    """Yield the rows of a metadata table; raises UserError naming the file and the line.

    A row that names no picture (a sum or a remark below the table) is passed over where `problems` can count it, and so
    are further pictures of a product: they would share a caption, which could not tell them apart.
    """
    columns, chosen = columns or Columns(), None
    names: tuple[str, ...] = ()
    more: list[str] = []
    by: str | None = None
    product: Any = None
    found = False
    for number, record in read_records(path, columns, problems):
        where = f"{path}:{number}"
        if tuple(record) != names:  # in JSON every row may have its own
            names = tuple(record)
            try:
                chosen = choose(columns, record, where)
            except UserError:  # a row that lacks a cell lacks just that
                if chosen is None:
                    raise
            assert chosen is not None
            more, by = [name for name in numbered_files(names) if name != chosen.file], product_column(names)
        assert chosen is not None
        if problems is not None and is_blank(record.get(chosen.file)):
            problems.add("rows that name no picture", where)
            continue
        row, before = _as_row(record, chosen, where), product
        product = record.get(by) if by else None
        again = not is_blank(product) and product == before and not row.texts  # a row for the next picture, and no more
        if problems is not None:
            for picture in [row.file_name] * again + _further(record, chosen.file, more):
                problems.add("further pictures of a product that are not read", f"{where}: {picture}")
            if again:
                continue
        found = True
        yield row
    if chosen is not None and not found and path.suffix.lower() == ".xlsx" and holds_pictures(path):
        raise UserError(
            f"{path}: the pictures are in the workbook itself; save each as a file in this folder and write its name "
            f"into column {chosen.file}"
        )


def read_texts(path: Path, columns: Columns | None = None) -> Iterator[tuple[int, list[str], dict[str, str]]]:
    """Yield line number, texts and every other cell of each row of a table that needs to name no pictures.

    Raises UserError naming the file and the line.
    """
    columns = columns or Columns()
    names: tuple[str, ...] = ()
    for number, record in read_records(path, columns):
        where = f"{path}:{number}"
        if tuple(record) != names:
            names, chosen = tuple(record), choose_texts(columns, record, where)
        yield number, list(row_texts(record, chosen, where)), as_attributes(chosen.others(record))


def _as_row(record: Record, chosen: Chosen, where: str) -> Row:
    file_name = record.get(chosen.file)
    if not isinstance(file_name, str) or not file_name.strip():
        raise UserError(f"{where}: no file_name in {chosen.file}; name the picture relative to this file")
    name = PurePosixPath(_pictures(file_name)[0].strip().replace("\\", "/"))
    if name.is_absolute() or ":" in name.parts[0]:  # on another machine or the web: its last part is what can be here
        name = PurePosixPath(name.name.partition("?")[0].rpartition(":")[2])
    if not name.name or ".." in name.parts:
        raise UserError(f"{where}: {file_name} is outside the catalogue; use a path below this file's folder")
    return Row(name.as_posix(), row_texts(record, chosen, where), as_attributes(chosen.others(record)))


def _pictures(cell: str) -> list[str]:
    """The pictures that one cell names: several where each part of a list is one, such as a.jpg|b.jpg."""
    parts = [part.strip() for part in re.split(r"[|,;、\n]|\s(?=https?://)", cell) if part.strip()]
    several = len(parts) > 1 and all(part.partition("?")[0].lower().endswith(SUFFIXES) for part in parts)
    return parts if several else [cell]


def _further(record: Record, first: str, more: list[str]) -> list[str]:
    """The pictures of a row after its first: in the same cell, and in the columns `more`."""
    cells = [record.get(column) for column in more]
    return [*_pictures(str(record.get(first)))[1:], *(str(cell).strip() for cell in cells if not is_blank(cell))]


def row_texts(record: Record, chosen: Chosen, where: str) -> tuple[str, ...]:
    """The captions of a row. Raises UserError for a cell that is no text."""
    if chosen.template is None:
        return tuple(text for column in chosen.texts for text in as_texts(record.get(column), where))
    return tuple(text for text in [fill(chosen.template, record)] if text)


def as_attributes(values: dict[str, Any]) -> dict[str, str]:
    """Attributes as strings, those that read alike alike; empty cells are none, nor are cells below no name."""
    return {
        str(key): json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, bool)) else _value(value)
        for key, value in values.items()
        if not is_blank(value) and str(key).strip()
    }


def _value(cell: Any) -> str:
    """Half-width katakana and full-width letters are the same to a reader, as are spaces at the ends."""
    return unicodedata.normalize("NFKC", str(cell)).strip()


def as_texts(value: Any, where: str) -> list[str]:
    """Captions of one cell: a string, a list, or a list written as JSON, which is what fits in a CSV cell."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):  # a caption may well begin with a bracket
            written = json.loads(value)
            value = written if all(isinstance(text, str) for text in written) else value
    values = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(text, (str, int, float)) and not isinstance(text, bool) for text in values):
        raise UserError(f"{where}: text is {value!r:.40}; expected a string or a list of strings")
    return [text for text in (as_words(str(value)).strip() for value in values) if text]
