"""How does altering the log show? Each row's seal is made from the row and the seal before it, with a secret key.

The key lies in the home folder, not in the database: who can write to the tables alone cannot mend the chain. Who has
both can, and who kept an old copy of tables can put it back; against them every seal is also written to the process's
log, and `verify` takes one from there.
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

from bespoke.studio.audit.actions import ACTIONS
from bespoke.studio.audit.models import Entry, Head

LOG = logging.getLogger("bespoke.audit")
AT_ONCE = 2000
SEALED = ("number", "at", "actor_id", "action", "subject", "details")


class Verdict(NamedTuple):
    """What a look through the whole log found."""

    holding: int  # rows that hold, from the first
    seal: str  # of the last of them
    bad: int | None  # number of the first row that does not
    problem: str  # "altered", "missing", "cut off", "unknown end", "not as written down elsewhere"; empty: all is well


def append(actor: Any, action: str, subject: Any, details: dict[str, Any]) -> None:
    """Add a row in the transaction of the caller. Raises TransactionManagementError where there is none."""
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
    entry.seal = _seal_row(*fields, before=head.seal if _holds(head) else "broken")
    models.Model.save(entry, force_insert=True)
    head.last, head.seal = entry.number, entry.seal
    head.own_seal = _seal_head(head)
    head.save()
    told = {"number": entry.number, "seal": entry.seal}
    transaction.on_commit(lambda: LOG.info("recorded", extra=told))


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
    for number, *told, own in _rows(head.last):
        if number != count + 1:
            return Verdict(count, seal, count + 1, "missing")
        if not hmac.compare_digest(own, _seal_row(number, *told, before=seal)):
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


def _seal_row(number: int, at: datetime, *told: int | str | None, before: str) -> str:
    """Over the fields of SEALED, in that order, and the seal of the row before."""
    return _seal("row", [number, at.astimezone(UTC).isoformat(timespec="microseconds"), *told, before])


def _holds(head: Head) -> bool:
    if head.last == 0:
        return not head.seal and not head.own_seal and not Entry.objects.exists()
    return hmac.compare_digest(head.own_seal, _seal_head(head))


def _seal_head(head: Head) -> str:
    return _seal("head", [head.last, head.seal])


def _seal(kind: str, parts: list[Any]) -> str:
    message = json.dumps([kind, *parts], separators=(",", ":")).encode("ascii")
    return hmac.new(settings.AUDIT_KEY, message, hashlib.sha256).hexdigest()
