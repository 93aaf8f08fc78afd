"""How does a program order the pictures of a whole product list? One file, whose rows become jobs that wait behind."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import PurePath

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import File, Form, Query, Router, Schema, Status, UploadedFile
from pydantic import Field

from bespoke.studio import batches
from bespoke.studio.api.errors import RefusedError, answers
from bespoke.studio.api.fields import Text, checked
from bespoke.studio.api.jobs import usable
from bespoke.studio.api.paging import Page, Paging, Part, cut
from bespoke.studio.forms import BatchForm
from bespoke.studio.limits import LARGEST_SEED, MOST_CANDIDATES, MOST_IMAGES
from bespoke.studio.models import Batch
from bespoke.studio.opening import UnusableError

router = Router(tags=["jobs"])
SHOWN = 5  # wrong rows of a message


class Rows(Schema):
    """How far a list is, in rows."""

    total: int
    done: int
    failed: int
    cancelled: int
    waiting: int = Field(description="Or being drawn.")


class List(Schema):
    """A list of texts that was ordered at once; its jobs are at /api/jobs?of_list=KEY."""

    id: uuid.UUID
    name: str
    owner: str = Field(alias="owner.username")
    created_at: datetime
    cancelled_at: datetime | None
    rows: Rows

    @staticmethod
    def resolve_rows(batch: Batch) -> batches.Progress:
        return batches.progress(batch)


class NewList(Schema):
    """How the rows of a table become pictures."""

    model: Text = Field(max_length=100, description="The name of a registered model.")
    num_images: int = Field(1, ge=1, le=MOST_IMAGES, description="Pictures a row.")
    seed: int | None = Field(None, ge=0, le=LARGEST_SEED, description="Of the first picture; every next has the next.")
    balance: float = Field(0.5, ge=0, le=1)
    best_of: int = Field(1, ge=1, le=MOST_CANDIDATES)
    text_column: Text = Field("", max_length=100, description="Guessed unless told.")
    template: Text = Field("", max_length=300, description="A text from several columns: {color} {type}.")
    skip_bad: bool = Field(False, description="Leave out rows that cannot be drawn, in place of refusing everything.")
    key: uuid.UUID | None = Field(None, description="Yours: sent twice, it is still one list.")


@router.get("/lists", response=answers(Page[List]), url_name="lists")
def list_lists(request: HttpRequest, which: Query[Paging]) -> Part:
    """The newest first."""
    return cut(_known(), which, "-created_at", "-id")


@router.post("/lists", response=answers(List, 202), url_name="lists")
def make_list(
    request: HttpRequest,
    wanted: Form[NewList],
    table: UploadedFile = File(description="CSV, Excel or JSONL: a text a row."),  # noqa: B008 (how ninja has it)
) -> Status:
    """Order all rows of a table; single orders go before them."""
    given = wanted.dict(exclude_none=True) | {"model": usable(request, wanted.model).pk}
    form = BatchForm(request.user, given | {"key": wanted.key or uuid.uuid4()}, {"table": table})
    asked = checked(form)
    key, sent = asked.pop("key"), asked.pop("table")
    for name in ("text_column", "template", "skip_bad"):
        del asked[name]
    try:
        rows, wrong = batches.read(sent, form.asked(), request.user)
    except UnusableError as error:
        raise RefusedError(400, f"table: {error.told}", param="table") from error
    if not rows or (wrong and not wanted.skip_bad):
        told = "; ".join(f"line {row.line}: {row.told}" for row in wrong[:SHOWN]) or "there is no row in it"
        raise RefusedError(400, f"table: {len(wrong)} rows cannot be drawn: {told}", param="table")
    made = batches.order(key, request.user, PurePath(str(sent.name)).name[:100], rows, **asked)
    return Status(202, made)


@router.get("/lists/{uuid:key}", response=answers(List), url_name="list")
def read_list(request: HttpRequest, key: uuid.UUID) -> Batch:
    """How far it is."""
    found: Batch = get_object_or_404(_known(), pk=key)
    return found


@router.post("/lists/{uuid:key}/cancel", response=answers(List), url_name="list-cancel")
def cancel_list(request: HttpRequest, key: uuid.UUID) -> Batch:
    """Let what still waits not be drawn."""
    batches.cancel(get_object_or_404(_known(), pk=key), request.user)
    return read_list(request, key)


def _known() -> QuerySet[Batch]:
    return Batch.objects.select_related("owner").defer("rows")
