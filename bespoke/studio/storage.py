"""When is a picture safe? When the disk has it, before the database says so."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class DurableStorage(FileSystemStorage):
    """Django's storage on disk; what it has saved survives a power cut."""

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
