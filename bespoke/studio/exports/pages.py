"""Which pages let approved pictures out?"""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from bespoke.errors import UserError
from bespoke.studio.exports.exports import MOST, NotApprovedError, export
from bespoke.studio.exports.models import Export
from bespoke.studio.policy.policy import BlockedError
from bespoke.studio.tables import attachment

ROWS_A_PAGE = 30


@require_GET
def exports(request: HttpRequest) -> HttpResponse:
    """What has left, the newest first."""
    found = Export.objects.select_related("by").prefetch_related(
        "pictures__picture__job", "pictures__picture__recalled"
    )
    if (before := _moment(request.GET.get("before", ""))) is not None:
        found = found.filter(at__lt=before)
    rows = list(found[: ROWS_A_PAGE + 1])
    older = rows[ROWS_A_PAGE - 1].at if len(rows) > ROWS_A_PAGE else None
    return render(request, "exports/exports.html", {"rows": rows[:ROWS_A_PAGE], "older": older})


@require_POST
def export_make(request: HttpRequest) -> HttpResponse:
    """A file of the approved pictures that are ticked."""
    keys = [int(text) for pair in request.POST.getlist("proposal") if (text := pair.split(":")[0]).isdecimal()]
    purpose = request.POST.get("purpose", "").replace("\0", "").strip()[:200]
    if not keys or not purpose:
        messages.error(request, _("Choose at least one picture, and say where it goes."))
        return redirect("/review?list=approved")
    try:
        made = export(keys[: MOST + 1], request.user, purpose)
    except NotApprovedError:
        messages.error(request, _("One of these pictures is not approved any more. Look again."))
    except BlockedError as error:
        words = ", ".join(error.words)
        messages.error(request, _("Our rules do not let this out: %(words)s") % {"words": words})
    except UserError as error:
        messages.error(request, str(error))
    else:
        kind = "image/png" if made.name.endswith(".png") else "application/zip"
        return attachment(made.name, kind, made.content)
    return redirect("/review?list=approved")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
