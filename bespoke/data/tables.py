"""What does a metadata table say? Rows of metadata.jsonl, .csv, .xlsx or .parquet, one at a time."""

from __future__ import annotations

import csv
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any

from bespoke.data.columns import Chosen, Columns, choose, choose_texts, fill
from bespoke.data.item import Problems
from bespoke.errors import UserError

METADATA_NAMES = ("metadata.jsonl", "metadata.csv", "metadata.xlsx", "metadata.parquet")
_SEPARATORS = ",;\t"  # of cells; semicolons are what spreadsheets write where the comma is for decimals
# Python's CP932 takes nearly any bytes; these are what it makes of bytes that no Japanese text has.
_NO_TEXT = re.compile("[\0\x80\xa0\uf8f0-\uf8f3]")


@dataclass(frozen=True, slots=True)
class Row:
    """One picture's row: file name relative to the table, captions, and every further column as an attribute."""

    file_name: str
    texts: tuple[str, ...]
    attributes: dict[str, str]


def read_table(path: Path, columns: Columns | None = None, problems: Problems | None = None) -> Iterator[Row]:
    """Yield the rows of a metadata table; raises UserError naming the file and the line.

    A row that names no picture (a sum or a remark below the table) is passed over where `problems` can count it.
    """
    names: tuple[str, ...] = ()
    for number, record in read_records(path):
        where = f"{path}:{number}"
        if tuple(record) != names:  # in JSON every row may have its own
            names, chosen = tuple(record), choose(columns or Columns(), record, where)
        if problems is not None and _is_blank(record[chosen.file]):
            problems.add("rows that name no picture", where)
            continue
        yield _as_row(record, chosen, where)


def read_texts(path: Path, columns: Columns | None = None) -> Iterator[tuple[int, list[str], dict[str, str]]]:
    """Yield line number, texts and every other cell of each row of a table that needs to name no pictures.

    Raises UserError naming the file and the line.
    """
    names: tuple[str, ...] = ()
    for number, record in read_records(path):
        where = f"{path}:{number}"
        if tuple(record) != names:
            names, chosen = tuple(record), choose_texts(columns or Columns(), record, where)
        yield number, list(_texts(record, chosen, where)), as_attributes(chosen.others(record))


def read_records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number and cells of each record of a .jsonl, .csv, .xlsx or .parquet; raises UserError."""
    readers = {".jsonl": _read_jsonl, ".csv": _read_csv, ".xlsx": _read_xlsx, ".parquet": _read_parquet}
    return readers[path.suffix.lower()](path)


def _read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                raise UserError(f"{path}:{number}: not UTF-8; save the file as UTF-8") from None
            except ValueError as error:
                raise UserError(f"{path}:{number}: not JSON ({error}); write one object a line") from None
            if not isinstance(record, dict):
                raise UserError(f"{path}:{number}: expected a JSON object with file_name and text, got {record!r:.40}")
            yield number, record


def _read_csv(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding=text_encoding(path), newline="") as file:
        separator = _separator(file.readline())
        file.seek(0)
        reader = csv.DictReader(file, delimiter=separator)
        try:
            for record in reader:
                if None in record:
                    raise UserError(f"{path}:{reader.line_num}: more cells than columns; put quotes around the text")
                if any(record.values()):  # spreadsheets write empty rows, too
                    yield reader.line_num, record
        except csv.Error as error:
            raise UserError(f"{path}:{reader.line_num}: not CSV ({error}); save it as CSV UTF-8") from None


def _separator(heading: str) -> str:
    """What stands between the names of the columns; a comma where there is but one."""
    return max(_SEPARATORS, key=re.sub('"[^"]*"', "", heading).count)


def text_encoding(path: Path) -> str:
    """UTF-8, with or without a mark, or CP932 as on Japanese Windows; raises UserError for anything else."""
    for encoding in ("utf-8-sig", "cp932"):
        try:
            with path.open(encoding=encoding, newline="") as file:
                while block := file.read(1 << 20):
                    if encoding == "cp932":
                        check_text(block)
        except UnicodeError:
            continue
        return encoding
    raise UserError(f"{path}: neither UTF-8 nor Shift_JIS; save it as UTF-8")


def check_text(text: str) -> None:
    """Raise UnicodeError for text read as CP932 that is something else, such as UTF-16."""
    if _NO_TEXT.search(text):
        raise UnicodeError("characters that no text has")


def _read_xlsx(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The first sheet of a workbook; its first row names the columns."""
    try:
        import openpyxl
    except ImportError:
        raise UserError(f"{path}: reading xlsx needs openpyxl; pip install openpyxl") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and the like, which nobody asked for
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # zip, XML and key errors alike
        raise _no_workbook(path, error) from None
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        columns = ["" if cell is None else str(cell) for cell in next(rows, ())]
        for number, cells in enumerate(rows, 2):
            if any(cell is not None for cell in cells):
                # Empty cells at the end are left away in the file; a number is what it looks like.
                named = zip_longest(columns, cells[: len(columns)])
                yield number, {name: str(cell) if type(cell) in (int, float) else cell for name, cell in named if name}
    except Exception as error:  # sheets are unpacked while they are read
        raise _no_workbook(path, error) from None
    finally:
        book.close()


def _no_workbook(path: Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split())
    return UserError(f"{path}: not an xlsx workbook ({reason}); save it again, or as CSV UTF-8")


def _read_parquet(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        import pyarrow.parquet
    except ImportError:
        raise UserError(f"{path}: reading parquet needs pyarrow; pip install pyarrow") from None
    try:
        number = 0
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record
    except pyarrow.ArrowException as error:
        raise UserError(f"{path}: not a parquet file ({' '.join(str(error).split())}); write it again") from None


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _as_row(record: dict[str, Any], chosen: Chosen, where: str) -> Row:
    file_name = record[chosen.file]
    if not isinstance(file_name, str) or not file_name.strip():
        raise UserError(f"{where}: no file_name in {chosen.file}; name the picture relative to this file")
    name = PurePosixPath(file_name.strip().replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        raise UserError(f"{where}: {file_name} is outside the catalogue; use a path below this file's folder")
    return Row(name.as_posix(), _texts(record, chosen, where), as_attributes(chosen.others(record)))


def _texts(record: dict[str, Any], chosen: Chosen, where: str) -> tuple[str, ...]:
    if chosen.template is None:
        return tuple(text for column in chosen.texts for text in as_texts(record[column], where))
    return tuple(text for text in [fill(chosen.template, record)] if text)


def as_attributes(values: dict[str, Any]) -> dict[str, str]:
    """Attributes as strings; empty cells are no attributes, nor are cells below no name."""
    return {
        str(key): json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, bool)) else str(value)
        for key, value in values.items()
        if value is not None and value != "" and str(key).strip()
    }


def as_texts(value: Any, where: str) -> list[str]:
    """Captions of one cell: a string, a list, or a list written as JSON, which is what fits in a CSV cell."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError):  # a caption may well begin with a bracket
            value = json.loads(value)
    values = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in values):
        raise UserError(f"{where}: text is {value!r:.40}; expected a string or a list of strings")
    return [text.strip() for text in values if text.strip()]
