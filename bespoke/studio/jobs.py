"""How does an order become exactly one set of pictures, whoever is killed meanwhile? By a lease on the job's own row.

A worker takes a job by a conditional UPDATE, holds it while it renews its lease, and hands in pictures and the end of
the job in one transaction that asks for the same lease again. Who dies stops renewing, and another takes over; who
was only slow has lost the lease, and what it hands in is refused. No SKIP LOCKED, so SQLite and PostgreSQL are alike.

Why not an engine: of those that run on both databases, django-q2 and huey keep pickles, django-tasks-db leaves the jobs
of a killed worker as they are, and DBOS keeps them in tables of its own, outside the transaction of ours; procrastinate
knows PostgreSQL only.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any, TypeVar

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from bespoke.studio.audit import record
from bespoke.studio.limits import LARGEST_SEED, MOST_WAITING
from bespoke.studio.models import Edit, Job, Leased, Picture, TrainedModel, Worker
from bespoke.studio.policy.policy import refuse_blocked

LEASE_SECONDS = 25.0  # how long a job of a killed worker lies still, and 10 more where all are busy
MOST_ATTEMPTS = 3  # a job that kills its worker must not kill them all
LONGEST_SECONDS = 1800.0  # then a worker that hangs loses its job
ALIVE_SECONDS = 30.0  # since a worker was last seen
CANCELLED = "cancelled"  # the error of a job that ended so before it was begun


Work = TypeVar("Work", bound=Leased)


class QueueFullError(Exception):
    """So many jobs wait that another would wait too long."""


class LeaseLostError(Exception):
    """Somebody else has taken over the job; what was drawn is to be thrown away."""


def enqueue(
    *,
    owner: Any,
    model: TrainedModel,
    key: uuid.UUID | None = None,
    seed: int | None,
    edit: Edit | None = None,
    **asked: Any,
) -> Job:
    """Put an order into the queue; sent twice with one `key` it is one job. Raises QueueFullError, BlockedError.

    edit: what is to be changed, not saved yet; without it pictures are drawn.
    """
    refuse_blocked(asked["text"], owner)
    key = key or uuid.uuid4()
    if found := Job.objects.filter(pk=key, owner=owner).first():
        return found
    if Job.objects.filter(state=Job.State.WAITING, batch=None).count() >= MOST_WAITING:
        raise QueueFullError
    if seed is None:
        seed = random.SystemRandom().randrange(2**31)
    assert 0 <= seed <= LARGEST_SEED
    try:
        with transaction.atomic():
            job = Job.objects.create(pk=key, owner=owner, model=model, seed=seed, **asked)
            told = {"model": model.name, "identity": model.identity, "pictures": job.num_images}
            if job.varies_id is not None:
                told["varies"] = str(job.varies_id)
            if edit is not None:
                edit.job, told["edited_from"] = job, edit.sha256
                edit.save(force_insert=True)
            record(owner, "order.made", job, **told)
            return job
    except IntegrityError:  # sent twice at the same instant
        return Job.objects.get(pk=key, owner=owner)


def claim(queue: type[Work] = Job) -> Work | None:
    """Take the oldest job whose worker is gone, or else the oldest that waits; None where there is none."""
    now = timezone.now()
    waiting = (Q(state=Job.State.WAITING) & turn for turn in queue.turns)
    # Several questions, not one with `or`: so each is answered from the index, however many jobs there are.
    for ready in (Q(state=Job.State.RUNNING, lease_until__lt=now), *waiting):
        while (found := queue.objects.filter(ready).first()) is not None:
            mine = queue.objects.filter(ready, pk=found.pk, attempts=found.attempts)  # unless another was faster
            if found.attempts >= MOST_ATTEMPTS:
                told = f"stopped its worker {found.attempts} times"
                mine.update(state=Job.State.FAILED, lease=None, finished_at=now, error=told)
                continue
            lease, until = uuid.uuid4(), now + timedelta(seconds=LEASE_SECONDS)
            asked = {"state": Job.State.RUNNING, "lease": lease, "lease_until": until, "started_at": now}
            if mine.update(attempts=F("attempts") + 1, **asked):
                found.refresh_from_db()
                found.lease = lease  # whatever happened since: what is handed in is judged by this one
                return found
    return None


def _held(job: Leased) -> Any:
    return type(job).objects.filter(pk=job.pk, lease=job.lease, state=Job.State.RUNNING)


def renew(job: Leased, **told: Any) -> bool:
    """Hold on to a job, and say how far it is; False where it was lost."""
    return bool(_held(job).update(lease_until=timezone.now() + timedelta(seconds=LEASE_SECONDS), **told))


@contextmanager
def renewing(job: Job, worker: uuid.UUID) -> Iterator[None]:
    """Hold on to a job while it is drawn: a thread renews the lease, and dies with the process."""
    over = Event()

    def keep() -> None:
        rounds = int(LONGEST_SECONDS / LEASE_SECONDS * 3)
        try:
            while rounds and not over.wait(LEASE_SECONDS / 3) and renew(job):
                rounds -= 1
                beat(worker)
        finally:
            connection.close()  # of this thread

    keeper = Thread(target=keep, name=f"lease of {job.pk}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


@transaction.atomic
def finish(job: Job, pictures: Sequence[Picture], unknown_words: Sequence[str], edit: Edit | None = None) -> None:
    """Hand in what was drawn. Raises LeaseLostError, and then nothing has changed."""
    end(job, unknown_words=list(unknown_words))
    Picture.objects.bulk_create(pictures)
    if edit is not None:
        edit.save(update_fields=["new_words", "old_words"])


def end(job: Leased, **outcome: Any) -> None:
    """End a job that came out well. Raises LeaseLostError: then nothing that belongs to its end may be kept."""
    if not _held(job).update(state=Job.State.DONE, lease=None, finished_at=timezone.now(), **outcome):
        raise LeaseLostError


def fail(job: Leased, error: str, **outcome: Any) -> None:
    """End a job that cannot be done, with a line that its owner can read."""
    _held(job).update(state=Job.State.FAILED, lease=None, finished_at=timezone.now(), error=error, **outcome)


def cancel(queue: Any) -> int:
    """End jobs that nobody has begun; returns how many of the query `queue` they were."""
    waiting = queue.filter(state=Job.State.WAITING)
    return int(waiting.update(state=Job.State.FAILED, error=CANCELLED, finished_at=timezone.now()))


def release(job: Leased, *, counts: bool = False) -> None:
    """Put a job back where a worker is asked to stop; `counts` where it may be the job's own fault."""
    attempts = F("attempts") - (0 if counts else 1)
    _held(job).update(state=Job.State.WAITING, lease=None, lease_until=None, attempts=attempts)


def beat(worker: uuid.UUID, kind: str = Worker.Kind.ARTIST) -> None:
    """Say that a worker is alive."""
    Worker.objects.update_or_create(pk=worker, defaults={"seen_at": timezone.now(), "kind": kind})
    Worker.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()


def workers_alive(kind: str = Worker.Kind.ARTIST) -> int:
    """How many workers of a kind were seen lately."""
    return Worker.objects.filter(kind=kind, seen_at__gte=timezone.now() - timedelta(seconds=ALIVE_SECONDS)).count()
