"""Which keys seal the audit log? The present one, those before it, for a moment the next. Knows no Django.

They lie in the home folder: `audit-key`, `audit-key.1`, `audit-key.2`, ... from the first, and `audit-key.next`.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from bespoke.errors import UserError
from bespoke.studio.home import read_key, write_key

PRESENT, NEXT = "audit-key", "audit-key.next"
OLD = re.compile(r"audit-key\.([1-9][0-9]{0,8})")
LOCK = "lock"
_MEND = "bring it back from a backup"


class Keys(NamedTuple):
    """The keys of a log."""

    present: bytes
    old: dict[int, bytes]  # by number, from 1


def read(folder: Path) -> Keys:
    """The keys in a home folder. Raises UserError where one cannot be read, or others may read it."""
    old = {number: _read(file) for number, file in old_files(folder).items()}
    return Keys(_read(folder / PRESENT), old)


def read_next(folder: Path) -> bytes | None:
    """The key that a change has begun with; None where none is under way."""
    return _read(folder / NEXT) if (folder / NEXT).exists() else None


def old_files(folder: Path) -> dict[int, Path]:
    """The files of the keys before the present one, by number, from the first."""
    found = {int(match[1]): file for file in folder.iterdir() if (match := OLD.fullmatch(file.name))}
    return dict(sorted(found.items()))


def name_of(key: bytes) -> str:
    """What may be said of a key to know it again."""
    return hmac.new(key, b"name", hashlib.sha256).hexdigest()[:16]


def make_next(folder: Path) -> bytes:
    """Begin a change: write the next key, durably."""
    write_key(folder / NEXT)
    _sync(folder)
    return _read(folder / NEXT)


def move_in(folder: Path, number: int) -> None:
    """End a change: the present key becomes the old one of this number, and the next the present. Twice is once."""
    with suppress(FileExistsError):
        os.link(folder / PRESENT, folder / f"{PRESENT}.{number}")
    _sync(folder)  # the old one has its name for good before the present one is replaced
    with suppress(FileNotFoundError):
        (folder / NEXT).replace(folder / PRESENT)
    _sync(folder)


def drop_next(folder: Path) -> None:
    """Take a change back before the log knows of it."""
    (folder / NEXT).unlink(missing_ok=True)
    for left in folder.glob(f".{NEXT}.*"):  # of a process that was killed while it wrote
        left.unlink(missing_ok=True)
    _sync(folder)


class Use:
    """That a process knows the keys of a studio, or copies them. As long as it does, nobody changes them.

    The system ends it with the process, however that ends. Raises UserError while they are being changed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, -1
        try:
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder}: the audit log's key is being changed; wait until that has ended") from None
        except OSError as error:
            if error.errno != errno.EROFS:  # there nobody changes anything
                raise UserError(f"{folder}: cannot be written ({error.strerror}); mend its permissions") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For who changes them. Raises UserError where another process uses them."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = "a studio, or a command of it, is at work here; stop it, wait until it has ended, and try again"
            raise UserError(f"{self._folder}: {told}") from None
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def end(self) -> None:
        """The keys are forgotten."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _read(file: Path) -> bytes:
    return read_key(file, _MEND).encode("ascii")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
