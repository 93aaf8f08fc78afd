"""Which of two models draws better? The same texts and seeds, side by side, drawn by the usual queue."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import transaction

from bespoke.studio import jobs
from bespoke.studio.models import Job, TrainedModel
from bespoke.studio.workshop.models import Comparison

MOST_TEXTS = 8
SIDES = ("first", "second")


class Pair(NamedTuple):
    """One text, and the job of each model."""

    text: str
    first: Job | None
    second: Job | None


@transaction.atomic
def compare(
    key: uuid.UUID,
    user: Any,
    first: TrainedModel,
    second: TrainedModel,
    *,
    texts: Sequence[str],
    seed: int | None,
    balance: float,
) -> Comparison:
    """Order the pictures of a comparison; sent twice with the same key, it is still one. Raises QueueFullError."""
    if found := Comparison.objects.filter(pk=key, owner=user).first():
        return found
    seed = random.SystemRandom().randrange(2**31) if seed is None else seed
    made = Comparison.objects.create(
        pk=key, owner=user, first=first, second=second, texts=list(texts), seed=seed, balance=balance
    )
    for side, model in zip(SIDES, (first, second), strict=True):
        for number, text in enumerate(texts):
            jobs.enqueue(
                owner=user,
                model=model,
                key=_key(made, side, number),
                seed=seed + number,
                text=text,
                num_images=1,
                balance=balance,
                best_of=1,
                trial=True,
            )
    return made


def pairs(comparison: Comparison) -> list[Pair]:
    """What has become of each text."""
    keys = [[_key(comparison, side, number) for side in SIDES] for number in range(len(comparison.texts))]
    found = Job.objects.prefetch_related("pictures").in_bulk([key for both in keys for key in both])
    return [Pair(text, *(found.get(key) for key in both)) for text, both in zip(comparison.texts, keys, strict=True)]


def _key(comparison: Comparison, side: str, number: int) -> uuid.UUID:
    return uuid.uuid5(comparison.pk, f"{side} {number}")
