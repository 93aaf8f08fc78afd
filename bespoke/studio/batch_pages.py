"""Where does a whole product list become pictures? A form, and a page that says how far it is."""

from __future__ import annotations

import re
import uuid
from pathlib import PurePath
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bespoke.errors import UserError
from bespoke.studio import batches
from bespoke.studio.access import may
from bespoke.studio.exports.exports import MOST, NotApprovedError, export
from bespoke.studio.forms import BatchForm
from bespoke.studio.jobs import CANCELLED, QueueFullError
from bespoke.studio.models import Batch, Job, Picture, TrainedModel
from bespoke.studio.opening import BusyError, UnusableError
from bespoke.studio.policy.policy import BlockedError
from bespoke.studio.review.models import Proposal
from bespoke.studio.review.review import propose
from bespoke.studio.review.states import APPROVED
from bespoke.studio.tables import attachment

SHOWN = 20  # lists of the first page, pictures and failed rows of a list
MOST_WRONG = 200  # rows that are named
MOST_PROPOSED = 100  # pictures of one click


@require_http_methods(["GET", "POST"])
def batch_list(request: HttpRequest) -> HttpResponse:
    """The form for a list, and the lists that were ordered."""
    if request.method != "POST":
        return _page(request, BatchForm(request.user))
    form = BatchForm(request.user, request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, 422)
    asked = form.cleaned_data
    sent, key, skip = asked.pop("table"), asked.pop("key"), asked.pop("skip_bad")
    try:
        rows, wrong = batches.read(sent, form.asked(), request.user)
    except UnusableError as error:
        _tell(form, error)
        return _page(request, form, 422)
    except BusyError:
        form.add_error(None, _("Too many orders are waiting. Try again in a minute."))
        return _page(request, form, 429)
    if not rows and not wrong:
        form.add_error("table", _("There is no row in it."))
    if not form.is_valid() or (wrong and not (skip and rows)):
        return _page(request, form, 422, wrong)
    for name in ("text_column", "template"):
        del asked[name]
    try:
        made = batches.order(key, request.user, PurePath(sent.name).name[:100], rows, **asked)
    except QueueFullError:
        form.add_error(None, _("Several of your lists still wait. Let one of them end, or cancel it."))
        return _page(request, form, 429)
    if wrong:
        told = ngettext("%(number)s row was left out.", "%(number)s rows were left out.", len(wrong))
        messages.success(request, told % {"number": len(wrong)})
    return redirect("batch", made.pk)


def _tell(form: BatchForm, error: UnusableError) -> None:
    """Say what is wrong with a file; where its columns cannot be guessed, as the command line does not."""
    columns = re.search(r"\(columns: (.*?)\);|the caption may be in (.*?); choose", error.detail)
    if columns is None:
        form.add_error("table", error.told)
    else:
        told = _("Which column holds the text? The file has: %(columns)s") % {"columns": columns[1] or columns[2]}
        form.add_error("template" if form.cleaned_data["template"] else "text_column", told)


def _page(
    request: HttpRequest, form: BatchForm, status: int = 200, wrong: list[batches.Wrong] | None = None
) -> HttpResponse:
    found = Batch.objects.select_related("owner").defer("rows")[:SHOWN]
    shown: dict[str, Any] = {"form": form, "rows": [(each, batches.progress(each)) for each in found]}
    shown["ready"] = TrainedModel.objects.open_to(request.user).exists()
    shown |= {"wrong": (wrong or [])[:MOST_WRONG], "num_wrong": len(wrong or [])}
    return render(request, "studio/batches.html", shown, status=status)


@require_GET
def batch(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """One list: how far it is, and what can be done with it."""
    return render(request, "studio/batch.html", _shown(request, key))


@require_GET
def batch_state(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Only the part that changes."""
    return render(request, "studio/batch-state.html", _shown(request, key))


def _shown(request: HttpRequest, key: uuid.UUID) -> dict[str, Any]:
    found = get_object_or_404(Batch.objects.select_related("owner").defer("rows"), pk=key)
    first = Job.objects.filter(batch=found).select_related("model").order_by("line").first()
    pictures = _pictures(found)
    failed = Job.objects.filter(batch=found, state=Job.State.FAILED).exclude(error=CANCELLED).order_by("line")
    return {
        "batch": found,
        "first": first,
        "progress": batches.progress(found),
        "pictures": pictures.select_related("job", "proposal").order_by("-created_at")[:SHOWN],
        "num_pictures": pictures.count(),
        "failed": failed[:SHOWN],
        "num_new": _unproposed(found).count(),
        "num_approved": _approved(found).count(),
        "most": MOST,
        "may_cancel": may(request.user, "batch-cancel")
        and (found.owner_id == request.user.pk or may(request.user, "people")),
        "exporter": may(request.user, "batch-export"),
    }


def _pictures(found: Batch) -> Any:
    return Picture.objects.filter(job__batch=found)


def _unproposed(found: Batch) -> Any:
    return _pictures(found).filter(proposal=None, recalled=None)


def _approved(found: Batch) -> Any:
    return Proposal.objects.filter(picture__job__batch=found, state=APPROVED, picture__recalled=None)


@require_POST
def batch_cancel(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Let what still waits not be drawn."""
    number = batches.cancel(get_object_or_404(Batch.objects.defer("rows"), pk=key), request.user)
    told = ngettext("%(number)s row will not be drawn.", "%(number)s rows will not be drawn.", number)
    messages.success(request, told % {"number": number})
    return redirect("batch", key)


@require_POST
def batch_propose(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Hand the pictures of a list in for review, as many as one click may."""
    found = get_object_or_404(Batch.objects.defer("rows"), pk=key)
    fresh = _unproposed(found).select_related("job__model", "job__owner").order_by("job__line", "number")
    made = propose(list(fresh[:MOST_PROPOSED]), request.user, found.name)
    told = ngettext("%(number)s picture is now in review.", "%(number)s pictures are now in review.", len(made))
    messages.success(request, told % {"number": len(made)})
    return redirect("batch", key)


@require_POST
def batch_export(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """A zip of the approved pictures of a list, recorded as every export."""
    found = get_object_or_404(Batch.objects.defer("rows"), pk=key)
    purpose = request.POST.get("purpose", "").replace("\0", "").strip()[:200]
    keys = list(_approved(found).order_by("picture__job__line", "pk").values_list("pk", flat=True)[:MOST])
    if not keys or not purpose:
        messages.error(request, _("Choose at least one picture, and say where it goes."))
        return redirect("batch", key)
    try:
        made = export(keys, request.user, purpose)
    except NotApprovedError:
        messages.error(request, _("One of these pictures is not approved any more. Look again."))
    except BlockedError as error:
        words = ", ".join(error.words)
        messages.error(request, _("Our rules do not let this out: %(words)s") % {"words": words})
    except UserError as error:
        messages.error(request, str(error))
    else:
        return attachment(made.name, "image/png" if made.name.endswith(".png") else "application/zip", made.content)
    return redirect("batch", key)
