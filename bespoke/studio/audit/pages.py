"""Which pages show the log? One list, narrowed by filters, to read, to export and to check."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from bespoke.studio.audit.chain import Verdict, verify
from bespoke.studio.audit.forms import FilterForm
from bespoke.studio.audit.models import Entry
from bespoke.studio.audit.reading import HEADING, MOST_EXPORTED, cells_of, rows_of
from bespoke.studio.tables import csv_answer, jsonl_answer

ROWS_A_PAGE = 50


@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """The log, newest first; `before` goes on from a number."""
    return _page(request, None)


@require_POST
def audit_verify(request: HttpRequest) -> HttpResponse:
    """The log, and what a look through the whole of it found."""
    return _page(request, verify())


def _page(request: HttpRequest, verdict: Verdict | None) -> HttpResponse:
    form, entries = FilterForm(request.GET), Entry.objects.none()
    if form.is_valid():
        entries = form.narrow(Entry.objects.all())
        before = request.GET.get("before", "")
        if before.isascii() and before.isdecimal() and len(before) < 19:
            entries = entries.filter(number__lt=int(before))
    found = list(entries[: ROWS_A_PAGE + 1])
    kept = {name: value for name, value in request.GET.items() if value and name in form.fields}
    shown = {
        "form": form,
        "rows": rows_of(found[:ROWS_A_PAGE]),
        "kept": urlencode(kept),
        "older": found[ROWS_A_PAGE - 1].number if len(found) > ROWS_A_PAGE else None,
        "first": "before" not in request.GET,
        "verdict": verdict,
    }
    return render(request, "audit/audit.html", shown, status=422 if form.errors else 200)


@require_GET
def audit_export(request: HttpRequest) -> HttpResponse:
    """The rows that the filters leave, oldest first, as CSV or, with `format=jsonl`, JSON lines."""
    form = FilterForm(request.GET)
    if not form.is_valid():
        return _page(request, None)
    entries = form.narrow(Entry.objects.all()).order_by("number")
    if entries[MOST_EXPORTED:].exists():
        form.add_error(None, _("These are more than 200,000 rows. Narrow the days, and export them in parts."))
        return render(request, "audit/audit.html", {"form": form, "rows": []}, status=422)
    rows = cells_of(entries)
    if request.GET.get("format") == "jsonl":
        return jsonl_answer("audit", (dict(zip(HEADING, row, strict=True)) for row in rows))
    return csv_answer("audit", HEADING, rows)
