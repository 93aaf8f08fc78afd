"""Whose turn is it to write? That of who came first: the system's lock on a file is handed on in the order of asking.

SQLite alone lets every writer sleep and try again, up to 100 ms a time, so that under load whoever comes late is often
faster and one in a hundred waits for a second. Its own locks still keep the data; this one only keeps the order.
"""

from __future__ import annotations

import fcntl
import os

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend for SQLite whose transactions begin one after another, in all processes of a studio.

    `TURN` in the settings is the file for that, of no content; it must not be the database, whose locks SQLite would
    lose when another descriptor of it is closed.
    """

    _turn: int | None = None  # the descriptor that has the lock; a process that is killed gives it back

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()
        finally:
            self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self._end_turn()

    def _take_turn(self) -> None:
        if self._turn is None:
            self._turn = os.open(self.settings_dict["TURN"], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._turn, fcntl.LOCK_EX)

    def _end_turn(self) -> None:
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None
