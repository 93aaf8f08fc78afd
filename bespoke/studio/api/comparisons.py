"""How do programs compare two models? The same texts and seeds, drawn by both."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from bespoke.studio.api.errors import RefusedError, answers
from bespoke.studio.api.fields import Text, checked
from bespoke.studio.api.jobs import Job
from bespoke.studio.limits import LARGEST_SEED
from bespoke.studio.models import TrainedModel
from bespoke.studio.workshop import comparing
from bespoke.studio.workshop.comparing import MOST_TEXTS
from bespoke.studio.workshop.forms import CompareForm
from bespoke.studio.workshop.models import Comparison as Row

router = Router(tags=["models"])


class Pair(Schema):
    """One text, and the job of each model."""

    text: str
    first: Job | None
    second: Job | None


class Comparison(Schema):
    """Two models side by side."""

    id: uuid.UUID
    first: str = Field(alias="first.name")
    second: str = Field(alias="second.name")
    seed: int
    balance: float
    pairs: list[Pair]

    @staticmethod
    def resolve_pairs(comparison: Row) -> list[comparing.Pair]:
        return comparing.pairs(comparison)


class NewComparison(Schema):
    """Which models, and what they are to draw."""

    first: Text = Field(max_length=100, description="The name of a model, registered or not.")
    second: Text = Field(max_length=100)
    texts: list[Text] = Field(min_length=1, max_length=MOST_TEXTS)
    balance: float = Field(0.5, ge=0, le=1)
    seed: int | None = Field(None, ge=0, le=LARGEST_SEED - MOST_TEXTS)
    key: uuid.UUID | None = Field(None, description="Yours: sent twice, it is still one comparison.")


@router.post("/comparisons", response=answers(Comparison, 202), url_name="comparisons")
def make_comparison(request: HttpRequest, wanted: NewComparison) -> Status:
    """Order the pictures; read the comparison until all its jobs are over."""
    sides = {"first": _model("first", wanted.first), "second": _model("second", wanted.second)}
    given = wanted.dict() | sides | {"texts": "\n".join(wanted.texts), "key": wanted.key or uuid.uuid4()}
    with transaction.atomic():
        return Status(202, comparing.compare(user=request.user, **checked(CompareForm(given))))


@router.get("/comparisons/{uuid:key}", response=answers(Comparison), url_name="comparison")
def read_comparison(request: HttpRequest, key: uuid.UUID) -> Row:
    """One comparison."""
    found: Row = get_object_or_404(Row.objects.select_related("first", "second"), pk=key)
    return found


def _model(side: str, name: str) -> int:
    found = TrainedModel.objects.filter(name=name).values_list("pk", flat=True).first()
    if found is None:
        raise RefusedError(404, f"{side}: no model is called {name!r}; GET /api/models lists them", param=side)
    return int(found)
