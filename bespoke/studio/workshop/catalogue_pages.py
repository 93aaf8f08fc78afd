"""What do people see and change of catalogues?"""

from __future__ import annotations

import mimetypes
import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from bespoke.studio.access import may
from bespoke.studio.workshop import catalogues as rules
from bespoke.studio.workshop import checking, reports
from bespoke.studio.workshop.models import Catalogue, Check, Training, Upload, Version
from bespoke.studio.workshop.version_files import FILE, ORIGINAL, TEXTS
from bespoke.studio.workshop.version_pictures import LONGEST_SEARCH, file_of, search

PICTURES_A_PAGE = 24
SHOWN_OF_FINDING = 8
FIELD = "text:"  # before a picture's file name: the name of the field that holds its captions


@require_GET
def catalogues(request: HttpRequest) -> HttpResponse:
    """All catalogues, and what is on its way in."""
    listed = [(found, found.newest) for found in Catalogue.objects.all()]
    coming = Upload.objects.filter(state__in=(Upload.State.WAITING, Upload.State.RUNNING))
    shown = {"catalogues": listed, "coming": coming, "may_upload": may(request.user, "upload")}
    return render(request, "workshop/catalogues.html", shown)


@require_GET
def version(request: HttpRequest, key: int) -> HttpResponse:
    """One version: what the doctor says, what can be done with it, and the other versions."""
    return render(request, "workshop/version.html", _shown(request, _found(key)))


@require_GET
def state(request: HttpRequest, key: int) -> HttpResponse:
    """Only the doctor's part, which changes while the catalogue is looked at."""
    return render(request, "workshop/version-state.html", _shown(request, _found(key)))


def _found(key: int) -> Version:
    found: Version = get_object_or_404(Version.objects.select_related("catalogue"), pk=key)
    return found


def _shown(request: HttpRequest, version: Version) -> dict[str, Any]:
    last = version.checks.order_by("created_at").last()
    data = checking.report(version)
    for finding in data.get("findings", ()):
        names = [each["file_name"] for group in finding["groups"] for each in group]
        finding["shown"] = names[:SHOWN_OF_FINDING]
    return {
        "version": version,
        "catalogue": version.catalogue,
        "versions": version.catalogue.versions.all(),
        "trainings": Training.objects.filter(version=version).order_by("-created_at"),
        "report": version.report,
        "data": data,
        "check": last,
        "may_change": may(request.user, "version-captions"),
    }


@require_POST
def check(request: HttpRequest, key: int) -> HttpResponse:
    """Ask the doctor."""
    rules.ask_doctor(_found(key), request.user)
    return redirect("version", key)


@require_GET
def report(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The doctor's whole report."""
    return reports.as_page(get_object_or_404(Check, pk=key).path)


@require_GET
def pictures(request: HttpRequest, key: int) -> HttpResponse:
    """The pictures with their captions, some a page; `q` looks for words, `finding` shows what the doctor means."""
    found = _found(key)
    wanted = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    finding = request.GET.get("finding", "")
    page = Paginator(search(found, wanted, finding), PICTURES_A_PAGE).get_page(request.GET.get("page"))
    shown = [
        {"number": number, "file": row[FILE], "original": row[ORIGINAL], "captions": "\n".join(row[TEXTS])}
        for number, row in page.object_list
    ]
    asked = {"version": found, "catalogue": found.catalogue, "page": page, "shown": shown, "wanted": wanted}
    asked |= {"finding": finding, "field": FIELD, "may_change": may(request.user, "version-captions")}
    asked["newest"] = found.catalogue.newest
    return render(request, "workshop/pictures.html", asked)


@require_GET
def picture(request: HttpRequest, key: int) -> HttpResponse:
    """One picture, `name`d as in the version's table; no other file can be named."""
    return picture_answer(_found(key), request.GET.get("name", ""))


def picture_answer(version: Version, name: str) -> HttpResponse:
    """The file of a picture. Raises Http404."""
    if (file := file_of(version, name)) is None:
        raise Http404
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = HttpResponse(file.read_bytes(), content_type=kind)
    response["Cache-Control"] = "private, max-age=31536000, immutable"  # the name holds a hash of the content
    return response


@require_POST
def captions(request: HttpRequest, key: int) -> HttpResponse:
    """Change captions of the pictures of one page, and take some out."""
    version = _found(key)
    back = {name: request.POST[name] for name in ("q", "page", "finding") if request.POST.get(name)}
    try:
        typed = {
            name.removeprefix(FIELD): rules.captions_of(text)
            for name, text in request.POST.items()
            if name.startswith(FIELD)
        }
        changed = rules.change(version, request.user, typed, frozenset(request.POST.getlist("out")))
    except ValueError:
        told = _("Not saved: a picture has up to 20 captions of up to 1000 characters, and one picture must stay.")
        messages.error(request, told)
        changed = version
    return redirect(f"{reverse('version-pictures', args=[changed.pk])}?{urlencode(back)}")
