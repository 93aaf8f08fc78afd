"""How is the studio run, backed up and restored from the command line? Where packages are missing, a line says so."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bespoke.commands.extras import EXTRAS
from bespoke.commands.screen import say
from bespoke.errors import UserError

DEFAULT_HOME = Path("bespoke-studio")


def studio(home: Path | None, *, host: str, port: int, database: str | None, storage: str | None) -> None:
    """Run the studio until it is stopped. Raises UserError."""
    check_packages("s3" if address_of(storage) else "")
    from bespoke.studio.serve import serve

    serve(home or DEFAULT_HOME, host=host, port=port, database=database, storage=storage, say=say)


def backup(home: Path | None, file: Path, *, database: str | None, storage: str | None, models: bool) -> None:
    """Write a studio into a file. Raises UserError."""
    check_packages("s3" if address_of(storage) else "")
    from bespoke.studio.backups.making import backup

    asked = {"url": url_of(database), "storage": address_of(storage)}
    backup(home or DEFAULT_HOME, file, **asked, models=models, say=say)


def restore(home: Path | None, file: Path, *, database: str | None, storage: str | None) -> None:
    """Put a studio from a file into a new folder. Raises UserError."""
    check_packages("s3" if address_of(storage) else "")
    from bespoke.studio.backups.restoring import restore

    restore(home or DEFAULT_HOME, file, url=url_of(database), storage=address_of(storage), say=say)


@contextmanager
def speaking_to(home: Path | None, database: str | None) -> Iterator[None]:
    """Speak to a studio's database, whether it runs or not. Raises UserError."""
    check_packages()
    from bespoke.studio.home import DATABASE, HOME, Home

    place = Home((home or DEFAULT_HOME).absolute())
    if not place.audit_key.is_file():
        raise UserError(f"{place.folder}: no studio (no audit-key in it); name its folder by --home")
    os.umask(0o077)
    os.environ |= {
        HOME: str(place.folder),
        DATABASE: url_of(database),
        "DJANGO_SETTINGS_MODULE": "bespoke.studio.settings",
    }
    import django
    from django.db import DatabaseError

    django.setup()
    from bespoke.studio.audit.rotation import settle

    try:
        settle()
        yield
    except DatabaseError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"--database: cannot be used ({reason}); start the studio once, or mend the address") from error


def url_of(database: str | None) -> str:
    """As the studio would take it; empty for SQLite in its folder."""
    from bespoke.studio.home import DATABASE

    return database if database is not None else os.environ.get(DATABASE, "")


def address_of(storage: str | None) -> str:
    """As the studio would take it; empty for the disk."""
    from bespoke.studio.home import STORAGE

    return storage if storage is not None else os.environ.get(STORAGE, "")


def check_packages(extra: str = "") -> None:
    """Raises UserError where the studio, with an extra of it, cannot run yet."""
    missing = [e for e in EXTRAS if e.name in ("studio", extra) and importlib.util.find_spec(e.module) is None]
    if missing:
        wanted = " ".join(f"'{extra.requirement}'" for extra in missing)
        raise UserError(f"the studio needs more packages; run: {sys.executable} -m pip install {wanted}")
