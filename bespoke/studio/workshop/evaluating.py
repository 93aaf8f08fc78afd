"""When is a model measured, and what came of it?"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from bespoke.data.item import Part
from bespoke.data.split import part_to_ask
from bespoke.studio.models import TrainedModel
from bespoke.studio.workshop import against, reports
from bespoke.studio.workshop.models import Evaluation, Version
from bespoke.studio.workshop.told import tell_gate_advice


def order(model: TrainedModel, user: Any, version: Version, split: str) -> Evaluation:
    """Have the weights that a model has now measured on pictures of a version."""
    assert model.identity, "nobody has looked into this model yet"
    return Evaluation.objects.create(owner=user, model=model, identity=model.identity, version=version, split=split)


def split_to_ask(version: Version) -> Part:
    """What to measure on unless somebody chooses: by the newest report on the version, where there is one."""
    splits = _splits(version)
    return part_to_ask(splits) if splits else "validation"


def num_pictures(version: Version, split: str) -> int | None:
    """How many pictures of a version there are to measure on, None where no report on it says so."""
    splits, names = _splits(version), ("validation", "test") if split == "held-out" else (split,)
    return sum(splits[name] for name in names) if splits else None


def _splits(version: Version) -> dict[str, int] | None:
    """How many pictures of a version are in each split, by its newest report."""
    return reports.as_data(version.report.path).get("splits") if version.report else None


def of(model: TrainedModel) -> QuerySet[Evaluation]:
    """The evaluations of the weights that a model has now, the newest first."""
    found = Evaluation.objects.filter(model=model, identity=model.identity)
    return found.select_related("version__catalogue").order_by("-created_at")


def report(evaluation: Evaluation) -> dict[str, Any]:
    """What it says, in the language of whoever asks, with advice where a release gate was not passed.

    `not_against` says why it is not compared with the model that is offered first, empty where it is.
    """
    data = reports.as_data(evaluation.path)
    for gate in data.get("gates", ()):
        gate["advice"] = tell_gate_advice(gate["gate"], gate["measured"])
    if data:
        data["not_against"] = against.why(data)
    return data
