"""What is drawn anew from a picture that somebody likes? The same text by other seeds, or by another balance."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from bespoke.studio import jobs
from bespoke.studio.limits import BALANCES
from bespoke.studio.models import Edit, Job, Picture, TrainedModel

NUM_SEEDS = 4  # pictures of one click


class GoneError(Exception):
    """The model of the picture has changed, or this user may not draw with it any more."""


@transaction.atomic
def other_seeds(picture: Picture, user: Any, key: uuid.UUID) -> list[Job]:
    """Order more pictures of the same text, model and balance; of an edit, more edits of the same picture.

    Sent twice with one `key` it is one order. Raises GoneError, QueueFullError, BlockedError.
    """
    job, change = picture.job, Edit.objects.filter(job=picture.job_id).first()
    if change is not None:
        names = ("file", "sha256", "source", "strength", "mask")
        change = Edit(**{name: getattr(change, name) for name in names})
    asked = {"num_images": NUM_SEEDS, "balance": job.balance, "best_of": job.best_of}
    return [_enqueue(picture, user, key=key, seed=None, edit=change, **asked)]


@transaction.atomic
def other_balances(picture: Picture, user: Any, key: uuid.UUID) -> list[Job]:
    """Order the same text, model and seed with every balance of the preview that the picture has not.

    Sent twice with one `key` it is one order. Raises GoneError, QueueFullError, BlockedError.
    """
    others = [balance for balance in BALANCES if abs(balance - picture.job.balance) > 0.01]
    asked = {"seed": picture.seed, "num_images": 1, "best_of": 1}  # a picture's seed is that of the best one already
    return [_enqueue(picture, user, key=uuid.uuid5(key, str(each)), balance=each, **asked) for each in others]


def _enqueue(picture: Picture, user: Any, **asked: Any) -> Job:
    model: TrainedModel | None = TrainedModel.objects.open_to(user).filter(pk=picture.job.model_id).first()
    if model is None or picture.model_name != f"{model.name} {model.identity}":
        raise GoneError
    return jobs.enqueue(owner=user, model=model, text=picture.job.text, varies=picture, **asked)


def orders_of(picture: Picture) -> QuerySet[Job]:
    """What was ordered from a picture as its variation, the newest first."""
    return Job.objects.filter(varies=picture).prefetch_related("pictures").order_by("-created_at", "balance")


def edits_of(picture: Picture) -> QuerySet[Picture]:
    """Pictures that came out of edits of this picture's file."""
    return Picture.objects.filter(job__edit__sha256=picture.sha256).exclude(job__edit__sha256="")
