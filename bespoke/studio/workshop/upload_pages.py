"""How does a catalogue come in? A form, and a page that says what is being done with it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from bespoke.studio.workshop import uploading
from bespoke.studio.workshop.forms import UploadForm
from bespoke.studio.workshop.models import Catalogue, Upload
from bespoke.studio.workshop.receiving import Receiver
from bespoke.studio.workshop.told import tell_problem


@csrf_exempt  # checked below: it must not read the request before the files have their place
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """The form for a new catalogue, or (?to=KEY) for more pictures of one that is there."""
    with uploading.receiving(request) as receiver:
        response: HttpResponse = _upload(request, receiver)
    return response


@csrf_protect
def _upload(request: HttpRequest, receiver: Receiver) -> HttpResponse:
    to = request.GET.get("to", "")
    adds_to = get_object_or_404(Catalogue, pk=to) if to.isdecimal() else None
    if request.method != "POST":
        return _page(request, UploadForm(adds_to), adds_to)
    form = UploadForm(adds_to, request.POST, request.FILES)
    try:
        return redirect("upload-progress", uploading.accept(form, receiver, request.user, adds_to).pk)
    except uploading.TooLargeError as error:
        form.errors.clear()
        form.add_error(None, _("%(name)s is too large. Send less at a time, or smaller files.") % {"name": error})
        return _page(request, form, adds_to, 413)
    except uploading.DiskFullError:
        form.add_error(None, _("The studio's disk is nearly full. Ask an administrator."))
        return _page(request, form, adds_to, 507)
    except uploading.InvalidError:
        return _page(request, form, adds_to, 422)


def _page(request: HttpRequest, form: UploadForm, adds_to: Catalogue | None, status: int = 200) -> HttpResponse:
    return render(request, "workshop/upload.html", {"form": form, "adds_to": adds_to}, status=status)


@require_GET
def progress(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """What became of an upload."""
    return render(request, "workshop/upload-progress.html", _told(key))


@require_GET
def state(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Only the part that changes."""
    return render(request, "workshop/upload-state.html", _told(key))


def _told(key: uuid.UUID) -> dict[str, Any]:
    found = get_object_or_404(Upload.objects.select_related("version", "catalogue"), pk=key)
    done, total = uploading.progress(found)
    problems = [(name, tell_problem(kind, detail)) for kind, name, detail in found.problems]
    return {"upload": found, "done": done, "total": total, "problems": problems}
