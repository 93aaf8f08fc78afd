from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from bespoke.studio import jobs
from bespoke.studio.limits import LARGEST_SEED, MOST_WAITING, text_problem
from bespoke.studio.models import Job, Picture, TrainedModel

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def owner(database: None) -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def model(database: None) -> TrainedModel:
    return TrainedModel.objects.create(name="mugs", identity="abc", stamp="1", registered_at=timezone.now())


def order(owner: User, model: TrainedModel, **changed: object) -> Job:
    asked = {"text": "a cup", "num_images": 1, "balance": 0.5, "seed": None, "best_of": 1}
    return jobs.enqueue(owner=owner, model=model, **(asked | changed))


def picture(job: Job, number: int = 0) -> Picture:
    return Picture(job=job, number=number, file="a.png", sha256="0", seed=1, alignment=0, model_name="mugs abc")


def let_lease_run_out(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_the_oldest_job_comes_first_and_nobody_gets_it_twice(owner: User, model: TrainedModel) -> None:
    made = [order(owner, model) for _ in range(3)]
    taken = [jobs.claim() for _ in range(4)]
    assert [job.pk if job else None for job in taken] == [*(job.pk for job in made), None]


def test_a_seed_is_drawn_once_so_that_a_second_try_is_the_same(owner: User, model: TrainedModel) -> None:
    job = order(owner, model)
    assert 0 <= job.seed < 2**31
    first = jobs.claim()
    let_lease_run_out(job)
    second = jobs.claim()
    assert first is not None
    assert second is not None
    assert (second.pk, second.seed, second.attempts) == (first.pk, first.seed, 2)
    assert second.lease != first.lease


def test_an_order_sent_twice_is_one_job(owner: User, model: TrainedModel) -> None:
    first = order(owner, model)
    assert order(owner, model, key=first.pk).pk == first.pk
    assert Job.objects.count() == 1


def test_who_has_lost_the_lease_can_neither_hand_in_nor_fail_nor_put_back(owner: User, model: TrainedModel) -> None:
    job = order(owner, model)
    slow = jobs.claim()
    let_lease_run_out(job)
    quick = jobs.claim()
    assert slow is not None
    assert quick is not None
    assert not jobs.renew(slow)
    with pytest.raises(jobs.LeaseLostError):
        jobs.finish(slow, [picture(slow)], [])
    jobs.fail(slow, "no")
    jobs.release(slow)
    assert jobs.renew(quick)
    jobs.finish(quick, [picture(quick)], ["zebra"])
    job.refresh_from_db()
    assert (job.state, job.unknown_words, job.pictures.count()) == ("done", ["zebra"], 1)
    with pytest.raises(jobs.LeaseLostError):
        jobs.finish(quick, [picture(quick)], [])
    assert Picture.objects.count() == 1


def test_the_database_itself_refuses_a_second_result(owner: User, model: TrainedModel) -> None:
    job = order(owner, model)
    picture(job).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        picture(job).save()


def test_handing_in_is_all_or_nothing(owner: User, model: TrainedModel) -> None:
    order(owner, model, num_images=2)
    job = jobs.claim()
    assert job is not None
    with pytest.raises(IntegrityError):
        jobs.finish(job, [picture(job, 0), picture(job, 0)], [])
    job.refresh_from_db()
    assert (job.state, job.pictures.count()) == ("running", 0)


def test_a_job_that_kills_its_workers_fails_in_the_end(owner: User, model: TrainedModel) -> None:
    job = order(owner, model)
    for _ in range(jobs.MOST_ATTEMPTS):
        assert jobs.claim() is not None
        let_lease_run_out(job)
    assert jobs.claim() is None
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "stopped its worker 3 times")


def test_a_job_put_back_by_a_worker_that_stops_has_lost_no_attempt(owner: User, model: TrainedModel) -> None:
    job = order(owner, model)
    taken = jobs.claim()
    assert taken is not None
    jobs.release(taken)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.lease) == ("waiting", 0, None)


def test_the_queue_has_an_end(owner: User, model: TrainedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_WAITING", 2)
    assert MOST_WAITING == 100
    first, _ = order(owner, model), order(owner, model)
    with pytest.raises(jobs.QueueFullError):
        order(owner, model)
    assert order(owner, model, key=first.pk).pk == first.pk


def test_texts_that_no_database_holds_are_found() -> None:
    assert text_problem("赤いカップ") == ""
    assert [bool(text_problem(text)) for text in ("", " \n", "a\0b", "a\ud800b", "a" * 1001)] == [True] * 5


def test_the_largest_seed_is_that_of_the_pipeline() -> None:
    from bespoke.pipeline import LARGEST_SEED as OF_PIPELINE

    assert LARGEST_SEED == OF_PIPELINE


# What follows happens in processes of its own, on both databases. The first forks workers and kills them, at chance.

KILL = """
import os, random, signal, sys, time; import django; django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.models import Count
from bespoke.studio import jobs; from bespoke.studio.models import Job, Picture, TrainedModel

jobs.LEASE_SECONDS, jobs.MOST_ATTEMPTS, jobs.MOST_WAITING = 1.0, 1000, 10**6
NUM_JOBS, NUM_KILLS = int(sys.argv[1]), int(sys.argv[2])

def work():
    while True:
        job = jobs.claim()
        if job is None:
            time.sleep(0.02); continue
        time.sleep(random.uniform(0, 0.02))
        made = [Picture(job=job, number=n, file="a", sha256=str(job.lease), seed=n, alignment=0, model_name="m")
                for n in range(job.num_images)]
        try:
            jobs.finish(job, made, [])
        except jobs.LeaseLostError:
            pass

def start():
    connection.close()  # no process may use another's
    if child := os.fork():
        return child
    try:
        work()
    finally:
        os._exit(1)

def end(child):
    os.kill(child, signal.SIGKILL); return os.waitpid(child, 0)[1]

call_command("migrate", verbosity=0)
owner, model = User.objects.create_user("ada"), TrainedModel.objects.create(name="m", stamp="1")
for n in range(NUM_JOBS):
    jobs.enqueue(owner=owner, model=model, text="a", num_images=2, balance=0, seed=n, best_of=1)
workers, killed = [start(), start(), start()], 0
for kill in range(NUM_KILLS):
    time.sleep(random.uniform(0, 0.1))
    killed += end(workers[kill % 3]) == signal.SIGKILL  # and not by an error of its own
    workers[kill % 3] = start()
while Job.objects.exclude(state="done").exists():
    time.sleep(0.1)
killed += sum(end(worker) == signal.SIGKILL for worker in workers)
# One lease made all pictures of a job: none is of two workers.
whole = Job.objects.annotate(n=Count("pictures"), leases=Count("pictures__sha256", distinct=True)).filter(n=2, leases=1)
print(whole.count(), Picture.objects.count(), killed, Job.objects.filter(attempts__gt=1).count())
"""


def kill_workers(env: dict[str, str], num_jobs: int, num_kills: int) -> list[int]:
    """Jobs with one whole result, pictures, workers killed, jobs that were tried again."""
    asked = [sys.executable, "-c", KILL, str(num_jobs), str(num_kills)]
    ended = subprocess.run(asked, env=env, capture_output=True, text=True, timeout=60 + num_jobs)
    assert ended.returncode == 0, ended.stderr
    return [int(word) for word in ended.stdout.split()]


def test_killed_workers_lose_no_job_and_leave_no_second_result(elsewhere: dict[str, str]) -> None:
    whole, pictures, killed, again = kill_workers(elsewhere, num_jobs=100, num_kills=20)
    assert (whole, pictures, killed) == (100, 200, 23)
    assert again > 0


@pytest.mark.slow
def test_many_killed_workers_lose_no_job_and_leave_no_second_result(elsewhere: dict[str, str]) -> None:
    whole, pictures, killed, again = kill_workers(elsewhere, num_jobs=2000, num_kills=300)
    assert (whole, pictures, killed) == (2000, 4000, 303)
    assert again > 50


@pytest.mark.slow
def test_pages_api_and_worker_are_the_same_on_postgresql(postgresql: str) -> None:
    names = ("access", "api", "api_resources", "audit", "calibrations", "door", "exports", "jobs", "kpi", "pages")
    names += ("people", "policy", "review", "review_pages", "worker")
    names += tuple(f"workshop_{part}" for part in ("catalogues", "models", "pages", "training"))
    files = [str(Path(__file__).with_name(f"test_{name}.py")) for name in names]
    asked = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not killed", *files]
    env = os.environ | {"BESPOKE_TEST_DATABASE": postgresql}
    ended = subprocess.run(asked, env=env, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-3000:]
