"""How do people and programs read the log?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.contrib.auth.models import User

from bespoke.studio.audit.actions import ACTIONS
from bespoke.studio.audit.models import Entry

MOST_EXPORTED = 200_000
HEADING = ("number", "at", "actor_id", "actor", "action", "subject", "details", "seal")


class Row(NamedTuple):
    """A deed as people read it."""

    entry: Entry
    actor: str  # a name now known under the number; empty for the studio and for strangers
    label: Any
    told: list[tuple[str, Any]]


def rows_of(entries: Iterable[Entry]) -> list[Row]:
    """Deeds with the names of who did them."""
    entries = list(entries)
    wanted = {entry.actor_id for entry in entries}
    names = dict(User.objects.filter(pk__in=wanted).values_list("pk", "username"))
    return [Row(e, names.get(e.actor_id, ""), ACTIONS.get(e.action, e.action), list(e.told.items())) for e in entries]


def cells_of(entries: Iterable[Entry]) -> Iterator[tuple[Any, ...]]:
    """The same under HEADING."""
    return (
        (e.number, e.at.isoformat(), e.actor_id, actor, e.action, e.subject, dict(told), e.seal)
        for e, actor, _label, told in rows_of(entries)
    )
