"""How is a folder of derived files made so that nobody ever sees half of it?

Written beside its place and renamed in one step: a process killed at any moment leaves no folder, or a whole one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bespoke.errors import UserError

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_RIGHT = (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST)


def make_once(folder: Path, is_whole: Callable[[], bool], write: Callable[[Path], None]) -> None:
    """Make sure `folder` exists and is whole: if not, `write` fills an empty folder that then takes its place.

    Of several processes that ask at once one works and the others wait. Raises UserError where the disk is full or
    must not be written.
    """
    if is_whole():
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(folder.name + ".lock")):
            if not is_whole():
                _replace(folder, write)
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise UserError(f"{folder.parent}: no space left for the cache; free some or set BESPOKE_CACHE") from None
        if error.errno in _NO_RIGHT or not folder.parent.is_dir():
            reason = (error.strerror or "no right").lower()
            raise UserError(f"{folder.parent}: cannot write the cache ({reason}); set BESPOKE_CACHE") from None
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system frees when the process dies, however it dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _replace(folder: Path, write: Callable[[Path], None]) -> None:
    part = folder.with_name(folder.name + ".part")  # ours alone while the lock is held
    for leftover in (part, folder):  # of a process that was killed, or of a disk that was damaged
        if leftover.exists():
            shutil.rmtree(leftover)
    part.mkdir()
    try:
        write(part)
        for path in [*part.iterdir(), part]:
            _sync(path)
        part.rename(folder)
        _sync(folder.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
