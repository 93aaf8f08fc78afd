"""How is a data set read whose Parquet files hold the pictures themselves, as the Hugging Face Hub writes them?

A picture is a cell with `bytes` and `path` (the Hub's feature Image), or bytes alone; captions are found as in a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from bespoke.data.columns import Chosen, Columns, choose_texts
from bespoke.data.headings import Record
from bespoke.data.item import Item, Problems, Split
from bespoke.data.pictures import SUFFIXES
from bespoke.data.readers import SPLIT_FOLDERS, split_of
from bespoke.data.records import open_parquet, read_records
from bespoke.data.tables import as_attributes, row_texts
from bespoke.errors import UserError

_AT_ONCE = 64  # pictures in memory


def is_packed(folder: Path) -> bool:
    """Parquet files in the folder or below, the first of which has a column of pictures."""
    first = next(iter(_files(folder)), None)
    try:
        return first is not None and bool(_columns_of_pictures(first))
    except UserError:  # no Parquet, or no library: whoever asks for a table next says so
        return False


def packed_stamps(folder: Path) -> Iterator[str]:
    """Name, size and time of each file."""
    for path in _files(folder):
        status = path.stat()
        yield json.dumps([path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns])


def packed_columns(folder: Path, columns: Columns) -> Chosen | None:
    """The columns that are read; None where there are no rows. Raises UserError."""
    path = _files(folder)[0]
    pictures = _columns_of_pictures(path)
    return next((_chosen(path, record, columns, pictures) for _, record in read_records(path, rows=1)), None)


def read_packed(folder: Path, problems: Problems, columns: Columns) -> Iterator[Item]:
    """Yield the rows of all files in order of their names. Raises UserError naming the file and the row.

    A part of a file's path such as train-00000-of-00004 is an official split, as a column `split` is.
    """
    for path in _files(folder):
        names: tuple[str, ...] = ()
        place = path.relative_to(folder).with_suffix("").as_posix()
        pictures = _columns_of_pictures(path)
        for number, record in read_records(path, rows=_AT_ONCE):
            where = f"{path}:{number}"
            if tuple(record) != names:
                names, chosen = tuple(record), _chosen(path, record, columns, pictures)
            content, suffix = _content(record.get(chosen.file))
            name = f"{place}/{number:06d}{suffix}"
            if content is None:
                problems.add("rows that name no picture", where)
                continue
            rest = {key: value for key, value in chosen.others(record).items() if key not in pictures}
            attributes = as_attributes(rest)
            named = attributes.pop("split", None)
            split = _split_of(place) if named is None else split_of(named, where)
            yield Item(name, content, row_texts(record, chosen, where), attributes, split)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.parquet") if not path.name.startswith(".") and path.is_file())


def _columns_of_pictures(path: Path) -> list[str]:
    """Names of the columns that hold encoded pictures, by the file's schema. Raises UserError."""
    with open_parquet(path) as file:
        schema = file.schema_arrow
    import pyarrow

    binary = (pyarrow.binary(), pyarrow.large_binary())
    return [
        field.name
        for field in schema
        if field.type in binary or (pyarrow.types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0)
    ]


def _chosen(path: Path, record: Record, columns: Columns, pictures: list[str]) -> Chosen:
    if columns.file is None and len(pictures) > 1:
        raise UserError(f"{path}: pictures are in {' and '.join(pictures)}; choose: --file-column NAME")
    file = columns.file or next(iter(pictures), None)
    if file not in pictures:
        told = f"no pictures in column {columns.file}" if columns.file else "no column of pictures"
        raise UserError(f"{path}: {told} (columns: {', '.join(record)}); name one that has them by --file-column")
    return choose_texts(columns, record, str(path), file)


def _content(cell: Any) -> tuple[bytes | None, str]:
    """The encoded picture of a cell, if there is one, and a suffix for its name."""
    path = ""
    if isinstance(cell, dict):
        cell, path = cell.get("bytes"), str(cell.get("path") or "")
    suffix = PurePosixPath(path).suffix.lower()
    return cell or None, suffix if suffix in SUFFIXES else ""


def _split_of(place: str) -> Split | None:
    words = re.split(r"[/\-_.\d]+", place.lower())
    return next((SPLIT_FOLDERS[word] for word in words if word in SPLIT_FOLDERS), None)
