"""What does a metadata table say? Rows of metadata.jsonl, .csv, .xlsx or .parquet, one at a time."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bespoke.errors import UserError

METADATA_NAMES = ("metadata.jsonl", "metadata.csv", "metadata.xlsx", "metadata.parquet")
TEXT_COLUMNS = ("text", "texts")
# Python's CP932 takes nearly any bytes; these are what it makes of bytes that no Japanese text has.
_NO_TEXT = re.compile("[\0\x80\xa0\uf8f0-\uf8f3]")


@dataclass(frozen=True, slots=True)
class Row:
    """One picture's row: file name relative to the table, captions, and every further column as an attribute."""

    file_name: str
    texts: tuple[str, ...]
    attributes: dict[str, str]


def read_table(path: Path) -> Iterator[Row]:
    """Yield the rows of a metadata table; raises UserError naming the file and the line."""
    for number, record in read_records(path):
        yield _as_row(record, f"{path}:{number}")


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
        reader = csv.DictReader(file)
        try:
            for record in reader:
                if None in record:
                    raise UserError(f"{path}:{reader.line_num}: more cells than columns; put quotes around the text")
                yield reader.line_num, record
        except csv.Error as error:
            raise UserError(f"{path}:{reader.line_num}: not CSV ({error}); save it as CSV UTF-8") from None


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
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # zip, XML and key errors alike
        raise UserError(f"{path}: not an xlsx workbook ({error}); save it again, or as CSV UTF-8") from None
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        columns = [str(cell) for cell in next(rows, ())]
        for number, cells in enumerate(rows, 2):
            if any(cell is not None for cell in cells):
                yield number, dict(zip(columns, cells, strict=False))  # empty cells at the end are left away
    finally:
        book.close()


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


def _as_row(record: dict[str, Any], where: str) -> Row:
    file_name = record.get("file_name")
    columns = ", ".join(map(str, record))
    if not isinstance(file_name, str) or not file_name.strip():
        raise UserError(f"{where}: no file_name (columns: {columns}); name the picture relative to this file")
    if not any(column in record for column in TEXT_COLUMNS):
        raise UserError(f"{where}: no column text or texts (columns: {columns}); put the caption in text")
    name = PurePosixPath(file_name.strip().replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        raise UserError(f"{where}: {file_name} is outside the catalogue; use a path below this file's folder")
    texts = tuple(text for column in TEXT_COLUMNS for text in as_texts(record.get(column), where))
    rest = {key: value for key, value in record.items() if key != "file_name" and key not in TEXT_COLUMNS}
    return Row(name.as_posix(), texts, as_attributes(rest))


def as_attributes(values: dict[str, Any]) -> dict[str, str]:
    """Attributes as strings; empty cells are no attributes."""
    return {
        str(key): json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, bool)) else str(value)
        for key, value in values.items()
        if value is not None and value != ""
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
