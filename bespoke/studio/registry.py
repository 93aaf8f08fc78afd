"""Which models are there? The folders under HOME/models, each looked into whenever it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import transaction

from bespoke.errors import UserError
from bespoke.locate import INDEX
from bespoke.pipeline import Pipeline
from bespoke.studio.audit import record
from bespoke.studio.models import TrainedModel


def scan(folder: Path) -> None:
    """Write down what is found in `folder`. A model whose weights have changed must be registered again."""
    names = set()
    for place in sorted(folder.iterdir()):
        if place.name.startswith(".") or not (stamp := stamp_of(place)):
            continue
        names.add(place.name)
        known = TrainedModel.objects.filter(name=place.name).first()
        if known is None or known.stamp != stamp:
            _look(place, stamp, known or TrainedModel(name=place.name))
    for lost in TrainedModel.objects.exclude(name__in=names).exclude(stamp=""):
        lost.stamp, lost.problem = "", f"{folder / lost.name}: no longer there; put it back"
        lost.save()


def stamp_of(place: Path) -> str:
    """Changes whenever training writes the model anew; empty where there is none."""
    for index in (place / "model" / INDEX, place / INDEX):
        try:
            return str(index.stat().st_mtime_ns)
        except OSError:
            continue
    return ""


def _look(place: Path, stamp: str, model: TrainedModel) -> None:
    found: dict[str, Any] = {"stamp": stamp, "problem": ""}
    try:
        pipeline = Pipeline.from_pretrained(place, device="cpu")
    except UserError as error:
        found["problem"] = str(error)
    else:
        found["identity"], found["image_size"] = pipeline.identity, pipeline.networks.settings.image_size
        found["edits"] = pipeline.networks.editor is not None
    if model.pk is None:
        TrainedModel.objects.create(name=model.name, **found)
    else:
        _change(model.pk, found)


@transaction.atomic
def _change(key: int, found: dict[str, Any]) -> None:
    """Write down what was found; what people have decided about other weights ends here."""
    model = TrainedModel.objects.select_for_update().get(pk=key)  # looking took seconds: it may have changed
    before = model.identity
    changed = model.registered_at is not None and found.get("identity", before) != before
    if changed:
        model.registered_at = model.registered_by = model.promoted_at = None
    for field, value in found.items():
        setattr(model, field, value)
    model.save()
    if changed:
        record(None, "model.changed", model, name=model.name, before=before, identity=model.identity)
