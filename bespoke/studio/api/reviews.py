"""How do programs take part in review? They propose, read the queue, take, assign and decide, one or many at once."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from pydantic import Field

from bespoke.studio import models as rows
from bespoke.studio.access import roles_of
from bespoke.studio.api.errors import RefusedError, answers
from bespoke.studio.api.fields import Key, Text, checked
from bespoke.studio.api.paging import MOST, USUAL, Page, Part
from bespoke.studio.review import queue, states
from bespoke.studio.review.forms import DecideForm, ProposeForm
from bespoke.studio.review.models import Proposal
from bespoke.studio.review.review import ClosedError, MovedError, UntoldError, move, move_all, propose

router = Router(tags=["reviews"])
Move = Literal["take", "put_back", "approve", "revise", "reject"]
_LARGEST_TURN = 2**31 - 1


class Review(Schema):
    """A picture on its way. `turn` grows with every move: send the one that you have seen."""

    id: int
    picture: uuid.UUID = Field(alias="picture_id")
    text: str = Field(alias="picture.job.text")
    request: uuid.UUID = Field(alias="round.request_id")
    round: int = Field(alias="round.number")
    product_line: str = Field(alias="round.request.product_line")
    state: str
    turn: int
    proposed_at: datetime
    proposed_by: str
    assigned_to: str | None
    decided_at: datetime | None
    decided_by: str | None
    reason: str
    note: str
    overridden: bool = Field(description="Approved though a gate was closed.")
    passed: bool = Field(description="All gates were open when they were asked last.")
    gates: list[dict[str, Any]]

    @staticmethod
    def resolve_proposed_by(proposal: Proposal) -> str:
        return str(proposal.proposed_by.get_username())

    @staticmethod
    def resolve_assigned_to(proposal: Proposal) -> str | None:
        return proposal.assigned_to.get_username() if proposal.assigned_to else None

    @staticmethod
    def resolve_decided_by(proposal: Proposal) -> str | None:
        return proposal.decided_by.get_username() if proposal.decided_by else None


class OneReview(Review):
    """One review, and what the token's owner may do with it."""

    moves: list[str]


class Handing(Schema):
    """Pictures to hand in."""

    pictures: list[uuid.UUID] = Field(min_length=1, max_length=queue.MOST_AT_ONCE)
    product_line: Text = Field("", max_length=100, description="Figures are counted by it.")


class Decision(Schema):
    """A move, and why."""

    move: Move
    turn: int = Field(ge=0, le=_LARGEST_TURN, description="Of the review as you have seen it.")
    reason: Text = Field("", max_length=20, description="For `revise` and `reject`: one of the studio's list.")
    note: Text = Field("", max_length=1000, description="For `revise` and `reject`: what should be different.")
    override: Text = Field("", max_length=500, description="Why an administrator lets it pass a closed gate.")


class Turn(Schema):
    """A review as it was seen."""

    turn: int = Field(ge=0, le=_LARGEST_TURN)


class Seen(Turn):
    """One of many."""

    id: Key


class Many(Schema):
    """The same move for many."""

    move: Literal["take", "assign", "approve", "reject"]
    reviews: list[Seen] = Field(min_length=1, max_length=queue.MOST_AT_ONCE)
    to: Text = Field("", max_length=150, description="For `assign`: the name of a reviewer.")
    reason: Text = Field("", max_length=20)
    note: Text = Field("", max_length=1000)


class Moved(Schema):
    """How many were moved, and how many were left as they are."""

    done: int
    refused: int


class Which(Schema):
    """Which list, and which part of it."""

    list: Literal["open", "mine", "revise", "approved", "closed"] = "open"
    product_line: Text = Field("", max_length=100)
    limit: int = Field(USUAL, ge=1, le=MOST)
    after: Key | None = Field(None, description="`next` of the page before.")


@router.get("/reviews", response=answers(Page[Review]), url_name="reviews")
def list_reviews(request: HttpRequest, which: Query[Which]) -> Part:
    """What waits the oldest first, what is over the newest first."""
    listed = queue.page(which.list, request.user, which.product_line, which.after, which.limit)
    return Part(listed.rows, None if listed.next_key is None else str(listed.next_key))


@router.post("/reviews", response=answers(list[Review]), url_name="reviews")
def propose_pictures(request: HttpRequest, handing: Handing) -> list[Proposal]:
    """Hand pictures in; those that were proposed before, or recalled, are left out of the answer."""
    line = checked(ProposeForm(handing.dict()))["product_line"].strip()
    found = rows.Picture.objects.filter(pk__in=handing.pictures).select_related("job__model", "job__owner")
    made = propose(found.order_by("number"), request.user, line)
    return list(_known().filter(pk__in=[each.pk for each in made]).order_by("pk"))


@router.post("/reviews/many", response=answers(Moved), url_name="review-many")
def move_many(request: HttpRequest, many: Many) -> dict[str, int]:
    """Each is moved by itself: one that somebody else has moved, or that a gate stops, is left as it is."""
    name, told = str(many.move), {"reason": many.reason, "note": many.note} if many.move == "reject" else {}
    if name == "assign":
        person = User.objects.filter(username=many.to, is_active=True).first()
        if person is None:
            raise RefusedError(400, "to: nobody here has this name; name a reviewer", param="to")
        name, told = "take", {"to": person}
    chosen = [(each.id, each.turn) for each in many.reviews]
    done, refused = move_all(chosen, name, request.user, **told)
    return {"done": done, "refused": refused}


@router.get("/reviews/{int:key}", response=answers(OneReview), url_name="review")
def read_review(request: HttpRequest, key: int) -> Proposal:
    """One review."""
    return _with_moves(request, key)


@router.post("/reviews/{int:key}/decide", response=answers(OneReview), url_name="review-decide")
def decide_review(request: HttpRequest, key: int, decision: Decision) -> Proposal:
    """Take, put back, approve, ask for a revision, or reject."""
    get_object_or_404(Proposal, pk=key)
    asked = checked(DecideForm(decision.dict()))
    return _moved(request, key, decision.move, **asked)


@router.post("/reviews/{int:key}/withdraw", response=answers(OneReview), url_name="review-withdraw")
def withdraw_review(request: HttpRequest, key: int, turn: Turn) -> Proposal:
    """Take one's own proposal back."""
    get_object_or_404(Proposal, pk=key)
    return _moved(request, key, "withdraw", turn=turn.turn)


def _moved(request: HttpRequest, key: int, name: str, **told: Any) -> Proposal:
    try:
        move(key, name, request.user, **told)
    except MovedError as error:
        raise RefusedError(409, "somebody was faster, or its state does not allow this; read it again") from error
    except ClosedError as error:
        told_ = "a gate is closed; ask for a revision, or let an administrator say in `override` why it may pass"
        raise RefusedError(409, told_, param="override", code="gate_closed") from error
    except UntoldError as error:
        raise RefusedError(400, "reason, note: say why, so that the next round can be better", param="note") from error
    return _with_moves(request, key)


def _with_moves(request: HttpRequest, key: int) -> Proposal:
    found: Proposal = get_object_or_404(_known(), pk=key)
    mine = {"assignee": found.assigned_to_id == request.user.pk, "proposer": found.proposed_by_id == request.user.pk}
    found.moves = states.possible(found.state, roles_of(request.user), **mine)
    return found


def _known() -> QuerySet[Proposal]:
    return Proposal.objects.select_related("picture__job", "round__request", "assigned_to", "proposed_by", "decided_by")
