"""Which states does a proposed picture go through, and who moves it? One table; what is not in it cannot happen.

proposed <-> in review -> approved -> withdrawn
                       -> revise      (a new round of the same request)
                       -> rejected
proposed, in review    -> withdrawn
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

PROPOSED, IN_REVIEW, APPROVED, REVISE, REJECTED, WITHDRAWN = STATES = (
    "proposed",
    "in_review",
    "approved",
    "revise",
    "rejected",
    "withdrawn",
)
OPEN = (PROPOSED, IN_REVIEW)

_JUDGES = frozenset({"reviewer", "administrator"})
_MAKERS = frozenset({"creator", "administrator"})
_ADMINISTRATORS = frozenset({"administrator"})


class Move(NamedTuple):
    """What may be done to a proposal."""

    sources: frozenset[str]
    target: str
    roles: frozenset[str]
    by_assignee: bool = False  # only by whom it is assigned to, and administrators
    by_proposer: bool = False  # only by who proposed it, and administrators
    told: bool = False  # with a reason


MOVES = {
    "take": Move(frozenset({PROPOSED, IN_REVIEW}), IN_REVIEW, _JUDGES),
    "put_back": Move(frozenset({IN_REVIEW}), PROPOSED, _JUDGES, by_assignee=True),
    "approve": Move(frozenset({IN_REVIEW}), APPROVED, _JUDGES, by_assignee=True),
    "revise": Move(frozenset({IN_REVIEW}), REVISE, _JUDGES, by_assignee=True, told=True),
    "reject": Move(frozenset({IN_REVIEW}), REJECTED, _JUDGES, by_assignee=True, told=True),
    "withdraw": Move(frozenset({PROPOSED, IN_REVIEW}), WITHDRAWN, _MAKERS, by_proposer=True),
    "recall": Move(frozenset({PROPOSED, IN_REVIEW, APPROVED}), WITHDRAWN, _ADMINISTRATORS, told=True),
}


def possible(state: str, roles: Collection[str], *, assignee: bool, proposer: bool) -> list[str]:
    """What somebody may do to a proposal in this state, in the order of the table.

    roles: theirs; assignee: it is assigned to them; proposer: they have proposed it.
    """
    return [
        name
        for name, move in MOVES.items()
        if state in move.sources
        and move.roles & set(roles)
        and (not move.by_assignee or assignee or "administrator" in roles)
        and (not move.by_proposer or proposer or "administrator" in roles)
    ]
