"""How does a picture get through review? Every move is one transaction: the state, and who moved it, in the audit log.

Nobody waits for a lock: who moves a proposal says which turn of it they have seen, and where another was faster, the
move is refused. So of two reviewers one decides, and the other is told.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from bespoke.studio.access import roles_of
from bespoke.studio.audit import record
from bespoke.studio.models import Job, Picture
from bespoke.studio.review import gates, states
from bespoke.studio.review.models import Proposal, Recalled, Request, Round
from bespoke.studio.review.reasons import REASONS


class MovedError(Exception):
    """Somebody else has moved the proposal meanwhile, or its state does not allow this."""


class ClosedError(Exception):
    """A gate is closed, and nobody who may override it has said why."""


class UntoldError(Exception):
    """Without a reason and a note, whoever made the picture would not know what to do."""


@transaction.atomic
def propose(pictures: Sequence[Picture], user: Any, product_line: str = "") -> list[Proposal]:
    """Hand pictures in for review; those that were before are left as they are. Raises PermissionDenied.

    The first proposal of an order begins a request, unless the order revises one.
    """
    if not states.MOVES["withdraw"].roles & roles_of(user):
        raise PermissionDenied
    known = set(Proposal.objects.filter(picture__in=pictures).values_list("picture_id", flat=True))
    known |= set(Recalled.objects.filter(picture__in=pictures).values_list("picture_id", flat=True))
    fresh = [picture for picture in pictures if picture.pk not in known and not picture.job.trial]
    found, made = gates.ask_all(fresh), []
    for picture in fresh:
        of = {"round": _round_of(picture.job, product_line), "gates": found[picture.pk]}
        made.append(Proposal.objects.create(picture=picture, proposed_at=timezone.now(), proposed_by=user, **of))
    for proposal in made:
        told = {"picture": str(proposal.picture_id), "passed": proposal.passed}
        record(user, "review.proposed", proposal, **told)
    return made


def _round_of(job: Job, product_line: str) -> Round:
    found = Round.objects.filter(job=job).first()
    if found is None:
        request = Request.objects.create(begun_at=job.created_at, owner=job.owner, product_line=product_line)
        found = Round.objects.create(request=request, number=1, job=job)
    return found


def to_revise(key: str | None, job: uuid.UUID | None = None) -> Proposal | None:
    """The proposal of this key, if it is to be revised and nobody has begun another round, unless by this very job."""
    if not key or not (key.isascii() and key.isdecimal() and len(key) < 19):
        return None
    free = Q(revisions=None) | Q(revisions__job_id=job) if job else Q(revisions=None)
    found = Proposal.objects.filter(free, pk=int(key), state=states.REVISE)
    return found.select_related("picture__job", "round__request").first()


def open_round(proposal: Proposal, job: Job) -> Round:
    """Let an order be the next round of the request whose picture was to be revised. In the caller's transaction."""
    if (known := Round.objects.filter(job=job).first()) is not None:
        return known
    Request.objects.select_for_update().get(pk=proposal.round.request_id)
    last = Round.objects.filter(request=proposal.round.request_id).aggregate(last=Max("number"))["last"]
    made = Round.objects.create(request_id=proposal.round.request_id, number=last + 1, job=job, revises=proposal)
    record(job.owner, "review.round", proposal, job=str(job.pk), round=made.number)
    return made


@transaction.atomic
def move(
    key: int,
    name: str,
    user: Any,
    *,
    turn: int,
    reason: str = "",
    note: str = "",
    override: str = "",
    to: Any = None,
) -> Proposal:
    """Make one move of states.MOVES.

    turn: that of the proposal as the user saw it; reason, note: of `revise` and `reject`; override: why an
    administrator approves though a gate is closed; to: whom `take` assigns to, the user unless told. Raises MovedError,
    ClosedError, UntoldError, PermissionDenied.
    """
    proposal = Proposal.objects.select_related("picture__job__owner").get(pk=key)
    allowed = states.MOVES[name]
    if proposal.turn != turn or proposal.state not in allowed.sources:
        raise MovedError
    mine = {"assignee": proposal.assigned_to_id == user.pk, "proposer": proposal.proposed_by_id == user.pk}
    if name not in states.possible(proposal.state, roles_of(user), **mine):
        raise PermissionDenied
    if allowed.told and not (note.strip() and (reason in REASONS or name == "recall")):
        raise UntoldError
    changed: dict[str, Any] = {"state": allowed.target, "turn": F("turn") + 1}
    told: dict[str, Any] = {}
    if name == "take":
        if to is not None and not allowed.roles & roles_of(to):
            raise PermissionDenied
        changed |= {"assigned_to": to or user}
        told |= {} if to is None else {"to": to.pk}
    elif name == "put_back":
        changed |= {"assigned_to": None}
    elif allowed.target == states.WITHDRAWN:
        changed |= {"withdrawn_at": timezone.now()}
        told |= {"why": note.strip()} if note else {}
    else:
        changed |= {"decided_at": timezone.now(), "decided_by": user, "reason": reason, "note": note.strip()}
        told |= {"reason": reason} if reason else {}
    if name == "approve":
        more, why = _through_gates(proposal, user, override)
        changed, told = changed | more, told | why
    if not Proposal.objects.filter(pk=key, turn=turn, state=proposal.state).update(**changed):
        raise MovedError
    record(user, f"review.{name}", proposal, picture=str(proposal.picture_id), **told)
    proposal.refresh_from_db()
    return proposal


def _through_gates(proposal: Proposal, user: Any, override: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What changes with an approval, and what the log is told of it. Lists and limits may have changed since."""
    picture = proposal.picture
    found = gates.ask(picture, gates.calibration_of(picture))
    closed = [gate["name"] for gate in found if not gate["passed"]]
    told: dict[str, Any] = {"own": True} if proposal.proposed_by_id == user.pk else {}
    if closed:
        if not override.strip() or "administrator" not in roles_of(user):
            raise ClosedError
        told |= {"overridden": closed, "why": override.strip()}
    changed = {"gates": found, "overridden": bool(closed), "note": override.strip(), "approved_at": timezone.now()}
    return changed, told


def move_all(chosen: Iterable[tuple[int, int]], name: str, user: Any, **told: Any) -> tuple[int, int]:
    """The same move for many proposals, each in a transaction of its own: how many were moved, and how many not.

    chosen: key and turn of each.
    """
    done = refused = 0
    for key, turn in chosen:
        try:
            move(key, name, user, turn=turn, **told)
            done += 1
        except (MovedError, ClosedError, UntoldError, PermissionDenied, Proposal.DoesNotExist):
            refused += 1
    return done, refused
