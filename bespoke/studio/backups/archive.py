"""What is a backup? A tar that begins with what it is and ends with the SHA-256 of all it holds.

So a wrong file is known at once, and one that was cut off never ends. Any tar program can read it; here, only names
that a studio has are put anywhere. Knows no Django.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from bespoke.errors import UserError
from bespoke.studio.audit import keys

FORMAT = 1
FIRST, LAST = "bespoke-studio-backup.json", "manifest.json"
SQLITE, POSTGRESQL = "studio.sqlite3", "postgresql.dump"
KEYS = ("secret-key", "audit-key")  # that every studio has
PICTURES = "pictures"  # wherever their storage is
FOLDERS = (PICTURES, "catalogues", "uploads", "reports", "models")  # not the cache: it is made again
MOST_BYTES_OF_JSON = 2**30
CHUNK = 2**20


class Entry(NamedTuple):
    """What the manifest says of one file."""

    size: int  # in bytes
    sha256: str


class Writer:
    """Fills an archive; leaves nothing but a whole one."""

    def __init__(self, file: Path) -> None:
        self._file, self._part = file, file.with_name(f".{file.name}.{os.getpid()}.part")
        self._entries: dict[str, Entry] = {}
        self._inodes: dict[tuple[int, int], str] = {}

    def __enter__(self) -> Writer:
        descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it holds keys
        self._stream = os.fdopen(descriptor, "wb")
        try:
            self._tar = tarfile.open(fileobj=self._stream, mode="w", format=tarfile.PAX_FORMAT)
        except BaseException:
            self.__exit__(OSError)
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Give the archive its name, or leave nothing of it."""
        try:
            if kind is None:
                self._tar.close()
                self._stream.flush()
                os.fsync(self._stream.fileno())
                os.link(self._part, self._file)  # never over a file that came meanwhile
        finally:
            self._part.unlink(missing_ok=True)
            self._stream.close()

    def add_text(self, name: str, told: dict[str, Any]) -> None:
        """Add what is told as JSON, outside the manifest."""
        content = json.dumps(told, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogateescape")
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o600
        self._tar.addfile(info, io.BytesIO(content))

    def add_manifest(self) -> tuple[int, int]:
        """Add the end, and return how many files there are and their size in bytes."""
        self.add_text(LAST, {name: list(entry) for name, entry in self._entries.items()})
        return len(self._entries), sum(entry.size for entry in self._entries.values())

    def add(self, source: Path, name: str) -> None:
        """Add a file as it is now; one that is gone meanwhile is left out. Raises UserError."""
        try:
            stream = source.open("rb")
        except FileNotFoundError:
            return
        with stream:
            status = os.fstat(stream.fileno())
            info = tarfile.TarInfo(name)
            info.mode, info.mtime, info.size = 0o600, int(status.st_mtime), status.st_size
            first = self._inodes.setdefault((status.st_dev, status.st_ino), name)
            if first != name and self._entries[first].size == status.st_size:
                # Versions of a catalogue share their pictures.
                info.type, info.linkname, info.size = tarfile.LNKTYPE, first, 0
                self._tar.addfile(info)
                self._entries[name] = self._entries[first]
                return
            self._add(info, stream)

    def add_stream(self, stream: Any, size: int, name: str) -> None:
        """Add what a stream has. Raises UserError."""
        info = tarfile.TarInfo(name)
        info.mode, info.mtime, info.size = 0o600, int(time.time()), size
        self._add(info, stream)

    def _add(self, info: tarfile.TarInfo, stream: Any) -> None:
        # A log that grows meanwhile is taken as long as it was.
        through = _Hashing(stream)
        try:
            self._tar.addfile(info, through)
        except OSError as error:
            if through.read_bytes < info.size and "end of data" in str(error):
                raise UserError(f"{info.name}: was cut short while it was read; try again") from error
            raise
        self._entries[info.name] = Entry(info.size, through.hash.hexdigest())


class _Hashing(io.RawIOBase):
    """A stream that hashes what is read of it."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.hash, self.read_bytes = stream, hashlib.sha256(), 0

    def read(self, size: int = -1, /) -> bytes:
        got: bytes = self._stream.read(size)
        self.hash.update(got)
        self.read_bytes += len(got)
        return got


def files_in(folder: Path) -> Iterator[Path]:
    """Every file below, links followed, in the order of names. Raises UserError where a link leads back."""
    yield from _files_in(folder, ())


def _files_in(folder: Path, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    try:
        status = folder.stat()
        here = (status.st_dev, status.st_ino)
        if here in above:
            raise UserError(f"{folder}: a link that leads back to where it is; delete it")
        found = sorted(folder.iterdir())
    except FileNotFoundError:  # a job's leftovers are cleared away at any time
        return
    for place in found:
        if place.is_dir():
            yield from _files_in(place, (*above, here))
        elif place.is_file():
            yield place


def unpack(file: Path, folder: Path, fitting: Any) -> dict[str, Any]:
    """Put what an archive holds into `folder`, and return what it says of itself.

    `fitting` is called with that before anything is unpacked, and raises UserError where the archive is no use. Raises
    UserError, too, where the archive is no backup, of a newer version, cut off, altered, or has other names than ours;
    `folder` may then hold a part.
    """
    try:
        with file.open("rb") as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            head = _head(file, tar.next(), tar)
            fitting(head)
            return _unpack(file, tar, folder, head)
    except UserError:  # which is a ValueError
        raise
    except tarfile.ReadError as error:
        what = "damaged or cut off" if any(folder.iterdir()) or _begins_as_ours(file) else "not a backup of a studio"
        raise UserError(f"{file}: {what}; name a file that `bespoke studio backup` has made") from error
    except (tarfile.TarError, ValueError, OverflowError, EOFError, RecursionError) as error:
        raise UserError(f"{file}: damaged; take another backup") from error


def _begins_as_ours(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(FIRST)) == FIRST.encode("ascii")


def _head(file: Path, info: tarfile.TarInfo | None, tar: tarfile.TarFile) -> dict[str, Any]:
    if info is None or info.name != FIRST:
        raise UserError(f"{file}: not a backup of a studio; name a file that `bespoke studio backup` has made")
    head = _json(tar, info)
    if not isinstance(head.get("format"), int) or head["format"] > FORMAT:
        made = str(head.get("bespoke"))[:20]
        raise UserError(f"{file}: made by a newer Bespoke ({made}); bring this one up to date first")
    return head


def _json(tar: tarfile.TarFile, info: tarfile.TarInfo) -> dict[str, Any]:
    stream = tar.extractfile(info) if _plain(info) and info.size <= MOST_BYTES_OF_JSON else None
    found = json.loads(stream.read()) if stream else None
    if not isinstance(found, dict):
        raise ValueError(info.name)
    return found


def _plain(info: tarfile.TarInfo) -> bool:
    return info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not info.issparse()


def _unpack(file: Path, tar: tarfile.TarFile, folder: Path, head: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Entry] = {}
    manifest = None
    while (info := tar.next()) is not None:
        if info.name == LAST:
            manifest = _json(tar, info)
            continue
        if not _ours(info.name) or info.name in found or manifest is not None:
            raise UserError(f"{file}: holds {info.name[:80]!r}, which no studio has; take another backup")
        target = folder / info.name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if info.type == tarfile.LNKTYPE and info.linkname in found:
            _link(folder / info.linkname, target)
            found[info.name] = found[info.linkname]
        elif _plain(info):
            found[info.name] = _write(tar, info, target)
        else:
            raise UserError(f"{file}: {info.name[:80]!r} is not a file; take another backup")
    if manifest is None:
        raise UserError(f"{file}: cut off; take another backup")
    for name in sorted(manifest.keys() | found.keys()):
        if name not in found or manifest.get(name) != list(found[name]):
            raise UserError(f"{file}: {name[:80]!r} is not as it was written; take another backup")
    return head


def _ours(name: str) -> bool:
    """Whether a studio has such a file: no way out, no name that another system reads otherwise."""
    parts = PurePosixPath(name).parts
    if not parts or "/".join(parts) != name or "\\" in name or "\0" in name or ".." in parts or name.startswith("/"):
        return False
    if len(parts) > 1:
        return parts[0] in FOLDERS
    return name in (SQLITE, POSTGRESQL, *KEYS, keys.NEXT) or keys.OLD.fullmatch(name) is not None


def _link(first: Path, target: Path) -> None:
    try:
        os.link(first, target)
    except OSError:  # a disk without hard links
        target.write_bytes(first.read_bytes())


def _write(tar: tarfile.TarFile, info: tarfile.TarInfo, target: Path) -> Entry:
    source, made, size = tar.extractfile(info), hashlib.sha256(), 0
    assert source is not None
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        while chunk := source.read(CHUNK):
            stream.write(chunk)
            made.update(chunk)
            size += len(chunk)
    os.utime(target, (info.mtime, info.mtime))
    return Entry(size, made.hexdigest())
