"""A picture must not be used any more: what else is like it, and where did it all go?"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from bespoke.studio.access import roles_of
from bespoke.studio.audit import record
from bespoke.studio.models import Picture
from bespoke.studio.review import states
from bespoke.studio.review.models import Proposal, Recall, Recalled
from bespoke.studio.review.review import move

LIKE = ("picture", "model", "text", "both")  # what the others share with it


def like(picture: Picture, by: str) -> QuerySet[Picture]:
    """The picture, and all that were made by the same weights, from the same text, or by both."""
    found = Picture.objects.all()
    if by == "picture":
        return found.filter(pk=picture.pk)
    if by in ("model", "both"):
        found = found.filter(model_name=picture.model_name)
    if by in ("text", "both"):
        found = found.filter(job__text=picture.job.text)
    return found


@transaction.atomic
def recall(pictures: QuerySet[Picture], user: Any, reason: str) -> Recall | None:
    """Withdraw pictures, wherever in the review they are; None where all were before. Raises PermissionDenied."""
    if not states.MOVES["recall"].roles & roles_of(user):
        raise PermissionDenied
    keys = list(pictures.filter(recalled=None).values_list("pk", flat=True))
    if not keys:
        return None
    made = Recall.objects.create(at=timezone.now(), by=user, reason=reason)
    Recalled.objects.bulk_create([Recalled(picture_id=key, recall=made) for key in keys], batch_size=500)
    open_ones = Proposal.objects.filter(picture__recalled__recall=made, state__in=states.MOVES["recall"].sources)
    moved = list(open_ones.values_list("pk", "turn"))
    for key, turn in moved:
        move(key, "recall", user, turn=turn, note=reason)
    record(user, "recall.made", made, pictures=len(keys), proposals=len(moved), why=reason)
    return made
