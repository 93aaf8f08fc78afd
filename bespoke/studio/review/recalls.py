"""A picture must not be used any more: what else is like it, and where did it all go?"""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from bespoke.studio.access import roles_of
from bespoke.studio.audit import record
from bespoke.studio.exports.models import Exported
from bespoke.studio.models import Picture
from bespoke.studio.review import states
from bespoke.studio.review.models import Proposal, Recall, Recalled
from bespoke.studio.review.review import move

LIKE = ("picture", "made", "model", "text", "both")  # what the others share with it


def like(picture: Picture, by: str) -> QuerySet[Picture]:
    """The picture, and all that were made from it, by the same weights, from the same text, or by the last two."""
    found = Picture.objects.all()
    if by == "picture":
        return found.filter(pk=picture.pk)
    if by == "made":
        return found.filter(pk__in=_descendants(picture))
    if by in ("model", "both"):
        found = found.filter(model_name=picture.model_name)
    if by in ("text", "both"):
        found = found.filter(job__text=picture.job.text)
    return found


def _descendants(picture: Picture) -> set[uuid.UUID]:
    """The picture, its edits and variations, theirs, and so on, also of a file that was exported and sent in again."""
    known, fresh = set(), {picture.pk}
    while fresh:
        known |= fresh
        files = Picture.objects.filter(pk__in=fresh).exclude(sha256="").values("sha256")
        gone = Exported.objects.filter(picture__in=fresh).values("sha256")
        edited = Q(job__edit__sha256__in=files) | Q(job__edit__sha256__in=gone)
        found = Picture.objects.filter(edited | Q(job__varies__in=fresh)).values_list("pk", flat=True)
        fresh = set(found) - known
    return known


def exports_of(picture: Picture, by: str) -> QuerySet[Exported]:
    """Where the picture and all that is like it went, the newest export first."""
    found = Exported.objects.filter(picture__in=like(picture, by)).select_related("export", "export__by")
    return found.order_by("-export__at", "pk")


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
