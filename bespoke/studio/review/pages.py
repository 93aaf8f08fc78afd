"""Which pages bring pictures through review? HTTP in, HTML out; the rules are in review.py."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from bespoke.studio.access import may, roles_of
from bespoke.studio.models import Picture
from bespoke.studio.policy.policy import look_at
from bespoke.studio.review import queue, states
from bespoke.studio.review.forms import DecideForm, ProposeForm
from bespoke.studio.review.models import Proposal, Request
from bespoke.studio.review.reasons import REASONS
from bespoke.studio.review.review import ClosedError, MovedError, UntoldError, move, move_all, propose


@require_GET
def review(request: HttpRequest) -> HttpResponse:
    """The queue, in lists."""
    default = "open" if roles_of(request.user) & {"reviewer", "administrator"} else "revise"
    chosen = request.GET.get("list", default)
    if chosen not in queue.TABS:
        chosen = default
    line, after = request.GET.get("line", "")[:100].replace("\0", ""), _whole(request.GET.get("after", ""))
    listed = queue.page(chosen, request.user, line, after)
    counts = {name: queue.count(name, request.user) for name in ("open", "mine", "revise")}
    shown = {
        "tabs": [(name, counts.get(name, "")) for name in queue.TABS],
        "chosen": chosen,
        "line": line,
        "lines": queue.product_lines(),
        "listed": listed,
        "reasons": REASONS.items(),
        "judges": queue.judges() if may(request.user, "review-decide") else [],
        "exporter": may(request.user, "export-make"),
    }
    return render(request, "review/queue.html", shown)


@require_POST
def propose_pictures(request: HttpRequest) -> HttpResponse:
    """Hand pictures in."""
    form, keys = ProposeForm(request.POST), _keys(request.POST.getlist("picture"))
    pictures = Picture.objects.filter(pk__in=keys).select_related("job__model", "job__owner").order_by("number")
    if not form.is_valid() or not pictures:
        messages.error(request, _("Choose at least one picture."))
        return redirect(_back(request))
    made = propose(pictures, request.user, form.cleaned_data["product_line"].strip())
    if made:
        told = ngettext("%(number)s picture is now in review.", "%(number)s pictures are now in review.", len(made))
        messages.success(request, told % {"number": len(made)})
    else:
        messages.error(request, _("These pictures were proposed before, or recalled."))
    return redirect("job", pictures[0].job_id)


@require_GET
def proposal(request: HttpRequest, key: int) -> HttpResponse:
    """One picture with everything a reviewer needs to decide."""
    found = get_object_or_404(_whole_proposals(), pk=key)
    return _proposal_page(request, found, DecideForm(initial={"turn": found.turn}))


def _whole_proposals() -> Any:
    return Proposal.objects.select_related(
        "picture__job__model", "picture__job__owner", "round__request", "assigned_to", "proposed_by", "decided_by"
    )


def _proposal_page(request: HttpRequest, found: Proposal, form: DecideForm, status: int = 200) -> HttpResponse:
    roles = roles_of(request.user)
    mine = {"assignee": found.assigned_to_id == request.user.pk, "proposer": found.proposed_by_id == request.user.pk}
    wish: Request = found.round.request
    rounds = wish.rounds.prefetch_related("proposals__picture", "proposals__decided_by").select_related("job")
    shown = {
        "proposal": found,
        "picture": found.picture,
        "job": found.picture.job,
        "wish": wish,
        "rounds": rounds,
        "form": form,
        "moves": states.possible(found.state, roles, **mine),
        "may_override": "administrator" in roles and not found.passed,
        "revised": found.revisions.first(),
        "recalled": getattr(found.picture, "recalled", None),
        "warned": look_at(found.picture.job.text, found.picture.job.owner).warned,
        "exporter": may(request.user, "export-make"),
        "exports": found.picture.exports.select_related("export", "export__by"),
    }
    return render(request, "review/proposal.html", shown, status=status)


@require_POST
def review_decide(request: HttpRequest, key: int) -> HttpResponse:
    """Take a proposal, put it back, or decide."""
    name, found = request.POST.get("move", ""), get_object_or_404(_whole_proposals(), pk=key)
    form = DecideForm(request.POST)
    if name not in ("take", "put_back", "approve", "revise", "reject") or not form.is_valid():
        return _proposal_page(request, found, form, 422)
    try:
        move(key, name, request.user, **form.cleaned_data)
    except MovedError:
        messages.error(request, _("Somebody else was faster. This is how it stands now."))
        return redirect("proposal", key)
    except ClosedError:
        form.add_error(None, _("A gate is closed. Ask for a revision, or let an administrator say why it may pass."))
        return _proposal_page(request, found, form, 422)
    except UntoldError:
        form.add_error(None, _("Choose a reason and write a note, so that the next round can be better."))
        return _proposal_page(request, found, form, 422)
    if name in ("take", "put_back"):
        return redirect("proposal", key)
    following = queue.next_of(request.user)
    return redirect("proposal", following.pk) if following else redirect("review")


@require_POST
def review_withdraw(request: HttpRequest, key: int) -> HttpResponse:
    """Take one's own proposal back."""
    get_object_or_404(Proposal, pk=key)
    try:
        move(key, "withdraw", request.user, turn=_whole(request.POST.get("turn", "")) or 0)
    except MovedError:
        messages.error(request, _("Somebody else was faster. This is how it stands now."))
    return redirect("proposal", key)


@require_POST
def review_many(request: HttpRequest) -> HttpResponse:
    """Take, assign, approve or reject all that are ticked."""
    name, chosen = request.POST.get("move", ""), []
    for pair in request.POST.getlist("proposal")[: queue.MOST_AT_ONCE]:
        key, turn = (_whole(part) for part in [*pair.split(":"), ""][:2])
        if key is not None and turn is not None:
            chosen.append((key, turn))
    if not chosen or name not in ("take", "assign", "approve", "reject"):
        messages.error(request, _("Choose at least one picture."))
        return redirect(_back(request))
    told: dict[str, Any] = {}
    if name == "reject":
        told = {"reason": request.POST.get("reason", ""), "note": request.POST.get("note", "")[:1000]}
    elif name == "assign":
        to = _whole(request.POST.get("to", ""))
        name, told = "take", {"to": get_object_or_404(User, pk=to, is_active=True)}
    done, refused = move_all(chosen, name, request.user, **told)
    if done:
        messages.success(request, ngettext("%(number)s is done.", "%(number)s are done.", done) % {"number": done})
    if refused:
        line = ngettext(
            "%(number)s was left as it is: moved by somebody else, not taken by you, a closed gate, or no reason.",
            "%(number)s were left as they are: moved by somebody else, not taken by you, a closed gate, or no reason.",
            refused,
        )
        messages.error(request, line % {"number": refused})
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """The list that a form was sent from, and no other place."""
    chosen = request.POST.get("list", "")
    return f"/review?list={chosen}" if chosen in queue.TABS else "/review"


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _keys(texts: list[str]) -> list[uuid.UUID]:
    keys = []
    for text in texts[: queue.MOST_AT_ONCE]:
        try:
            keys.append(uuid.UUID(text))
        except ValueError:
            continue
    return keys
