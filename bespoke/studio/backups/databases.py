"""How is a database taken out and put back? SQLite by its own backup, PostgreSQL by its own programs.

Both take the database as it is at one moment, while others write to it. No password is in a list of processes.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bespoke.errors import UserError
from bespoke.studio.backups import archive

ALIVE_SECONDS = 30  # since a worker was seen, as for /health/ready
MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY app, name"
Ask = Callable[[str], list[tuple[Any, ...]]]


def dump(home: Path, url: str, folder: Path) -> tuple[Path, list[str]]:
    """Write the database into `folder`, and return the file and the names of its migrations. Raises UserError."""
    if url:
        target = folder / archive.POSTGRESQL
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file", str(target), url=url)
        with asking_postgresql(url) as ask:
            return target, _migrations(ask, "--database")
    source, target = home / archive.SQLITE, folder / archive.SQLITE
    if not source.is_file():
        raise UserError(f"{home}: no studio (no {archive.SQLITE} in it); name its folder by --home, or its --database")
    try:
        with closing(_open(source)) as there, closing(sqlite3.connect(target)) as here:
            there.backup(here)  # in one piece, so that who writes meanwhile does not make it begin again
            here.execute("PRAGMA journal_mode=DELETE")  # one file
            if (said := here.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise UserError(f"{source}: damaged ({said}); go back to an earlier backup")
            return target, _migrations(lambda asked: here.execute(asked).fetchall(), str(source))
    except sqlite3.Error as error:
        raise UserError(f"{source}: cannot be copied ({error}); see that there is room and that it is whole") from error


def load(dumped: Path, url: str) -> None:
    """Fill an empty PostgreSQL database, wholly or not at all. Raises UserError."""
    asked = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--dbname", _name(url))
    _run("pg_restore", *asked, str(dumped), url=url)


def check_empty(url: str) -> None:
    """Raises UserError where there are tables already."""
    with asking_postgresql(url) as ask:
        if not ask("SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = ANY(current_schemas(false)) LIMIT 1"):
            return
        ours = bool(ask("SELECT to_regclass('studio_worker')")[0][0])
        runs = ours and _alive(ask, f"now() - interval '{ALIVE_SECONDS} seconds'")
    told = "a studio runs on it" if runs else "not empty"
    raise UserError(f"--database: {told}; a backup is restored into an empty one (createdb makes it)")


def runs_at(home: Path) -> bool:
    """Whether a studio with SQLite was at work in this folder in the last half minute."""
    try:
        with closing(_open(home / archive.SQLITE)) as there:
            since = f"datetime('now', '-{ALIVE_SECONDS} seconds')"
            return _alive(lambda asked: there.execute(asked).fetchall(), since)
    except sqlite3.Error:
        return False


@contextmanager
def asking_postgresql(url: str) -> Iterator[Ask]:
    """Questions to a PostgreSQL database. Raises UserError where it does not answer."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            yield lambda asked: connection.execute(asked).fetchall()
    except psycopg.Error as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"--database: cannot be used ({reason}); mend the address or the server") from error


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=20)


def _alive(ask: Ask, since: str) -> bool:
    return bool(ask(f"SELECT 1 FROM studio_worker WHERE seen_at > {since} LIMIT 1"))


def _migrations(ask: Ask, where: str) -> list[str]:
    try:
        return [f"{app}.{name}" for app, name in ask(MIGRATIONS)]
    except (sqlite3.Error, psycopg.Error) as error:
        raise UserError(f"{where}: not the database of a studio; name the one that it uses") from error


def _run(program: str, *asked: str, url: str) -> None:
    if shutil.which(program) is None:
        raise UserError(f"{program} is not installed; install PostgreSQL's client programs (Debian: postgresql-client)")
    done = subprocess.run([program, *asked], capture_output=True, text=True, env=os.environ | _environment(url))
    if done.returncode:
        said = " ".join(done.stderr.split())[:300]
        raise UserError(f"{program}: {said}; nothing was kept")


def _environment(url: str) -> dict[str, str]:
    """An address as PostgreSQL's programs take it from variables."""
    try:
        parts = psycopg.pq.Conninfo.parse(url.encode())
    except psycopg.Error as error:
        raise UserError("--database: not an address; expected postgresql://USER:PASSWORD@HOST/NAME") from error
    return {part.envvar.decode(): part.val.decode() for part in parts if part.envvar and part.val is not None}


def _name(url: str) -> str:
    return _environment(url).get("PGDATABASE", "")
