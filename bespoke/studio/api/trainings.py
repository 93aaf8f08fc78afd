"""How do programs train models? They start a training, see how far it is, stop it, and let it go on."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from bespoke.studio.api.errors import RefusedError, answers, files
from bespoke.studio.api.fields import Key, Text, checked
from bespoke.studio.api.paging import Page, Paging, Part, cut
from bespoke.studio.models import TrainedModel
from bespoke.studio.workshop import runs
from bespoke.studio.workshop import training as rules
from bespoke.studio.workshop.forms import TrainForm
from bespoke.studio.workshop.models import Training as Row
from bespoke.studio.workshop.models import Version
from bespoke.studio.workshop.told import tell_alarm

router = Router(tags=["trainings"])
State = Literal["waiting", "running", "done", "failed"]


class Training(Schema):
    """A training; the model that comes of it is called like its run."""

    id: uuid.UUID
    version: int = Field(alias="version_id")
    run: str
    base: str | None
    preset: str
    minutes: float
    created_at: datetime
    finished_at: datetime | None
    state: State
    stopping: bool
    resumable: bool
    error: str
    share: float = Field(description="Of the time that is spent, 0 to 1.")

    @staticmethod
    def resolve_base(training: Row) -> str | None:
        return training.base.name if training.base else None


class Progress(Training):
    """A training, and what is known of its run at this moment."""

    images: int = Field(description="Shown to the networks so far.")
    seconds: float = Field(description="Of training.")
    alarms: list[str] = Field(description="What is wrong, in plain words.")
    captions: list[str] = Field(description="Of the columns of the sheet.")


class Start(Schema):
    """What to train on, and how long."""

    version: Key
    time: Literal["look", "working", "night"] = Field("look", description="15 minutes, an hour, or eight.")
    minutes: float | None = Field(None, ge=0.1, le=7 * 24 * 60, description="Any other time.")
    base: Text = Field("", max_length=100, description="The name of a model to start from.")
    preset: Text = Field("", max_length=20, description="That of the machine, unless told.")


class Which(Paging):
    """Which trainings."""

    state: State | None = None
    version: Key | None = None


@router.get("/trainings", response=answers(Page[Training]), url_name="trainings")
def list_trainings(request: HttpRequest, which: Query[Which]) -> Part:
    """The newest first."""
    found = _known()
    if which.state:
        found = found.filter(state=which.state)
    if which.version:
        found = found.filter(version=which.version)
    return cut(found, which, "-created_at", "-id")


@router.post("/trainings", response=answers(Progress, 202), url_name="trainings")
def make_training(request: HttpRequest, start: Start) -> Status:
    """Put a training into the queue; one runs at a time. Its version does not change any more."""
    version = Version.objects.filter(pk=start.version).first()
    if version is None:
        raise RefusedError(404, "version: none has this key; GET /api/catalogues lists them", param="version")
    base = TrainedModel.objects.open_to(request.user).filter(name=start.base).first()
    if start.base and base is None:
        raise RefusedError(404, "base: no registered model has this name; GET /api/models lists them", param="base")
    form = TrainForm(request.user, start.dict(exclude_none=True) | {"base": base.pk if base else ""})
    checked(form)
    return Status(202, _told(rules.start(version, request.user, **form.asked).pk))


@router.get("/trainings/{uuid:key}", response=answers(Progress), url_name="training")
def read_training(request: HttpRequest, key: uuid.UUID) -> Row:
    """How far it is, and whether something is wrong."""
    return _told(key)


@router.get("/trainings/{uuid:key}/sheet", url_name="training-sheet", openapi_extra=files("image/png"))
def read_training_sheet(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The newest samples: rows are balances 0, 0.5, 1 and the real pictures, columns captions."""
    if (sheet := runs.newest_sheet(get_object_or_404(Row, pk=key).path)) is None:
        raise Http404
    return HttpResponse(sheet.read_bytes(), content_type="image/png")


@router.post("/trainings/{uuid:key}/stop", response=answers(Progress), url_name="training-stop")
def stop_training(request: HttpRequest, key: uuid.UUID) -> Row:
    """Let it save and end; one that is over stays as it is."""
    rules.stop(get_object_or_404(Row, pk=key), request.user)
    return _told(key)


@router.post("/trainings/{uuid:key}/resume", response=answers(Progress), url_name="training-resume")
def resume_training(request: HttpRequest, key: uuid.UUID) -> Row:
    """Let it go on, where it has ended before its time was up."""
    rules.resume(get_object_or_404(Row, pk=key), request.user)
    return _told(key)


def _known() -> QuerySet[Row]:
    return Row.objects.select_related("base")


def _told(key: uuid.UUID) -> Row:
    found: Row = get_object_or_404(_known(), pk=key)
    progress = runs.read_progress(found.path)
    if found.open:
        found.share = progress.share(found.minutes)
    found.images, found.seconds = progress.images, progress.seconds
    found.alarms = [tell_alarm(alarm.name) for alarm in progress.alarms]
    found.captions = runs.sheet_captions(found.path)
    return found
