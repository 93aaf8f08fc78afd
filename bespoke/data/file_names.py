"""Where is the picture that a table names? Found even where its name is written in another way than on the disk.

macOS takes Japanese letters and accents apart (NFD), spreadsheets turn letters full width, Windows does not mind case,
and a table may give an article's number where the file has a suffix behind it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path, PurePosixPath

from bespoke.data.pictures import SUFFIXES

_FOLDERS = 8  # whose names are remembered at a time; a table mostly goes folder by folder
# CP932 and Unicode disagree on these two; NFKC does not bring them together.
_SAME = str.maketrans("\u301c\u2212", "~-")

Listing = dict[str, list[str]]


class FileFinder:
    """Finds files below a folder; a folder is listed only once a name in it is not found as it stands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listing = lru_cache(maxsize=_FOLDERS)(_listing)

    def find(self, name: str) -> str:
        """The "/"-separated name as the disk has it; `name` itself where no file fits, or more than one does."""
        if _exists(self.folder / name):
            return name
        place, found = self.folder, PurePosixPath()
        for part in PurePosixPath(name).parts:
            match = part if _exists(place / part) else self._alike(place, part)
            if match is None:
                return name
            place, found = place / match, found / match
        return found.as_posix()

    def _alike(self, place: Path, part: str) -> str | None:
        found = self._listing(place).get(name_key(part), [])
        if len(found) > 1:
            same = unicodedata.normalize("NFC", part)
            found = [name for name in found if unicodedata.normalize("NFC", name) == same]
        return found[0] if len(found) == 1 else None


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (OSError, ValueError):  # also names that no file can have
        return False
    return True


def _listing(folder: Path) -> Listing:
    """The names in a folder by how they read; pictures also by their name without suffix."""
    names: Listing = {}
    try:
        for path in folder.iterdir():
            names.setdefault(name_key(path.name), []).append(path.name)
            if path.suffix.lower() in SUFFIXES:
                names.setdefault(name_key(path.stem), []).append(path.name)
    except OSError:  # no such folder, or none that may be read: nothing is found in it
        return {}
    return names


def name_key(name: str) -> str:
    """The same for names that people read as the same."""
    return unicodedata.normalize("NFKC", name).casefold().translate(_SAME)
