"""Who did what, and when? `record` writes it down in the transaction of the deed itself."""

from __future__ import annotations

from typing import Any


def record(actor: Any, action: str, subject: Any, **details: Any) -> None:
    """Write one row of the audit log; without the transaction of the caller it raises, with it they stand or fall.

    actor: a user, or None where nobody asked (the studio itself, a stranger). action: one of actions.py. subject: a
    saved row of the database, or a text such as "policy". details: what JSON can hold; no text that people typed, as
    nothing here can ever be erased. Call it last: until the transaction ends, other writers wait.
    """
    from bespoke.studio.audit.chain import append  # Django imports this package before there are models

    append(actor, action, subject, details)
