"""How is a backup made? The database first, then the files: what it speaks of was on the disk before it said so."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from django.core.files.storage import Storage

from bespoke.errors import UserError
from bespoke.studio.audit import keys
from bespoke.studio.backups import archive, databases, pictures
from bespoke.studio.storage import StorageError, make


def backup(home: Path, file: Path, *, url: str, storage: str, models: bool, say: Callable[[str], None]) -> None:
    """Write all of a studio into a new file, while it may run. Raises UserError."""
    kept = make(storage, home.absolute() / archive.PICTURES)
    if not home.is_dir():
        raise UserError(f"{home}: no such folder; name the studio's by --home")
    for key in archive.KEYS:
        if not (home / key).is_file():
            raise UserError(f"{home}: no {key} in it, so it is no studio; name its folder by --home")
    if file.exists():
        raise UserError(f"{file}: exists already; name another file")
    if file.absolute().parent.resolve().is_relative_to(home.resolve()):
        raise UserError(f"{file}: lies in the studio itself; a backup belongs on another disk")
    use = keys.Use(home)  # else the database might know of another key than the file holds
    try:
        with tempfile.TemporaryDirectory(prefix=".bespoke-backup-", dir=file.absolute().parent) as folder:
            dumped, migrations = databases.dump(home, url, Path(folder))
            num_files, num_bytes = _write(home, file, dumped, migrations, kept, models=models)
    except StorageError as error:
        raise UserError(f"--storage {error}; nothing was kept") from error
    except OSError as error:
        told = f"cannot be written ({error.strerror or error})"
        raise UserError(f"{file}: {told}; nothing was kept, make room or name another place") from error
    finally:
        use.end()
    size = f"{num_files} files, {num_bytes / 2**20:,.1f} MB{'' if models else ', without models'}"
    say(f"{file}: {size}. It holds the keys and all accounts: keep it as safe as the studio.")


def _write(
    home: Path, file: Path, dumped: Path, migrations: list[str], kept: Storage, *, models: bool
) -> tuple[int, int]:
    with archive.Writer(file) as writer:
        told = {"format": archive.FORMAT, "bespoke": version("bespoke"), "database": dumped.name, "models": models}
        at = datetime.now(UTC).isoformat(timespec="seconds")
        writer.add_text(archive.FIRST, {**told, "made_at": at, "migrations": migrations})
        writer.add(dumped, dumped.name)
        for key in archive.KEYS:
            writer.add(home / key, key)
        for place in (*keys.old_files(home).values(), home / keys.NEXT):
            writer.add(place, place.name)
        pictures.add(writer, kept)
        for name in archive.FOLDERS:
            if name == archive.PICTURES or (name == "models" and not models):
                continue
            for place in archive.files_in(home / name):
                writer.add(place, place.relative_to(home).as_posix())
        return writer.add_manifest()
