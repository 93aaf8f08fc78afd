"""How does a studio come back? Beside its place, every hash is held against the manifest; then it moves in at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bespoke.errors import UserError
from bespoke.studio.backups import archive, databases, pictures
from bespoke.studio.storage import make

PACKAGE = Path(__file__).parent.parent


def restore(home: Path, file: Path, *, url: str, storage: str, say: Callable[[str], None]) -> None:
    """Put a backup into a folder that is new or empty. Raises UserError; then nothing is in its place.

    storage: the address of the object store for its pictures, or empty: they stay in the folder.
    """
    _check_free(home)
    if not file.is_file():
        raise UserError(f"{file}: no such file; name one that `bespoke studio backup` has made")
    if url:
        databases.check_empty(url)
    kept = make(storage, home / archive.PICTURES) if storage else None
    if kept is not None:
        pictures.check_empty(kept)
    place = home.absolute()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.name}.restoring-", dir=place.parent) as folder:
            fresh = Path(folder) / "home"
            fresh.mkdir(mode=0o700)
            head = archive.unpack(file, fresh, lambda head: _check_fit(file, head, url))
            with pictures.moved(fresh / archive.PICTURES, kept) if kept is not None else nullcontext():
                if url:
                    databases.load(fresh / archive.POSTGRESQL, url)
                    (fresh / archive.POSTGRESQL).unlink()
                os.sync()
                _move_in(fresh, place, url)
    except OSError as error:
        told = error.strerror or str(error)
        raise UserError(f"{home}: cannot be written ({told}); nothing was restored, make room and try again") from error
    rest = "" if head.get("models") else " It came without models: put them back into its models folder."
    start = f"bespoke studio --home {home}{f' --storage {storage}' if storage else ''}"
    say(f"{home}: the studio as it was at {head.get('made_at')}.{rest} Start it by: {start}")


def _check_free(home: Path) -> None:
    if not home.exists():
        return
    if not home.is_dir():
        raise UserError(f"{home}: a file; name a new folder by --home")
    if os.path.ismount(home):
        raise UserError(f"{home}: a disk is mounted here; name a new folder in it by --home")
    if databases.runs_at(home):
        raise UserError(f"{home}: a studio runs here; name a new folder by --home")
    if any(home.iterdir()):
        raise UserError(f"{home}: not empty; name a new folder by --home")


def _check_fit(file: Path, head: dict[str, Any], url: str) -> None:
    if head.get("database") == archive.POSTGRESQL and not url:
        raise UserError(f"{file}: holds a PostgreSQL database; name an empty one by --database")
    if head.get("database") == archive.SQLITE and url:
        raise UserError(f"{file}: holds an SQLite database; leave out --database and BESPOKE_STUDIO_DATABASE")
    if unknown := [name for name in head.get("migrations", ()) if not _knows(str(name))]:
        made = str(head.get("bespoke"))[:20]
        raise UserError(f"{file}: its tables are newer ({made}, {unknown[0]}); bring this Bespoke up to date first")


def _knows(migration: str) -> bool:
    """Whether this release has a migration of ours; those of other packages are theirs to judge."""
    app, _, name = migration.partition(".")
    folder = PACKAGE / ("" if app == "studio" else app) / "migrations"
    return not folder.is_dir() or (folder / f"{name}.py").is_file()


def _move_in(fresh: Path, place: Path, url: str) -> None:
    try:
        fresh.rename(place)  # over an empty folder, too
    except OSError as error:
        filled = " the database is filled already: make it anew;" if url else ""
        raise UserError(f"{place}: {error.strerror};{filled} name another --home") from error
    descriptor = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
