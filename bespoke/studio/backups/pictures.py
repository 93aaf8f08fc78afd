"""How do pictures come out of their storage and into another? One by one, whether it is a disk or an object store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.core.files import File
from django.core.files.storage import Storage

from bespoke.errors import UserError
from bespoke.studio.backups import archive
from bespoke.studio.storage import StorageError, names_in


def add(writer: archive.Writer, storage: Storage) -> None:
    """Add every picture to an archive; one that is gone meanwhile is left out. Raises StorageError."""
    for name in names_in(storage):
        with suppress(FileNotFoundError), storage.open(name) as stream:
            writer.add_stream(stream, stream.size, f"{archive.PICTURES}/{name}")


def check_empty(storage: Storage) -> None:
    """Raises UserError where there are pictures already."""
    try:
        if next(names_in(storage), None) is not None:
            raise UserError(f"--storage {storage}: not empty; name another prefix to restore into")
    except StorageError as error:
        raise UserError(f"--storage {error}") from error


@contextmanager
def moved(folder: Path, storage: Storage) -> Iterator[None]:
    """All pictures of a folder are in `storage` instead; taken out of it again where what follows fails.

    Raises UserError.
    """
    saved: list[str] = []
    try:
        for place in archive.files_in(folder):
            with place.open("rb") as stream:
                saved.append(storage.save(place.relative_to(folder).as_posix(), File(stream)))
        shutil.rmtree(folder, ignore_errors=True)
        yield
    except BaseException as error:
        with suppress(StorageError):  # what then stays there is no studio's
            for name in saved:
                storage.delete(name)
        if isinstance(error, StorageError):
            raise UserError(f"--storage {error}; nothing was restored") from error
        raise
