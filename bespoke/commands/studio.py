"""How is the studio run, backed up and restored from the command line? Where packages are missing, a line says so."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from bespoke.commands.extras import EXTRAS
from bespoke.commands.screen import say
from bespoke.errors import UserError

DEFAULT_HOME = Path("bespoke-studio")


def studio(home: Path | None, *, host: str, port: int, database: str | None) -> None:
    """Run the studio until it is stopped. Raises UserError."""
    check_packages()
    from bespoke.studio.serve import serve

    serve(home or DEFAULT_HOME, host=host, port=port, database=database, say=say)


def backup(home: Path | None, file: Path, *, database: str | None, models: bool) -> None:
    """Write a studio into a file. Raises UserError."""
    check_packages()
    from bespoke.studio.backups.making import backup

    backup(home or DEFAULT_HOME, file, url=url_of(database), models=models, say=say)


def restore(home: Path | None, file: Path, *, database: str | None) -> None:
    """Put a studio from a file into a new folder. Raises UserError."""
    check_packages()
    from bespoke.studio.backups.restoring import restore

    restore(home or DEFAULT_HOME, file, url=url_of(database), say=say)


def url_of(database: str | None) -> str:
    """As the studio would take it; empty for SQLite in its folder."""
    from bespoke.studio.home import DATABASE

    return database if database is not None else os.environ.get(DATABASE, "")


def check_packages() -> None:
    """Raises UserError where the studio cannot run yet."""
    missing = [e for e in EXTRAS if e.name == "studio" and importlib.util.find_spec(e.module) is None]
    if missing:
        wanted = " ".join(f"'{extra.requirement}'" for extra in missing)
        raise UserError(f"the studio needs more packages; run: {sys.executable} -m pip install {wanted}")
