"""What is in a catalogue? Pictures with captions, however they were laid out by whoever made them.

One table, READERS, lists the layouts; a catalogue asks each in turn whether a folder is its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from bespoke.data import packed, readers, shards
from bespoke.data.columns import Chosen, Columns
from bespoke.data.item import Item, Problems
from bespoke.errors import UserError


class Reader(NamedTuple):
    """One layout: how to know it, how to stream its items, and how to see cheaply that it has changed."""

    name: str
    accepts: Callable[[str], bool]
    read: Callable[[str, Problems, Columns], Iterator[Item]]
    stamps: Callable[[str], Iterator[str]] | None = None  # None: the items themselves are cheap to walk
    columns: Callable[[str, Columns], Chosen | None] | None = None  # None: no table, whose columns could be told


def _folder(
    name: str,
    accepts: Callable[[Path], bool],
    read: Callable[[Path, Problems], Iterator[Item]],
) -> Reader:
    return Reader(
        name,
        lambda location: Path(location).is_dir() and accepts(Path(location)),
        lambda location, problems, _: read(Path(location), problems),
    )


# The first that accepts wins, so the telling layouts come before the general ones.
READERS = (
    Reader(
        "webdataset",
        shards.is_shards,
        lambda location, problems, _: shards.read_shards(location, problems),
        shards.shard_stamps,
    ),
    _folder("oxford102", readers.is_oxford102, readers.read_oxford102),
    _folder("cub200", readers.is_cub200, readers.read_cub200),
    _folder("coco", readers.is_coco, readers.read_coco),
    Reader(
        "imagefolder",
        lambda location: Path(location).is_dir() and readers.is_imagefolder(Path(location)),
        lambda location, problems, columns: readers.read_imagefolder(Path(location), problems, columns),
        columns=lambda location, columns: readers.columns_of(Path(location), columns),
    ),
    Reader(
        "parquet",
        lambda location: Path(location).is_dir() and packed.is_packed(Path(location)),
        lambda location, problems, columns: packed.read_packed(Path(location), problems, columns),
        lambda location: packed.packed_stamps(Path(location)),
        columns=lambda location, columns: packed.packed_columns(Path(location), columns),
    ),
    _folder("text_pairs", readers.is_text_pairs, readers.read_text_pairs),
)


def _how_to_read(table: Path) -> str:
    """What to do with a table so that it is read."""
    suffix = table.suffix.lower()
    if suffix in readers.OTHER_TABLES:
        return "save it as metadata.xlsx or metadata.csv"
    return f"rename it to metadata{'.csv' if suffix == '.txt' else suffix}"


class Catalogue:
    """A stream of items that can be walked again and again; never in memory as a whole."""

    def __init__(self, location: str, reader: Reader, columns: Columns) -> None:
        self.location = location
        self.reader = reader
        self.columns = columns
        self.problems = Problems()  # of the last walk; filled while it goes
        self.num_items: int | None = None  # known after one whole walk

    @classmethod
    def open(cls, location: str | Path, columns: Columns | None = None) -> Catalogue:
        """Find the reader of a folder, a .tar file or a URL of shards; raises UserError where there is none.

        `columns` says where a metadata table has file names and captions; without it that is guessed.
        """
        where, columns = str(location), columns or Columns()
        if not where:
            raise UserError("catalogue: an empty name; give the folder that holds the pictures (. is the current one)")
        for reader in READERS:
            if reader.accepts(where):
                if columns != Columns() and reader.columns is None:
                    raise UserError(
                        f"{where}: no metadata table in it, so it has no columns; leave out --file-column, "
                        "--text-column and --template"
                    )
                return cls(where, reader, columns)
        if not Path(where).exists():
            raise UserError(f"{where}: no such folder; give the folder that holds the pictures")
        if not Path(where).is_dir():
            raise UserError(f"{where}: a file; give the folder that holds the pictures")
        other = readers.table_by_another_name(Path(where))
        raise UserError(
            f"{where}: no captions found; "
            + (f"if they are in {other.name}, {_how_to_read(other)}; else " if other else "")
            + "add metadata.jsonl (or .csv, .xlsx, .parquet) with file_name and text, or a .txt beside each picture"
        )

    @property
    def name(self) -> str:
        """What to call the catalogue, fit for a file name: the last part of where it is."""
        last = self.location.rsplit("/", 1)[-1] if "://" in self.location else Path(self.location).resolve().name
        return re.sub(r"[^\w.-]+", "_", last) or "catalogue"

    def chosen_columns(self) -> Chosen | None:
        """The columns that are read, told or guessed; None where there is no table. Raises UserError."""
        return self.reader.columns(self.location, self.columns) if self.reader.columns else None

    def __iter__(self) -> Iterator[Item]:
        self.problems.clear()
        count = 0
        for item in self.reader.read(self.location, self.problems, self.columns):
            count += 1
            yield item
        self.num_items = count

    def fingerprint(self) -> str:
        """A hash of all names, captions, attributes and of each file's size and time: no picture is decoded.

        It differs after a copy to another place (times differ); what a model was trained on is PairStore.fingerprint.
        """
        digest = hashlib.blake2b(digest_size=16)
        for stamp in self._stamps() if self.reader.stamps is None else self.reader.stamps(self.location):
            digest.update(stamp.encode() + b"\n")
        return digest.hexdigest()

    def _stamps(self) -> Iterator[str]:
        for item in self:
            assert isinstance(item.source, Path), f"{self.reader.name} holds pictures in memory and needs stamps"
            try:
                status = item.source.stat()
                file = [status.st_size, status.st_mtime_ns]
            except OSError:
                file = []  # reported when the picture is read
            yield json.dumps([item.name, item.texts, item.attributes, item.split, item.crop, file], sort_keys=True)
        yield json.dumps(self.problems.counts, sort_keys=True)
