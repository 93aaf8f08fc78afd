"""What is in a zip? Files one by one, under names of ours; its own names only say what was meant, and lead nowhere."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bespoke.studio.workshop.limits import MOST_FILE_BYTES, MOST_PICTURES, MOST_UNPACKED_BYTES
from bespoke.studio.workshop.problems import Problem, RefusedError

_BLOCK = 1 << 20
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")  # what systems put into zips, and nobody means


class Unpacker:
    """Unpacks all zips of an upload, and counts what comes out of them."""

    def __init__(self) -> None:
        self.left = MOST_UNPACKED_BYTES

    def unpack(self, file: Path, folder: Path) -> Iterator[tuple[str, Path | Problem]]:
        """Yield the name of each file in a zip with where it lies now, in `folder`, or what is wrong with it.

        Raises RefusedError for what is no zip, and for one that unpacks to more than may be.
        """
        try:
            # Windows writes Japanese names in its own code; names in UTF-8 say so themselves.
            archive = zipfile.ZipFile(file, metadata_encoding="cp932")
        except (zipfile.BadZipFile, UnicodeDecodeError, ValueError, OSError, NotImplementedError):
            raise RefusedError(Problem("no_zip", file.name)) from None
        with archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_litter(entry.filename)]
            if len(entries) > MOST_PICTURES:
                raise RefusedError(Problem("too_many", file.name, str(MOST_PICTURES)))
            for number, entry in enumerate(entries):
                target = folder / f"{file.name}-{number:06d}"
                yield entry.filename, self._one(archive, entry, target) or target

    def _one(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> Problem | None:
        """Unpack one file; what the zip says of its size is not believed."""
        if entry.flag_bits & 1:
            return Problem("locked", entry.filename)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return Problem("broken", entry.filename)
        size = 0
        try:
            with archive.open(entry) as source, target.open("wb") as out:
                while block := source.read(_BLOCK):
                    size += len(block)
                    self.left -= len(block)
                    if self.left < 0:
                        raise RefusedError(Problem("bomb", Path(archive.filename or "").name))
                    if size > MOST_FILE_BYTES:
                        target.unlink()
                        return Problem("too_large", entry.filename)
                    out.write(block)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError):
            target.unlink(missing_ok=True)
            return Problem("broken", entry.filename)
        return None


def _is_litter(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part in _LITTER or part.startswith("._") for part in parts)
