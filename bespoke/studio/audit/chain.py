"""How does altering the log show? Each row's seal is made from the row and the seal before it, with a secret key.

The key lies in the home folder, not in the database: who can write to the tables alone cannot mend the chain. Who has
both can, and who kept an old copy of tables can put it back; against them every seal is also written to the process's
log, and `verify` takes one from there. A key can be replaced (rotation.py): the row ROTATED names the key that seals it
and those that follow.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

from bespoke.studio.audit import keys
from bespoke.studio.audit.actions import ACTIONS
from bespoke.studio.audit.models import Entry, Head

LOG = logging.getLogger("bespoke.audit")
AT_ONCE = 2000
ROTATED = "audit.rotated"  # the action of the first row of each key but the first
SEALED = ("number", "at", "actor_id", "action", "subject", "details")


class Verdict(NamedTuple):
    """What a look through the whole log found."""

    holding: int  # rows that hold, from the first
    seal: str  # of the last of them
    bad: int | None  # number of the first row that does not
    # "altered", "missing", "cut off", "unknown end", "no key", "not as written down elsewhere"; empty: all is well
    problem: str


def append(actor: Any, action: str, subject: Any, details: dict[str, Any], *, sealed_by: bytes | None = None) -> Entry:
    """Add a row in the transaction of the caller. Raises TransactionManagementError where there is none.

    sealed_by: the key from this row on, where that is another.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("audit.record needs the transaction of the deed that it records")
    assert action in ACTIONS, f"{action}: not in bespoke/studio/audit/actions.py; add it there"
    # PostgreSQL makes the next writer wait here; SQLite's transactions have done so since they began.
    head = Head.objects.select_for_update().get()
    entry = Entry(
        number=head.last + 1,
        at=timezone.now(),
        actor_id=None if actor is None else actor.pk,
        action=action,
        subject=_named(subject),
        details=json.dumps(details, allow_nan=False, sort_keys=True, default=str),
    )
    # An end that somebody else wrote must not be made good by the next row: its seal stands on nothing, for ever.
    fields = [getattr(entry, name) for name in SEALED]
    before, key = head.seal if _holds(head) else "broken", sealed_by or settings.AUDIT_KEY
    entry.seal = _seal_row(key, *fields, before=before)
    models.Model.save(entry, force_insert=True)
    head.last, head.seal = entry.number, entry.seal
    head.own_seal = _seal_head(key, head)
    head.save()
    told = {"number": entry.number, "seal": entry.seal}
    transaction.on_commit(lambda: LOG.info("recorded", extra=told))
    return entry


def _named(subject: Any) -> str:
    name = subject if isinstance(subject, str) else f"{subject._meta.model_name} {subject.pk}"
    assert 0 < len(name) <= 200, f"{name!r}: a subject is a saved row or a text of up to 200 characters"
    return name


def verify(known: dict[int, str] | None = None) -> Verdict:
    """Look through the whole log; `known` holds seals that were written down elsewhere, by number.

    Reads every row: 100,000 take seconds.
    """
    newest = Entry.objects.aggregate(newest=models.Max("number"))["newest"] or 0
    head = Head.objects.first()  # read after the rows: it can only have moved on meanwhile
    count, seal = 0, ""
    if head is None or not _holds(head):
        return Verdict(0, "", newest or None, "unknown end")
    key = _first_key()
    later = {keys.name_of(each): each for each in _all_keys() if each != key}  # none comes back after its time
    for number, at, actor, action, subject, details, own in _rows(head.last):
        if number != count + 1:
            return Verdict(count, seal, count + 1, "missing")
        if action == ROTATED:
            key = later.pop(_named_by(details), None)
        if key is None:
            return Verdict(count, seal, number, "no key")
        if not hmac.compare_digest(own, _seal_row(key, number, at, actor, action, subject, details, before=seal)):
            return Verdict(count, seal, number, "altered")
        if (known or {}).get(number, own) != own:
            return Verdict(count, seal, number, "not as written down elsewhere")
        count, seal = number, own
    if (count, seal) != (head.last, head.seal) or newest > head.last or max(known or {}, default=0) > count:
        return Verdict(count, seal, count + 1, "cut off" if newest <= head.last else "altered")
    return Verdict(count, seal, None, "")


def _rows(last: int) -> Iterator[tuple[Any, ...]]:
    """All rows up to `last` by number, a few at a time; what was put before the first comes, too."""
    after, rows = None, Entry.objects.filter(number__lte=last).order_by("number").values_list(*SEALED, "seal")
    while batch := list((rows if after is None else rows.filter(number__gt=after))[:AT_ONCE]):
        yield from batch
        after = batch[-1][0]


def _all_keys() -> list[bytes]:
    return [settings.AUDIT_KEY, *settings.AUDIT_OLD_KEYS.values()]


def _first_key() -> bytes | None:
    """The key of the first row; None where it is not in the home folder any more."""
    changed = bool(settings.AUDIT_OLD_KEYS) or Entry.objects.filter(action=ROTATED).exists()
    return settings.AUDIT_OLD_KEYS.get(1) if changed else settings.AUDIT_KEY


def _named_by(details: str) -> str:
    """The name of the key that a row ROTATED begins with; empty where somebody has altered it."""
    try:
        return str(json.loads(details)["key"])
    except (ValueError, KeyError, TypeError):
        return ""


def _seal_row(key: bytes, number: int, at: datetime, *told: int | str | None, before: str) -> str:
    """Over the fields of SEALED, in that order, and the seal of the row before."""
    return _seal(key, "row", [number, at.astimezone(UTC).isoformat(timespec="microseconds"), *told, before])


def _holds(head: Head) -> bool:
    if head.last == 0:
        return not head.seal and not head.own_seal and not Entry.objects.exists()
    return hmac.compare_digest(head.own_seal, _seal_head(settings.AUDIT_KEY, head))


def _seal_head(key: bytes, head: Head) -> str:
    return _seal(key, "head", [head.last, head.seal])


def _seal(key: bytes, kind: str, parts: list[Any]) -> str:
    message = json.dumps([kind, *parts], separators=(",", ":")).encode("ascii")
    return hmac.new(key, message, hashlib.sha256).hexdigest()
