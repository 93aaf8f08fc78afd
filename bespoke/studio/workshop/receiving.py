"""How do files reach the disk? Straight into the folder of their upload, under numbers, one open file at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from bespoke.studio.workshop.limits import MOST_FILE_BYTES, MOST_UPLOAD_BYTES


class Receiver(FileUploadHandler):
    """Django's hook for files; `too_large` names the one at which it stopped."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.too_large = folder, ""
        self._number = self._total = self._size = 0
        self._file: Any = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._number, self._size = self._number + 1, 0
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._place = self.folder / f"{self._number:06d}"
        self._file = self._place.open("wb")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._total += len(raw_data)
        self._size += len(raw_data)
        is_zip = str(self.file_name).lower().endswith(".zip")
        if self._size > (MOST_UPLOAD_BYTES if is_zip else MOST_FILE_BYTES) or self._total > MOST_UPLOAD_BYTES:
            self.too_large = str(self.file_name)
            self._file.close()
            raise StopUpload(connection_reset=True)
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        self._file.close()
        return Received(self._place.name, str(self.file_name), file_size)

    def upload_interrupted(self) -> None:
        self._file.close()


class Received(UploadedFile):
    """A file that lies on the disk already."""

    def __init__(self, place: str, name: str, size: int) -> None:
        super().__init__(None, name, size=size)
        self.place = place
