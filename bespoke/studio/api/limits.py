"""What have a model's pictures to reach in review? Limits that are measured on real pairs, or set by hand."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from bespoke.studio.api.errors import RefusedError, answers
from bespoke.studio.api.fields import Key, Text, checked
from bespoke.studio.models import TrainedModel
from bespoke.studio.review import calibrations
from bespoke.studio.review.forms import LimitForm
from bespoke.studio.review.models import Calibration
from bespoke.studio.workshop.models import Version

router = Router(tags=["models"])


class Limits(Schema):
    """What counts for the weights that a model has now; the newest that is done does."""

    id: uuid.UUID
    created_at: datetime
    finished_at: datetime | None
    state: Literal["waiting", "running", "done", "failed"]
    error: str
    version: int | None = Field(alias="version_id", description="The catalogue it was measured on; null: set by hand.")
    alignment: float | None = Field(description="The least that passes, -1 to 1.")
    nearness: float | None = Field(description="Nearer to a training picture is a near copy; null: cannot be told.")
    num_pairs: int
    held_out: bool
    waived: str = Field(description="Why copies need not be looked for.")


class NewLimits(Schema):
    """A catalogue to measure on, or limits that an administrator sets."""

    version: Key | None = Field(None, description="On which the model was trained.")
    alignment: float | None = Field(None, ge=-1, le=1)
    waived: Text = Field("", max_length=500)


@router.get("/models/{int:key}/limits", response=answers(list[Limits]), url_name="model-limits")
def list_limits(request: HttpRequest, key: int) -> list[Calibration]:
    """The newest first."""
    model = _found(key)
    return list(Calibration.objects.filter(model=model, identity=model.identity).order_by("-created_at", "-id")[:100])


@router.post("/models/{int:key}/limits", response=answers(Limits, 202), url_name="model-limits")
def make_limits(request: HttpRequest, key: int, wanted: NewLimits) -> Status:
    """Have a registered model measured on `version`, or set `alignment` by hand."""
    model = _found(key)
    if model.registered_at is None:
        raise RefusedError(409, "register this model first")
    if (wanted.version is None) == (wanted.alignment is None):
        raise RefusedError(400, "version: give it, or alignment, and not both", param="version")
    if wanted.alignment is not None:
        return Status(202, calibrations.set_by_hand(model, request.user, **checked(LimitForm(wanted.dict()))))
    version = Version.objects.filter(pk=wanted.version).first()
    if version is None:
        raise RefusedError(404, "version: none has this key; GET /api/catalogues lists them", param="version")
    made = calibrations.order(model, request.user, version)
    assert made is not None
    return Status(202, made)


def _found(key: int) -> TrainedModel:
    found: TrainedModel = get_object_or_404(TrainedModel, pk=key)
    return found
