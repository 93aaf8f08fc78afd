"""How do programs read the audit log, take it away, and have it looked through?"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from bespoke.studio.api.errors import RefusedError, answers, files
from bespoke.studio.api.fields import Key, Text, checked
from bespoke.studio.api.paging import Page, Paging, Part, cut
from bespoke.studio.audit.chain import Verdict, verify
from bespoke.studio.audit.forms import FilterForm
from bespoke.studio.audit.models import Entry as Row
from bespoke.studio.audit.reading import HEADING, MOST_EXPORTED, cells_of, rows_of
from bespoke.studio.tables import csv_answer, jsonl_answer

router = Router(tags=["audit"])


class Entry(Schema):
    """One deed."""

    number: int
    at: datetime
    actor_id: int | None = Field(description="A person's number; null: the studio itself, or a stranger.")
    actor: str = Field(description="The name now known under that number.")
    action: str
    subject: str
    details: dict[str, Any]
    seal: str


class Narrow(Schema):
    """Which deeds; what is left out does not narrow."""

    actor: Text = Field("", max_length=150, description="A person's name.")
    action: Text = Field("", max_length=40)
    subject: Text = Field("", max_length=200)
    since: date | None = Field(None, description="From this day, UTC.")
    until: date | None = Field(None, description="To this day.")


class Which(Paging, Narrow):
    """Which deeds, and which part of them."""


class Form(Narrow):
    """Which deeds, and in which form."""

    format: Literal["csv", "jsonl"] = "csv"


class Known(Schema):
    """Seals that were written down elsewhere, by number."""

    known: dict[Key, Text] = Field({}, max_length=1000)


class Found(Schema):
    """What a look through the whole log found."""

    holds: bool
    holding: int = Field(description="Rows that hold, from the first.")
    seal: str = Field(description="Of the last of them: write it down elsewhere.")
    bad: int | None = Field(description="Number of the first row that does not hold.")
    problem: str


@router.get("/audit", response=answers(Page[Entry]), url_name="audit")
def list_entries(request: HttpRequest, which: Query[Which]) -> Part:
    """The newest first."""
    part = cut(_narrowed(which), which, "-number")
    return part._replace(items=[_told(row.entry, row.actor) for row in rows_of(part.items)])


@router.get("/audit/export", url_name="audit-export", openapi_extra=files("text/csv", "application/x-ndjson"))
def export_entries(request: HttpRequest, which: Query[Form]) -> HttpResponse:
    """All of them, oldest first."""
    entries = _narrowed(which).order_by("number")
    if entries[MOST_EXPORTED:].exists():
        raise RefusedError(400, f"since: more than {MOST_EXPORTED} rows; export in parts, by days", param="since")
    cells = cells_of(entries)
    if which.format == "jsonl":
        return jsonl_answer("audit", (dict(zip(HEADING, row, strict=True)) for row in cells))
    return csv_answer("audit", HEADING, cells)


@router.post("/audit/verify", response=answers(Found), url_name="audit-verify")
def verify_log(request: HttpRequest, known: Known) -> dict[str, Any]:
    """Looks through the whole log: 100,000 rows take seconds."""
    verdict: Verdict = verify(dict(known.known))
    return verdict._asdict() | {"holds": verdict.bad is None and not verdict.problem}


def _narrowed(which: Narrow) -> QuerySet[Row]:
    given = {name: str(value) for name, value in which.dict().items() if value}
    if which.actor:
        person = User.objects.filter(username=which.actor).values_list("pk", flat=True).first()
        if person is None:
            raise RefusedError(400, "actor: nobody here has this name", param="actor")
        given["actor"] = person
    form = FilterForm(given)
    checked(form)
    return form.narrow(Row.objects.all())


def _told(entry: Row, actor: str) -> dict[str, Any]:
    fields = ("number", "at", "actor_id", "action", "subject", "seal")
    return {name: getattr(entry, name) for name in fields} | {"actor": actor, "details": entry.told}
