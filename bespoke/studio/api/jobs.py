"""How do programs order pictures and go on with other things? An order is a job; it says when it is done."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from bespoke.studio import models as rows
from bespoke.studio import orders
from bespoke.studio.api.errors import RefusedError, answers
from bespoke.studio.api.fields import Key, Text, checked
from bespoke.studio.api.paging import Page, Paging, Part, cut
from bespoke.studio.forms import CreateForm
from bespoke.studio.limits import LARGEST_SEED, LONGEST_TEXT, MOST_CANDIDATES, MOST_IMAGES

router = Router(tags=["jobs"])
State = Literal["waiting", "running", "done", "failed"]


class Job(Schema):
    """An order for pictures, and what became of it."""

    id: uuid.UUID
    created_at: datetime
    finished_at: datetime | None
    state: State
    error: str = Field(description="Why it failed; empty where it did not.")
    owner: str
    model: str
    text: str
    num_images: int
    balance: float
    seed: int
    best_of: int
    unknown_words: list[str] = Field(description="Words of the text that the model has never seen.")
    pictures: list[uuid.UUID] = Field(description="Keys of the results, in the order of their seeds.")

    @staticmethod
    def resolve_owner(job: rows.Job) -> str:
        return str(job.owner.get_username())

    @staticmethod
    def resolve_model(job: rows.Job) -> str:
        return str(job.model.name)

    @staticmethod
    def resolve_pictures(job: rows.Job) -> list[uuid.UUID]:
        return [picture.pk for picture in sorted(job.pictures.all(), key=lambda picture: picture.number)]


class Wanted(Schema):
    """What every order says."""

    model: Text = Field(max_length=100, description="The name of a registered model.")
    text: Text = Field(max_length=LONGEST_TEXT, description="What to draw, or what an edit should show.")
    num_images: int = Field(1, ge=1, le=MOST_IMAGES)
    seed: int | None = Field(None, ge=0, le=LARGEST_SEED, description="Of the first picture; without it, by chance.")
    key: uuid.UUID | None = Field(None, description="Yours, for the job: sent twice, it is still one order.")
    revises: Key | None = Field(None, description="The review that asked for another round, which this is.")


class Order(Wanted):
    """An order for pictures of a text."""

    balance: float = Field(
        0.5, ge=0, le=1, description="From 0 (most varied) to 1 (most alike); the text is shown best at 0.25 to 0.5."
    )
    best_of: int = Field(1, ge=1, le=MOST_CANDIDATES, description="Candidates a picture; the best match is kept.")


class Which(Paging):
    """Which jobs."""

    state: State | None = None
    mine: bool = Field(False, description="Only one's own.")
    of_list: uuid.UUID | None = Field(None, description="Only the rows of this list.")


@router.get("/jobs", response=answers(Page[Job]), url_name="jobs")
def list_jobs(request: HttpRequest, which: Query[Which]) -> Part:
    """The newest first."""
    found = known().filter(trial=False)
    if which.state:
        found = found.filter(state=which.state)
    if which.mine:
        found = found.filter(owner=request.user)
    if which.of_list:
        found = found.filter(batch=which.of_list)
    return cut(found, which, "-created_at", "-id")


@router.post("/jobs", response=answers(Job, 202), url_name="jobs")
def make_job(request: HttpRequest, order: Order) -> Status:
    """Order pictures; ask for the job until it is done."""
    made = orders.draw(request.user, **checked(CreateForm(request.user, given(request, order))))
    return Status(202, known().get(pk=made.pk))


@router.get("/jobs/{uuid:key}", response=answers(Job), url_name="job")
def read_job(request: HttpRequest, key: uuid.UUID) -> rows.Job:
    """One job."""
    found: rows.Job = get_object_or_404(known(), pk=key)
    return found


@router.post("/jobs/{uuid:key}/cancel", response=answers(Job), url_name="job-cancel")
def cancel_job(request: HttpRequest, key: uuid.UUID) -> rows.Job:
    """End a job that is not wanted any more, before a worker has begun it."""
    if not orders.cancel(get_object_or_404(rows.Job, pk=key), request.user):
        raise RefusedError(409, "this job is being drawn, or over; it cannot be cancelled any more", code="begun")
    return known().get(pk=key)


def known() -> QuerySet[rows.Job]:
    """Jobs with all that is told of them."""
    return rows.Job.objects.select_related("model", "owner").prefetch_related("pictures")


def given(request: HttpRequest, order: Wanted) -> dict[str, Any]:
    """An order as the form of the page takes it. Raises RefusedError."""
    model = usable(request, order.model)
    return order.dict() | {"model": model.pk, "key": order.key or uuid.uuid4(), "revises": order.revises or ""}


def usable(request: HttpRequest, name: str) -> rows.TrainedModel:
    """The model of this name, where its user may draw with it. Raises RefusedError."""
    found: rows.TrainedModel | None = rows.TrainedModel.objects.open_to(request.user).filter(name=name).first()
    if found is None:
        told = f"model {name!r}: nobody has registered it for you; GET /api/models lists those that are"
        raise RefusedError(404, told, param="model", code="not_found")
    return found
