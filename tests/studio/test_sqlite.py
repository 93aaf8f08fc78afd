"""Turns in which transactions write to SQLite."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

WRITE = """
import django
django.setup()
from django.db import connection, transaction
with transaction.atomic():
    print("its turn", flush=True)
    {}
"""


def free() -> bool:
    """Whether nobody has the turn."""
    with Path(settings.HOME.turn).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@pytest.fixture(autouse=True)
def _alone(_tables: None) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL needs no turns")


def writer(do: str, given: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITE.format(do)], stdout=subprocess.PIPE, text=True, env=given)


def test_a_turn_lasts_as_long_as_the_transaction_however_it_ends() -> None:
    with transaction.atomic():
        assert not free()
        with transaction.atomic():
            pass
        assert not free()
    assert free()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    assert free()
    with transaction.atomic():
        transaction.set_rollback(True)
    assert free()


def test_a_transaction_that_cannot_begin_gives_its_turn_back(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(settings.HOME.database, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        connection.cursor().execute("PRAGMA busy_timeout=1")
        with pytest.raises(OperationalError, match="locked"), transaction.atomic():
            pass
        other.execute("ROLLBACK")
    other.close()
    connection.close()
    assert free()


def test_a_process_that_is_killed_leaves_its_turn_to_the_next() -> None:
    given = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    first = writer("import time; time.sleep(600)", given)
    assert first.stdout is not None
    assert first.stdout.readline() == "its turn\n"
    assert not free()
    second = writer("pass", given)
    time.sleep(0.5)
    assert second.poll() is None
    first.kill()
    first.wait(30)
    assert second.communicate(timeout=60)[0] == "its turn\n"
    first.stdout.close()
    with transaction.atomic():
        pass
    assert free()
