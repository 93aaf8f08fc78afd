"""What does a version of a catalogue look like on disk? As any catalogue: pictures, and metadata.jsonl beside them.

Pictures are never written to again, so versions share them by hard links; metadata.jsonl is replaced whole. Knows no
Django.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

METADATA = "metadata.jsonl"
FILE, TEXTS, ORIGINAL = "file_name", "texts", "original_name"
OWN_COLUMNS = (FILE, "text", TEXTS, ORIGINAL)  # what an attribute must not be called
Row = dict[str, Any]  # FILE, TEXTS, ORIGINAL and attributes


def read_rows(folder: Path) -> tuple[Row, ...]:
    """The rows of a version, one a picture."""
    status = (folder / METADATA).stat()
    return _read(folder, status.st_mtime_ns, status.st_ino)


@lru_cache(maxsize=4)  # a page shows a few of thousands of rows, and the next page the next few
def _read(folder: Path, *stamp: int) -> tuple[Row, ...]:
    with (folder / METADATA).open(encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


def write_rows(folder: Path, rows: Sequence[Row]) -> str:
    """Put metadata.jsonl in its place, whole, and return the version's fingerprint.

    The fingerprint is a hash over all rows; names of pictures hold a hash of their content, so it covers that, too.
    """
    lines = (json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
    text = "".join(lines).encode("utf-8", "replace")
    part = folder / f"{METADATA}.part"
    with part.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / METADATA)
    sync(folder)
    return hashlib.sha256(text).hexdigest()


def share_pictures(source: Path, target: Path, rows: Sequence[Row]) -> None:
    """Give another version the pictures of these rows, too."""
    for row in rows:
        try:
            os.link(source / row[FILE], target / row[FILE])
        except FileExistsError:
            pass
        except OSError:  # a disk without hard links
            shutil.copyfile(source / row[FILE], target / row[FILE])


def sync(folder: Path) -> None:
    """Make sure that the disk has the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def settle(part: Path, folder: Path) -> None:
    """Give a folder that is complete its place; what half a former try left there goes."""
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    sync(folder.parent)
