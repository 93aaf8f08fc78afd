"""Where are the pictures, and when is one safe? On the disk or in an object store, before the database says so.

All that is drawn, or sent to be edited, is written and read through Django's storage: nobody else knows which it is.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage
from django.utils.module_loading import import_string

from bespoke.errors import UserError

S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([\w.=-]+(?:/[\w.=-]+)*))?/?", re.ASCII)


class StorageError(OSError):
    """The store of pictures does not answer, or refuses: says what to do. Nothing is wrong with the picture."""


class DurableStorage(FileSystemStorage):
    """Django's storage on disk; what it has saved survives a power cut."""

    def __str__(self) -> str:
        return str(self.location)

    def _save(self, name: str, content: File) -> str:
        saved = str(super()._save(name, content))
        path = Path(self.path(saved))
        for place in (path, path.parent, path.parent.parent):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return saved


def configured(address: str, pictures: Path) -> dict[str, Any]:
    """The storage at an address, or without one in the folder `pictures`, as Django's settings have it.

    Raises UserError where the address is none.
    """
    if not address:
        return {"BACKEND": "bespoke.studio.storage.DurableStorage", "OPTIONS": {"location": pictures}}
    if (found := S3.fullmatch(address)) is None or {".", ".."} & {*address.split("/")}:
        raise UserError(f"--storage {address}: expected s3://BUCKET or s3://BUCKET/PREFIX, with no password in it")
    asked = {"bucket": found[1], "prefix": found[2] or ""}
    return {"BACKEND": "bespoke.studio.object_storage.ObjectStorage", "OPTIONS": asked}


def make(address: str, pictures: Path) -> Storage:
    """That storage where there are no settings, as for backups. Raises UserError."""
    told = configured(address, pictures)
    if not (settings.configured or "DJANGO_SETTINGS_MODULE" in os.environ):
        settings.configure()  # Django's storages ask for defaults even of what an option says
    return import_string(told["BACKEND"])(**told["OPTIONS"])


def check(storage: Storage) -> None:
    """Write, read and delete a file of no use. Raises UserError."""
    name, content = f"check-{uuid.uuid4()}/check", b"whether this studio may write, read and delete here"
    try:
        storage.save(name, ContentFile(content))
        with storage.open(name) as stream:
            assert stream.read() == content
        storage.delete(name)
        storage.delete(name.partition("/")[0])  # on a disk, the folder
    except StorageError as error:
        raise UserError(f"--storage {error}") from error
    except OSError as error:
        raise UserError(f"{storage}: cannot be used ({error.strerror}); mend its permissions, or make room") from error


def names_in(storage: Storage, folder: str = "") -> Iterator[str]:
    """The name of every picture, in the order of folders and names."""
    folders, files = storage.listdir(folder)
    above = f"{folder}/" if folder else ""
    yield from (above + name for name in sorted(files))
    for name in sorted(folders):
        yield from names_in(storage, above + name)
