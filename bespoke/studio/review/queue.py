"""What is there to review? Lists that are read from an index and go on from where one left off."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db.models import QuerySet

from bespoke.studio.review.models import Proposal, Request
from bespoke.studio.review.states import APPROVED, IN_REVIEW, MOVES, OPEN, REJECTED, REVISE, WITHDRAWN

ROWS_A_PAGE = 24
MOST_AT_ONCE = 100  # that are moved together
TABS = ("open", "mine", "revise", "approved", "closed")
MOST_COUNTED = 1000


class Listed(NamedTuple):
    """A part of a list."""

    rows: list[Proposal]
    next_key: int | None  # to go on from


def tab(name: str, user: Any) -> QuerySet[Proposal]:
    """The proposals of a list; those that wait the oldest first, those that are over the newest first."""
    found = Proposal.objects.all()
    if name == "open":
        return found.filter(state__in=OPEN).order_by("id")
    if name == "mine":
        return found.filter(assigned_to=user, state=IN_REVIEW).order_by("id")
    if name == "revise":  # and nobody has begun another round
        return found.filter(state=REVISE, revisions=None).order_by("id")
    if name == "approved":
        return found.filter(state=APPROVED).order_by("-id")
    return found.filter(state__in=(REVISE, REJECTED, WITHDRAWN)).order_by("-id")


def page(name: str, user: Any, line: str, after: int | None, limit: int = ROWS_A_PAGE) -> Listed:
    """A page of a list, of one product line where `line` says so."""
    found = tab(name, user)
    if line:
        found = found.filter(round__request__product_line=line)
    if after is not None:
        rising = not found.query.order_by[0].startswith("-")
        found = found.filter(id__gt=after) if rising else found.filter(id__lt=after)
    found = found.select_related("picture__job", "round__request", "assigned_to", "proposed_by", "decided_by")
    rows = list(found[: limit + 1])
    return Listed(rows[:limit], rows[limit - 1].pk if len(rows) > limit else None)


def count(name: str, user: Any) -> str:
    """How many wait in a list, as it is shown."""
    number = tab(name, user).order_by()[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number)


def product_lines() -> list[str]:
    """Product lines that there are."""
    return list(
        Request.objects.exclude(product_line="")
        .order_by("product_line")
        .values_list("product_line", flat=True)
        .distinct()
    )


def judges() -> list[User]:
    """Everybody to whom a proposal can be assigned."""
    groups = MOVES["take"].roles
    return list(User.objects.filter(is_active=True, groups__name__in=groups).distinct().order_by("username"))


def next_of(user: Any) -> Proposal | None:
    """What somebody has taken and not yet decided, the oldest first."""
    return tab("mine", user).first()
