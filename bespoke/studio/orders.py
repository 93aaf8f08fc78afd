"""How does what somebody asked for become an order, and the next round of a request where it revises a picture?"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from bespoke.studio import jobs
from bespoke.studio.access import roles_of
from bespoke.studio.audit import record
from bespoke.studio.models import Edit, Job
from bespoke.studio.opening import Original, discard_unless_used, opened
from bespoke.studio.review.models import Proposal
from bespoke.studio.review.review import open_round


@transaction.atomic
def draw(user: Any, *, revises: Proposal | None = None, **asked: Any) -> Job:
    """Order pictures of a text. Raises QueueFullError, BlockedError."""
    job = jobs.enqueue(owner=user, **asked)
    if revises is not None:
        open_round(revises, job)
    return job


def edit(
    user: Any,
    picture: Any | Original,
    mask: Any = None,
    *,
    source: str,
    strength: float,
    revises: Proposal | None = None,
    **asked: Any,
) -> Job:
    """Order the change of a picture: an uploaded file, or one that the storage has, within the uploaded `mask`.

    Raises UnusableError, BusyError, QueueFullError, BlockedError.
    """
    with opened(picture, mask) as original, transaction.atomic():
        files = {"file": original.file, "sha256": original.sha256, "mask": original.mask}
        change = Edit(source=source.strip(), strength=strength, **files)
        job = draw(user, revises=revises, balance=0.0, best_of=1, edit=change, **asked)
    discard_unless_used(original)
    return job


@transaction.atomic
def cancel(job: Job, user: Any) -> bool:
    """End an order that nobody has begun to draw; False where somebody has. Raises PermissionDenied.

    Of one's own, unless an administrator asks.
    """
    if job.owner_id != user.pk and "administrator" not in roles_of(user):
        raise PermissionDenied
    if not jobs.cancel(Job.objects.filter(pk=job.pk)):
        return False
    record(user, "order.cancelled", job)
    return True
