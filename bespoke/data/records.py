"""What stands in a table, whatever wrote it? Records of a .jsonl, .csv, .xlsx or .parquet, one at a time."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bespoke.data.columns import Columns, fits_heading
from bespoke.data.headings import MOST_ABOVE, Cells, Record, named
from bespoke.data.item import Problems
from bespoke.data.workbooks import sheet_rows
from bespoke.errors import UserError

_SEPARATORS = ",;\t"  # of cells; semicolons are what spreadsheets write where the comma is for decimals
# No text holds a zero: it is UTF-16 without its mark. And Python's CP932 takes nearly any bytes; the others are what it
# makes of bytes that no Japanese text has.
_NO_TEXT = {"utf-8-sig": "\0", "utf-16": "\0", "cp932": "[\0\x80\xa0\uf8f0-\uf8f3]"}
_EXCELS_SEPARATOR = re.compile("sep=(.)[\r\n]*", re.IGNORECASE)  # the first line of some CSV files, for Excel alone


def read_records(
    path: Path, columns: Columns | None = None, problems: Problems | None = None, *, rows: int = 1024
) -> Iterator[tuple[int, Record]]:
    """Yield line number and cells of each record of a .jsonl, .csv, .xlsx or .parquet; raises UserError.

    `columns` are names to look for where rows stand above the heading; what is passed over is counted in `problems`.
    rows: of a .parquet that are in memory at a time.
    """
    if path.suffix.lower() == ".jsonl":
        yield from _read_jsonl(path)
    elif path.suffix.lower() == ".parquet":
        yield from _read_parquet(path, rows)
    else:
        columns, problems = columns or Columns(), Problems() if problems is None else problems
        if path.suffix.lower() == ".csv":
            yield from named(_csv_rows(path, columns), path, columns, problems, remarks=False)
        else:
            yield from named(sheet_rows(path, columns, problems), path, columns, problems, remarks=True)


def _read_jsonl(path: Path) -> Iterator[tuple[int, Record]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                raise UserError(f"{path}:{number}: not UTF-8; save the file as UTF-8") from None
            except (ValueError, RecursionError) as error:
                raise UserError(f"{path}:{number}: not JSON ({error}); write one object a line") from None
            if not isinstance(record, dict):
                raise UserError(f"{path}:{number}: expected a JSON object with file_name and text, got {record!r:.40}")
            yield number, record


def _read_parquet(path: Path, rows: int) -> Iterator[tuple[int, Record]]:
    number = 0
    with open_parquet(path) as file:
        for batch in file.iter_batches(batch_size=rows):
            for record in batch.to_pylist():
                number += 1
                yield number, record


@contextmanager
def open_parquet(path: Path) -> Iterator[Any]:
    """A pyarrow.parquet.ParquetFile. Raises UserError where it is none, also from what is read of it meanwhile."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise UserError(f"{path}: reading parquet needs pyarrow; pip install pyarrow") from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield file
    except PermissionError:
        raise
    except (pyarrow.ArrowException, OSError) as error:  # OSError: pages that cannot be unpacked
        raise UserError(f"{path}: not a parquet file ({' '.join(str(error).split())}); write it again") from None


def _csv_rows(path: Path, columns: Columns) -> Iterator[tuple[int, Cells]]:
    """Number of the last line and cells of each row."""
    with path.open(encoding=text_encoding(path), newline="") as file:
        top = list(islice(file, MOST_ABOVE))
        told = _EXCELS_SEPARATOR.fullmatch(top[0]) if top else None
        separator = told[1] if told else _separator(top, columns)
        lines = chain(top[1:] if told else top, file)
        reader, before = csv.reader(lines, delimiter=separator, strict=True), 1 if told else 0
        while True:
            begin = reader.line_num + 1 + before
            try:
                cells = next(reader, None)
            except csv.Error as error:  # mostly a quote that is never closed: without this, rows would go into one cell
                raise UserError(
                    f"{path}:{begin}: not CSV ({error}); close every quote, and write a quote in quoted text twice"
                ) from None
            if cells is None:
                return
            yield reader.line_num + before, list(cells)


def _separator(top: list[str], columns: Columns) -> str:
    """What stands between cells: what makes names of columns out of a line, else the most frequent; or a comma."""

    def fits(separator: str) -> tuple[int, int]:
        heading = max((fits_heading(cells, columns) for cells in csv.reader(top, delimiter=separator)), default=0)
        first = next((line for line in top if line.strip()), "")
        return heading, re.sub('"[^"]*"', "", first).count(separator)

    return max(_SEPARATORS, key=fits)


def text_encoding(path: Path) -> str:
    """UTF-8, with or without a mark, CP932 as on Japanese Windows, or UTF-16 with a mark, which Windows calls Unicode.

    Raises UserError for anything else.
    """
    with path.open("rb") as start:
        marked = start.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp932"):
        try:
            with path.open(encoding=encoding, newline="") as file:
                if not any(re.search(_NO_TEXT[encoding], block) for block in iter(lambda: file.read(1 << 20), "")):
                    return encoding
        except UnicodeError:
            continue
    raise UserError(f"{path}: neither UTF-8 nor Shift_JIS; save it as UTF-8")
