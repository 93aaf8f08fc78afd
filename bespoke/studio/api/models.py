"""What do programs learn of models and decide about them? Card, gates, reports; register, promote, limit, roll back."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import override
from ninja import Query, Router, Schema, Status
from pydantic import Field

from bespoke.data.item import Part as Split
from bespoke.studio import registration
from bespoke.studio.api.catalogues import Language
from bespoke.studio.api.errors import RefusedError, answers
from bespoke.studio.api.fields import Key, Text, checked
from bespoke.studio.api.paging import Page, Paging, Part, cut
from bespoke.studio.models import TrainedModel
from bespoke.studio.workshop import evaluating, promotion, runs
from bespoke.studio.workshop.forms import AudienceForm, EvaluateForm, PromoteForm
from bespoke.studio.workshop.models import Evaluation as EvaluationRow
from bespoke.studio.workshop.models import Promotion as PromotionRow

router = Router(tags=["models"])


class Model(Schema):
    """A model that was found in the studio's folder; to draw with once it is registered."""

    id: int
    name: str
    identity: str = Field(description="Hash of the weights.")
    image_size: int
    edits: bool = Field(description="Whether it was taught to edit pictures.")
    problem: str = Field(description="Why it cannot be used; empty where it can.")
    found_at: datetime
    registered_at: datetime | None
    promoted_at: datetime | None = Field(description="Of all, the one that was promoted last is offered first.")
    limited: bool = Field(description="To some people.")


class Promotion(Schema):
    """That it was made the first, and why."""

    at: datetime
    by: str = Field(alias="by.username")
    identity: str
    reason: str
    back: bool = Field(description="By a roll back.")


class Evaluation(Schema):
    """A measurement of a model against real pictures; its report is at /api/evaluations/KEY/report."""

    id: uuid.UUID
    created_at: datetime
    version: int = Field(alias="version_id")
    split: str
    state: Literal["waiting", "running", "done", "failed"]
    error: str
    verdict: str
    passed: bool | None = Field(description="All release gates.")


class Line(Schema):
    """A line of the model card."""

    kind: Literal["title", "item", "text"]
    text: str


class WholeModel(Model):
    """A model, its card, its release gates, and who has decided what about it."""

    card: list[Line]
    gates: list[dict[str, Any]] = Field(description="Of the newest evaluation that is done.")
    passing: uuid.UUID | None = Field(description="The evaluation by which it may be promoted without a reason.")
    first: bool = Field(description="It is the one that is offered first.")
    people: list[str] = Field(description="Who may use it, where it is limited.")
    promotions: list[Promotion] = Field(alias="history", description="The newest first.")


class Weights(Schema):
    """The weights that somebody has seen."""

    identity: Text = Field(min_length=1, max_length=12)


class Measure(Schema):
    """On which pictures to measure."""

    version: Key
    split: Split = Field("validation", description="held-out: validation and test together, for small catalogues.")


class Why(Schema):
    """Why a model is promoted that has not passed its gates."""

    reason: Text = Field("", max_length=500)


class Audience(Schema):
    """Who may use a model; administrators may always."""

    limited: bool
    people: list[Text] = Field([], max_length=1000, description="Names.")


@router.get("/models", response=answers(Page[Model]), url_name="models")
def list_models(request: HttpRequest, which: Query[Paging]) -> Part:
    """All that were found, the oldest first."""
    return cut(TrainedModel.objects.all(), which, "id")


@router.post("/models/roll-back", response=answers(WholeModel), url_name="model-roll-back")
def roll_back(request: HttpRequest) -> TrainedModel:
    """Offer the model first that was before."""
    try:
        return _whole(promotion.roll_back(request.user).model_id)
    except promotion.NotAllowedError as error:
        raise RefusedError(409, "there is no model to go back to; promote one") from error


@router.get("/models/{int:key}", response=answers(WholeModel), url_name="model")
def read_model(request: HttpRequest, key: int) -> TrainedModel:
    """One model."""
    return _whole(key)


@router.post("/models/{int:key}/register", response=answers(WholeModel), url_name="model-register")
def register_model(request: HttpRequest, key: int, seen: Weights) -> TrainedModel:
    """Let people draw with it, as long as its weights are these."""
    try:
        registration.register(_found(key), request.user, seen.identity)
    except registration.ChangedError as error:
        told = "identity: not, or no longer, that of this model, or it cannot be used; read it again"
        raise RefusedError(409, told, param="identity") from error
    return _whole(key)


@router.post("/models/{int:key}/withdraw", response=answers(WholeModel), url_name="model-withdraw")
def withdraw_model(request: HttpRequest, key: int) -> TrainedModel:
    """Let nobody draw with it any more."""
    registration.withdraw(_found(key), request.user)
    return _whole(key)


@router.post("/models/{int:key}/promote", response=answers(WholeModel), url_name="model-promote")
def promote_model(request: HttpRequest, key: int, why: Why) -> TrainedModel:
    """Offer it first: it has passed its gates, or a reason says why it may be all the same."""
    try:
        promotion.promote(_found(key), request.user, **checked(PromoteForm(why.dict())))
    except promotion.NotAllowedError as error:
        told = "reason: it must be registered, and have passed its gates or be given a reason"
        raise RefusedError(409, told, param="reason", code="gate_closed") from error
    return _whole(key)


@router.post("/models/{int:key}/audience", response=answers(WholeModel), url_name="model-audience")
def limit_model(request: HttpRequest, key: int, audience: Audience) -> TrainedModel:
    """Limit it to some people, or open it to all."""
    known = dict(User.objects.filter(username__in=audience.people, is_active=True).values_list("username", "pk"))
    if missing := [name for name in audience.people if name not in known]:
        raise RefusedError(400, f"people: nobody here is called {missing[0]!r}", param="people")
    asked = checked(AudienceForm({"limited": audience.limited, "users": list(known.values())}))
    promotion.limit(_found(key), request.user, list(asked["users"]) if asked["limited"] else None)
    return _whole(key)


@router.get("/models/{int:key}/evaluations", response=answers(Page[Evaluation]), url_name="evaluations")
def list_evaluations(request: HttpRequest, key: int, which: Query[Paging]) -> Part:
    """Of the weights that it has now, the newest first."""
    return cut(evaluating.of(_found(key)), which, "-created_at", "-id")


@router.post("/models/{int:key}/evaluations", response=answers(Evaluation, 202), url_name="evaluations")
def make_evaluation(request: HttpRequest, key: int, measure: Measure) -> Status:
    """Have it measured; the first time on a catalogue takes long."""
    model, asked = _found(key), checked(EvaluateForm(measure.dict()))
    if not model.identity:
        raise RefusedError(409, f"model {model.name} cannot be read; its `problem` says why")
    return Status(202, evaluating.order(model, request.user, **asked))


@router.get("/evaluations/{uuid:key}/report", response=answers(dict[str, Any]), url_name="evaluation-report")
def read_evaluation_report(request: HttpRequest, key: uuid.UUID, language: Language = "en") -> dict[str, Any]:
    """The report, as `bespoke evaluate` writes it."""
    with override(language):
        if not (data := evaluating.report(get_object_or_404(EvaluationRow, pk=key))):
            raise RefusedError(404, "no report yet; wait until the evaluation is done", code="not_found")
    return data


def _found(key: int) -> TrainedModel:
    found: TrainedModel = get_object_or_404(TrainedModel, pk=key)
    return found


def _whole(key: int) -> TrainedModel:
    found = _found(key)
    done = evaluating.of(found).filter(state=EvaluationRow.State.DONE).first()
    passing = promotion.passing(found)
    found.card = [{"kind": kind, "text": text} for kind, text in runs.card_lines(settings.HOME.models / found.name)]
    found.gates = evaluating.report(done).get("gates", []) if done else []
    found.passing = passing.pk if passing else None
    found.first = promotion.current() == found
    found.people = list(found.users.order_by("username").values_list("username", flat=True))
    found.history = PromotionRow.objects.filter(model=found).select_related("by")
    return found
