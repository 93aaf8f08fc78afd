"""Which picture does a row of the table mean? Names are compared as people read them, not byte by byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from bespoke.data.file_names import name_key


class Shelf:
    """Finds uploaded files by the names that a table gives them.

    A table may name a path where the browser sent a bare name, or an article's number where the file has a suffix.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._whole: dict[str, list[int]] = {}
        self._last: dict[str, list[int]] = {}
        self._stem: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            path = PurePosixPath(name.replace("\\", "/"))
            self._whole.setdefault(name_key(path.as_posix()), []).append(place)
            self._last.setdefault(name_key(path.name), []).append(place)
            self._stem.setdefault(name_key(path.stem), []).append(place)

    def find(self, name: str) -> list[int]:
        """Places of the files that a name may mean; it is clear where there is one."""
        path = PurePosixPath(name)
        for names, wanted in ((self._whole, path.as_posix()), (self._last, path.name), (self._stem, path.name)):
            if found := names.get(name_key(wanted)):
                return found
        return []
