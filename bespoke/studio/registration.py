"""With which models may people draw? With those that an administrator has let in, as they were then."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from bespoke.studio.audit import record
from bespoke.studio.models import TrainedModel
from bespoke.studio.review import calibrations


class ChangedError(Exception):
    """The model is not, or no longer, what the administrator saw."""


@transaction.atomic
def register(model: TrainedModel, user: Any, identity: str) -> None:
    """Let people draw with the weights of this identity, and have them measured. Raises ChangedError."""
    model = TrainedModel.objects.select_for_update().get(pk=model.pk)
    if model.problem or not identity or model.identity != identity:
        raise ChangedError
    _write(model, user, at=timezone.now(), by=user)
    calibrations.order(model, user)


@transaction.atomic
def withdraw(model: TrainedModel, user: Any) -> None:
    """Let nobody draw with a model any more."""
    _write(model, user, at=None, by=None)


def _write(model: TrainedModel, user: Any, *, at: Any, by: Any) -> None:
    model.registered_at, model.registered_by = at, by
    model.save(update_fields=["registered_at", "registered_by"])
    record(user, "model.registered" if at else "model.withdrawn", model, name=model.name, identity=model.identity)
