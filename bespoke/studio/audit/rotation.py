"""How does the audit log get another key? By a row that is sealed with it and holds on to the last row before it.

The next key is written to a file first; then comes the row, with a new seal over the log's end, in one transaction;
then the files get their places. Whoever comes after a process that was killed in between finishes what the log knows
of, and undoes what it does not. Old keys are kept: rows before the change are checked with them.
"""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from bespoke.studio.audit import keys
from bespoke.studio.audit.chain import ROTATED, Verdict, append, verify
from bespoke.studio.audit.models import Entry, Head


class Rotated(NamedTuple):
    """A change of the key."""

    before: Verdict  # of the log, just before
    old: str  # the file of the key that was replaced
    number: int  # of the row, the first that the present key seals
    seal: str


def rotate() -> Rotated:
    """Seal the log with another key from now on. Raises UserError where a studio, or a command of it, is at work."""
    with settings.AUDIT_USE.alone():
        settle()
        before, folder = verify(), settings.HOME.folder
        keys.drop_next(folder)  # what was killed while it was written
        fresh, number = keys.make_next(folder), max(settings.AUDIT_OLD_KEYS, default=0) + 1
        with transaction.atomic():
            head = Head.objects.select_for_update().get()
            told = {"key": keys.name_of(fresh), "old": number, "last": head.last, "last_seal": head.seal}
            row = append(None, ROTATED, keys.PRESENT, told, sealed_by=fresh)
        settle()
    return Rotated(before, f"{keys.PRESENT}.{number}", row.number, row.seal)


def settle() -> None:
    """Finish a change of the key that was broken off, or undo it where the log does not know of it."""
    folder = settings.HOME.folder
    fresh = keys.read_next(folder)
    if fresh is not None:
        newest = Entry.objects.filter(action=ROTATED).first()
        if newest is not None and newest.told["key"] == keys.name_of(fresh):
            keys.move_in(folder, newest.told["old"])
        else:
            keys.drop_next(folder)
        reload()


def reload() -> None:
    """Take the keys as they lie in the home folder now."""
    settings.AUDIT_KEY, settings.AUDIT_OLD_KEYS = keys.read(settings.HOME.folder)
