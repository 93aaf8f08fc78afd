"""What do programs do with pictures? Look for them, fetch them, change one by its text, and recall what must go."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from bespoke.studio import models as rows
from bespoke.studio import orders, variations
from bespoke.studio.api.errors import RefusedError, answers, files
from bespoke.studio.api.fields import Text, checked
from bespoke.studio.api.jobs import Job, Wanted, given, known
from bespoke.studio.api.paging import Page, Paging, Part, cut
from bespoke.studio.edit_pages import stored
from bespoke.studio.forms import EditForm
from bespoke.studio.gallery import LONGEST_SEARCH, search
from bespoke.studio.limits import LONGEST_TEXT, USUAL_STRENGTH
from bespoke.studio.opening import UnusableError, of_storage
from bespoke.studio.review import recalls
from bespoke.studio.review.forms import RecallForm

router = Router(tags=["pictures"])
Like = Literal["picture", "model", "text", "both"]
Proposed = Literal["proposed", "in_review", "approved", "revise", "rejected", "withdrawn"]


class Picture(Schema):
    """One picture; its file is at /api/pictures/KEY/file."""

    id: uuid.UUID
    created_at: datetime
    job: uuid.UUID = Field(alias="job_id")
    number: int
    text: str = Field(alias="job.text")
    model: str = Field(description="Name and identity of the weights.", alias="model_name")
    seed: int
    balance: float = Field(alias="job.balance")
    alignment: float = Field(description="The model's own score of picture and text, -1 to 1.")
    sha256: str
    review: int | None = Field(description="The key of its review, where it was proposed.")
    state: Proposed | None = Field(description="Of that review.")
    recalled: bool

    @staticmethod
    def resolve_review(picture: rows.Picture) -> int | None:
        return picture.proposal.pk if hasattr(picture, "proposal") else None

    @staticmethod
    def resolve_state(picture: rows.Picture) -> str | None:
        return picture.proposal.state if hasattr(picture, "proposal") else None

    @staticmethod
    def resolve_recalled(picture: rows.Picture) -> bool:
        return hasattr(picture, "recalled")


class Change(Wanted):
    """What a picture should show instead."""

    source: Text = Field("", max_length=LONGEST_TEXT, description="What it shows now; else the model guesses.")
    strength: float = Field(USUAL_STRENGTH, ge=0, le=1, description="From 0 (as it is) to 1 (nothing is held back).")


class Anew(Schema):
    """How a picture is drawn anew: by other seeds, or with other balances."""

    by: Literal["seeds", "balances"] = "seeds"
    key: uuid.UUID | None = Field(None, description="Yours: sent twice, it is still one order.")


class Where(Schema):
    """Where one copy of a picture went."""

    picture: uuid.UUID = Field(alias="picture_id")
    export: uuid.UUID = Field(alias="export_id")
    at: datetime = Field(alias="export.at")
    purpose: str = Field(alias="export.purpose")
    sha256: str


class Reach(Schema):
    """What a recall would withdraw, and where all of it went."""

    pictures: int
    exports: list[Where]


class Recall(Schema):
    """What must not be used any more, and why."""

    by: Like = Field("picture", description="What is withdrawn with it: all of the same model, text, or both.")
    reason: Text = Field(min_length=1, max_length=500)


class Recalled(Schema):
    """How much was withdrawn."""

    pictures: int


class Which(Paging):
    """Which pictures."""

    q: Text = Field("", max_length=LONGEST_SEARCH, description="Words that the text holds.")
    model: Text = Field("", max_length=100, description="Name of a model.")
    job: uuid.UUID | None = None
    state: Proposed | None = Field(None, description="Of their review.")


@router.get("/pictures", response=answers(Page[Picture]), url_name="pictures")
def list_pictures(request: HttpRequest, which: Query[Which]) -> Part:
    """The newest first; those drawn to compare models are left out."""
    found = search(which.q).select_related("proposal", "recalled")
    for field, value in (("job__model__name", which.model), ("job", which.job), ("proposal__state", which.state)):
        if value:
            found = found.filter(**{field: value})
    return cut(found, which, "-created_at", "-id")


@router.get("/pictures/{uuid:key}", response=answers(Picture), url_name="picture")
def read_picture(request: HttpRequest, key: uuid.UUID) -> rows.Picture:
    """One picture and how it was made."""
    return _found(key)


@router.get("/pictures/{uuid:key}/file", url_name="picture-file", openapi_extra=files("image/png"))
def read_picture_file(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The PNG, with its mark. It is a draft: only an export is approved."""
    return stored(_found(key).file)


@router.get("/pictures/{uuid:key}/mask", url_name="picture-mask", openapi_extra=files("image/png"))
def read_picture_mask(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Where an edit has changed its picture: white."""
    return stored(get_object_or_404(rows.Picture.objects.exclude(job__edit=None), pk=key).mask_file)


@router.post("/pictures/{uuid:key}/edit", response=answers(Job, 202), url_name="picture-edit")
def edit_picture(request: HttpRequest, key: uuid.UUID, change: Change) -> Status:
    """Order a change of a picture by its text. Files that are not in the gallery go to /v1/images/edits."""
    picture = _found(key)
    asked = checked(EditForm(request.user, given(request, change) | {"picture": picture.pk}))
    for name in ("image", "again", "picture", "mask"):
        asked.pop(name)
    try:
        made = orders.edit(request.user, of_storage(picture.file, picture.sha256), **asked)
    except FileNotFoundError as error:
        raise RefusedError(409, "the file of this picture is lost; restore it from a backup") from error
    except UnusableError as error:
        raise RefusedError(409, f"this picture cannot be edited: {error.told}") from error
    return Status(202, known().get(pk=made.pk))


@router.post("/pictures/{uuid:key}/vary", response=answers(list[Job], 202), url_name="picture-vary")
def vary_picture(request: HttpRequest, key: uuid.UUID, anew: Anew) -> Status:
    """Order the same text by other seeds, or with other balances."""
    picture = get_object_or_404(rows.Picture.objects.select_related("job"), pk=key, recalled=None, job__trial=False)
    by = variations.other_seeds if anew.by == "seeds" else variations.other_balances
    try:
        made = by(picture, request.user, anew.key or uuid.uuid4())
    except variations.GoneError as error:
        told = "the model of this picture has changed since, or is not open to you; order the text anew"
        raise RefusedError(409, told) from error
    return Status(202, list(known().filter(pk__in=[job.pk for job in made]).order_by("created_at", "pk")))


@router.get("/pictures/{uuid:key}/recall", response=answers(Reach), url_name="picture-recall")
def read_recall(request: HttpRequest, key: uuid.UUID, by: Like = "picture") -> dict[str, Any]:
    """What a recall would withdraw: nothing happens yet."""
    picture = _found(key)
    return {"pictures": recalls.like(picture, by).count(), "exports": recalls.exports_of(picture, by)}


@router.post("/pictures/{uuid:key}/recall", response=answers(Recalled), url_name="picture-recall")
def make_recall(request: HttpRequest, key: uuid.UUID, recall: Recall) -> dict[str, int]:
    """Withdraw a picture and what is like it, wherever in the review it is."""
    asked = checked(RecallForm(recall.dict()))
    made = recalls.recall(recalls.like(_found(key), asked["by"]), request.user, asked["reason"])
    return {"pictures": made.pictures.count() if made else 0}


def _found(key: uuid.UUID) -> rows.Picture:
    known_pictures = rows.Picture.objects.select_related("job", "proposal", "recalled")
    found: rows.Picture = get_object_or_404(known_pictures, pk=key)
    return found
