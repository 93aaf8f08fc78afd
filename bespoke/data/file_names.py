"""Where is the picture that a table names? Found even where its name is written in another way than on the disk.

macOS takes Japanese letters and accents apart (NFD), spreadsheets turn letters full width, Windows does not mind case,
archives from Windows leave names in CP932, a table may give an article's number where the file has a suffix behind it,
or without its leading zeros, or name no folder.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

from bespoke.data.pictures import SUFFIXES

_FOLDERS = 8  # whose names are remembered at a time; a table mostly goes folder by folder
# CP932 and Unicode disagree on these two; NFKC does not bring them together.
_SAME = str.maketrans("\u301c\u2212", "~-")

Listing = dict[str, list[str]]


class FileFinder:
    """Finds files below a folder; a folder is listed only once a name in it is not found as it stands.

    All folders are, once, where a name is found in none that it says; that takes memory for every picture's name.
    """

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
                return self._anywhere(name)
            place, found = place / match, found / match
        return found.as_posix()

    def _alike(self, place: Path, part: str) -> str | None:
        listing = self._listing(place)
        found = listing.get(name_key(part), []) or listing.get(_number_key(part), [])
        if not found and PurePosixPath(part).suffix.lower() in SUFFIXES:  # saved again as another kind
            found = listing.get(name_key(PurePosixPath(part).stem), [])
        if len(found) > 1:
            same = unicodedata.normalize("NFC", part)
            found = [name for name in found if unicodedata.normalize("NFC", name) == same]
        return found[0] if len(found) == 1 else None

    def _anywhere(self, name: str) -> str:
        """The only picture of that name in any folder below, where no folder is named; else `name` as it is."""
        keys = (name_key(name), _number_key(name)) if "/" not in name else ()
        found = next((self._everywhere[key] for key in keys if key in self._everywhere), [])
        return found[0] if len(found) == 1 else name

    @cached_property
    def _everywhere(self) -> Listing:
        """The pictures of all folders below, by how their names without folder read."""
        names: Listing = {}
        for place, folders, files in os.walk(self.folder):
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            for file in files:
                if PurePosixPath(file).suffix.lower() in SUFFIXES:
                    path = (Path(place) / file).relative_to(self.folder).as_posix()
                    for key in _keys(file):
                        names.setdefault(key, []).append(path)
        return names


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
            for key in _keys(path.name):
                names.setdefault(key, []).append(path.name)
    except OSError:  # no such folder, or none that may be read: nothing is found in it
        return {}
    return names


def _keys(name: str) -> Iterator[str]:
    """By what a file on the disk may be called: its name, a picture's also without suffix."""
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8
        try:
            name = os.fsencode(name).decode("cp932")
        except UnicodeError:
            return
    yield name_key(name)
    if PurePosixPath(name).suffix.lower() in SUFFIXES:
        yield name_key(PurePosixPath(name).stem)
        yield from filter(None, [_number_key(PurePosixPath(name).stem)])


def _number_key(name: str) -> str:
    """The same for numbers that differ in the zeros before them, which spreadsheets drop; no name reads as it does."""
    number = name_key(name)
    return f"/{number.lstrip('0') or '0'}" if number.isdecimal() else ""


def name_key(name: str) -> str:
    """The same for names that people read as the same."""
    return unicodedata.normalize("NFKC", name).casefold().translate(_SAME)
