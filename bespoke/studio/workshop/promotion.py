"""Which model is offered first, who may use which, and how does one go back?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from bespoke.studio.audit import record
from bespoke.studio.models import TrainedModel
from bespoke.studio.workshop.models import Evaluation, Promotion


class NotAllowedError(Exception):
    """The model has not passed its gates, or may not be used at all."""


def passing(model: TrainedModel) -> Evaluation | None:
    """The newest evaluation of these very weights, where it passed all gates on pictures kept out of training."""
    done = Evaluation.objects.filter(model=model, identity=model.identity, state=Evaluation.State.DONE)
    newest = done.exclude(split="train").order_by("created_at").last()
    return newest if newest is not None and newest.passed else None


@transaction.atomic
def promote(model: TrainedModel, user: Any, *, reason: str = "") -> Promotion:
    """Offer a model first: because it passed its gates, or for a reason. Raises NotAllowedError."""
    model = TrainedModel.objects.select_for_update().get(pk=model.pk)
    evaluation = passing(model)
    if not model.usable or (evaluation is None and not reason.strip()):
        raise NotAllowedError
    made = _put_first(model, user, evaluation=evaluation, reason="" if evaluation else reason.strip())
    told = {"name": model.name, "identity": model.identity, "promotion": made.pk}
    record(user, "model.promoted" if evaluation else "model.overridden", model, **told)
    return made


@transaction.atomic
def roll_back(user: Any) -> Promotion:
    """Offer the model first that was before. Raises NotAllowedError where there is none that can be used."""
    before = previous()
    if before is None:
        raise NotAllowedError
    made = _put_first(before, user, back=True)
    told = {"name": before.name, "identity": before.identity, "promotion": made.pk}
    record(user, "model.rolled_back", before, **told)
    return made


def current() -> TrainedModel | None:
    """The model that is offered first to everybody who may use it."""
    usable = TrainedModel.objects.filter(registered_at__isnull=False, problem="", promoted_at__isnull=False)
    return usable.order_by("promoted_at").last()


def previous() -> TrainedModel | None:
    """What was first before; going back twice does not lead forward again."""
    now = current()
    stack: list[tuple[int, str]] = []
    for row in Promotion.objects.order_by("at", "pk").values("model_id", "identity", "back"):
        if row["back"]:
            while stack and stack[-1] != (row["model_id"], row["identity"]):
                stack.pop()
        else:
            stack.append((row["model_id"], row["identity"]))
    for key, identity in reversed(stack):
        found = TrainedModel.objects.filter(pk=key, identity=identity).first()
        if found is not None and found.usable and found != now:
            return found
    return None


def _put_first(model: TrainedModel, user: Any, **told: Any) -> Promotion:
    model.promoted_at = timezone.now()
    model.save(update_fields=["promoted_at"])
    return Promotion.objects.create(model=model, identity=model.identity, by=user, **told)


@transaction.atomic
def limit(model: TrainedModel, user: Any, users: Sequence[Any] | None) -> None:
    """Let only these users (and administrators) draw with a model; None lets everybody."""
    model.limited = users is not None
    model.save(update_fields=["limited"])
    model.users.set(users or [])
    record(user, "model.audience", model, name=model.name, users=sorted(each.pk for each in users or []) or "all")
