"""How does a catalogue come in? A form, and a page that says what is being done with it."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from bespoke.studio.workshop.forms import UploadForm
from bespoke.studio.workshop.intake import ASKED, NAMES, PROGRESS
from bespoke.studio.workshop.models import Catalogue, Upload
from bespoke.studio.workshop.receiving import Receiver
from bespoke.studio.workshop.told import tell_problem

LEAST_FREE_BYTES = 2**30  # that an upload must leave


@csrf_exempt  # checked below: it must not read the request before the files have their place
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """The form for a new catalogue, or (?to=KEY) for more pictures of one that is there."""
    key = uuid.uuid4()
    receiver = Receiver(settings.HOME.uploads / str(key))
    request.upload_handlers = [receiver]
    try:
        response: HttpResponse = _upload(request, key, receiver)
    finally:
        if not Upload.objects.filter(pk=key).exists():
            shutil.rmtree(receiver.folder, ignore_errors=True)
    return response


@csrf_protect
def _upload(request: HttpRequest, key: uuid.UUID, receiver: Receiver) -> HttpResponse:
    to = request.GET.get("to", "")
    adds_to = get_object_or_404(Catalogue, pk=to) if to.isdecimal() else None
    if request.method != "POST":
        return _page(request, UploadForm(adds_to), adds_to)
    form = UploadForm(adds_to, request.POST, request.FILES)
    if receiver.too_large:
        told = _("%(name)s is too large. Send less at a time, or smaller files.")
        form.errors.clear()
        form.add_error(None, told % {"name": receiver.too_large})
        return _page(request, form, adds_to, 413)
    if shutil.disk_usage(settings.HOME.uploads).free < LEAST_FREE_BYTES:
        form.add_error(None, _("The studio's disk is nearly full. Ask an administrator."))
        return _page(request, form, adds_to, 507)
    if not form.is_valid():
        return _page(request, form, adds_to, 422)
    _write_down(form, receiver.folder)
    name = adds_to.name if adds_to else form.cleaned_data["name"]
    with transaction.atomic():
        Upload.objects.create(pk=key, owner=request.user, name=name, catalogue=adds_to)
    return redirect("upload-progress", key)


def _write_down(form: UploadForm, folder: Path) -> None:
    """What the process that reads the files needs to know of them."""
    files = [*form.cleaned_data["pictures"], *form.cleaned_data["table"]]
    (folder / NAMES).write_text(json.dumps({file.place: file.name for file in files}), "ascii")
    (folder / ASKED).write_text(json.dumps(form.asked()._asdict()), "ascii")


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
    try:
        done, total = (int(word) for word in (found.path / PROGRESS).read_text("ascii").split())
    except (OSError, ValueError):
        done = total = 0
    problems = [(name, tell_problem(kind, detail)) for kind, name, detail in found.problems]
    return {"upload": found, "done": done, "total": total, "problems": problems}
