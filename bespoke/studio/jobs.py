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
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from bespoke.studio.limits import LARGEST_SEED, MOST_WAITING
from bespoke.studio.models import Job, Picture, TrainedModel, Worker

LEASE_SECONDS = 30.0  # how long a job of a killed worker lies still
MOST_ATTEMPTS = 3  # a job that kills its worker must not kill them all
LONGEST_SECONDS = 1800.0  # then a worker that hangs loses its job
ALIVE_SECONDS = 30.0  # since a worker was last seen


class QueueFullError(Exception):
    """So many jobs wait that another would wait too long."""


class LeaseLostError(Exception):
    """Somebody else has taken over the job; what was drawn is to be thrown away."""


def enqueue(*, owner: Any, model: TrainedModel, key: uuid.UUID | None = None, seed: int | None, **asked: Any) -> Job:
    """Put an order into the queue. `key` makes the same order sent twice one job. Raises QueueFullError."""
    key = key or uuid.uuid4()
    if found := Job.objects.filter(pk=key, owner=owner).first():
        return found
    if Job.objects.filter(state=Job.State.WAITING).count() >= MOST_WAITING:
        raise QueueFullError
    if seed is None:
        seed = random.SystemRandom().randrange(2**31)
    assert 0 <= seed <= LARGEST_SEED
    try:
        with transaction.atomic():
            return Job.objects.create(pk=key, owner=owner, model=model, seed=seed, **asked)
    except IntegrityError:  # sent twice at the same instant
        return Job.objects.get(pk=key, owner=owner)


def claim() -> Job | None:
    """Take the oldest job whose worker is gone, or else the oldest that waits; None where there is none."""
    now = timezone.now()
    # Two questions, not one with `or`: so each is answered from the index, however many jobs there are.
    for ready in (Q(state=Job.State.RUNNING, lease_until__lt=now), Q(state=Job.State.WAITING)):
        while (found := Job.objects.filter(ready).first()) is not None:
            mine = Job.objects.filter(ready, pk=found.pk, attempts=found.attempts)  # unless another was faster
            if found.attempts >= MOST_ATTEMPTS:
                told = f"stopped its worker {found.attempts} times"
                mine.update(state=Job.State.FAILED, lease=None, finished_at=now, error=told)
                continue
            lease, until = uuid.uuid4(), now + timedelta(seconds=LEASE_SECONDS)
            asked = {"state": Job.State.RUNNING, "lease": lease, "lease_until": until, "started_at": now}
            if mine.update(attempts=F("attempts") + 1, **asked):
                job = Job.objects.select_related("model").get(pk=found.pk)
                job.lease = lease  # whatever happened since: what is handed in is judged by this one
                return job
    return None


def _held(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, lease=job.lease, state=Job.State.RUNNING)


def renew(job: Job) -> bool:
    """Hold on to a job; False where it was lost."""
    return bool(_held(job).update(lease_until=timezone.now() + timedelta(seconds=LEASE_SECONDS)))


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
def finish(job: Job, pictures: Sequence[Picture], unknown_words: Sequence[str]) -> None:
    """Hand in what was drawn. Raises LeaseLostError, and then nothing has changed."""
    now = timezone.now()
    ended = {"state": Job.State.DONE, "lease": None, "finished_at": now, "unknown_words": list(unknown_words)}
    if not _held(job).update(**ended):
        raise LeaseLostError
    Picture.objects.bulk_create(pictures)


def fail(job: Job, error: str) -> None:
    """End a job that cannot be drawn, with a line that its owner can read."""
    _held(job).update(state=Job.State.FAILED, lease=None, finished_at=timezone.now(), error=error)


def release(job: Job) -> None:
    """Put a job back where a worker is asked to stop: it was not the job's fault."""
    _held(job).update(state=Job.State.WAITING, lease=None, lease_until=None, attempts=F("attempts") - 1)


def beat(worker: uuid.UUID) -> None:
    """Say that a worker is alive."""
    Worker.objects.update_or_create(pk=worker, defaults={"seen_at": timezone.now()})
    Worker.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()


def workers_alive() -> int:
    """How many workers were seen lately."""
    return Worker.objects.filter(seen_at__gte=timezone.now() - timedelta(seconds=ALIVE_SECONDS)).count()
