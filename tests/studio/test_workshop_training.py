"""Trainings: how they are asked for, done by real processes, stopped, resumed, and taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from PIL import Image

from bespoke.studio import jobs
from bespoke.studio.audit.models import Entry
from bespoke.studio.models import TrainedModel, Worker
from bespoke.studio.workshop import runs, training, work, worker
from bespoke.studio.workshop.models import Check, Training, Version
from bespoke.studio.workshop.told import tell_alarm, tell_minutes
from bespoke.training.alarms import ALARMS
from bespoke.training.plan import claimed

Visitor = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _no_run_stays() -> Iterator[None]:
    yield
    for run in settings.HOME.models.glob("cups-v1*"):
        for path in sorted(run.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        run.rmdir()


def started(version: Version, **changed: Any) -> Training:
    asked: dict[str, Any] = {"minutes": 15.0, "base": None, "preset": "test32"} | changed
    return training.start(version, version.created_by, **asked)


def write_metrics(run: Path, *rows: dict[str, float]) -> None:
    run.mkdir(exist_ok=True)
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def row(seconds: float, **numbers: float) -> dict[str, float]:
    return {"step": 1, "images": int(seconds), "seconds": seconds, **numbers}


def test_a_training_freezes_its_version_and_gets_a_name_that_nobody_has(version: Version) -> None:
    TrainedModel.objects.create(name="cups-v1-2", stamp="1")
    made = [started(version), started(version)]
    assert [each.run for each in made] == ["cups-v1", "cups-v1-3"]
    version.refresh_from_db()
    assert version.frozen_at is not None
    told = Entry.objects.get(action="training.started", subject=f"training {made[0].pk}").told
    assert told["fingerprint"] == version.fingerprint


@pytest.mark.parametrize(
    ("asked", "minutes"), [({"time": "look"}, 15), ({"time": "night"}, 480), ({}, 15), ({"minutes": "2.5"}, 2.5)]
)
def test_three_choices_of_time_and_any_other(
    asked: dict[str, str], minutes: float, visitor: Visitor, version: Version
) -> None:
    answer = visitor("creator").post(f"/catalogues/{version.pk}/train", asked)
    made = Training.objects.get()
    assert answer["Location"] == f"/trainings/{made.pk}"
    assert (made.minutes, made.preset, made.base) == (minutes, "", None)


def test_a_base_comes_with_its_own_form(visitor: Visitor, version: Version) -> None:
    base = TrainedModel.objects.create(name="mugs", identity="abc", stamp="1", registered_at=timezone.now())
    client, address = visitor("creator"), f"/catalogues/{version.pk}/train"
    answer = client.post(address, {"base": base.pk, "preset": "cpu64"})
    assert answer.status_code == 422
    assert "keeps the form of what it starts from" in answer.content.decode()
    for wrong in ({"minutes": "0"}, {"minutes": "nan"}, {"time": "ever"}, {"preset": "huge"}, {"base": "99"}):
        assert client.post(address, wrong).status_code == 422, wrong
    assert not Training.objects.exists()
    client.post(address, {"base": base.pk})
    command = work.Train(Training.objects.get()).command()
    assert command[-3:-1] == ["--from", str(settings.HOME.models / "mugs")] or "--from" in command
    assert "--preset" not in command


def test_the_command_is_that_of_the_command_line_and_resumes_what_was_begun(version: Version) -> None:
    made = started(version)
    fresh = work.Train(made).command()
    assert fresh[1:] == [
        *("-m", "bespoke", "train", str(version.path), "--out", str(made.path), "--minutes", "15.0", "--skip-bad"),
        *("--preset", "test32"),
    ]
    made.path.mkdir()
    (made.path / "config.json").write_text("{}")
    assert work.Train(made).command()[-1] == "--resume"


def test_a_run_that_a_process_still_has_is_waited_for_and_that_process_asked_to_leave(version: Version) -> None:
    made = started(version)
    hold = "import signal, sys, time; from pathlib import Path; from bespoke.training.plan import claimed\n"
    hold += "with claimed(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    orphan = subprocess.Popen([sys.executable, "-c", hold, str(made.path)], stdout=subprocess.PIPE, text=True)
    assert orphan.stdout is not None
    assert orphan.stdout.readline() == "held\n"
    made.pid = orphan.pid
    task = work.Train(made)
    with pytest.raises(work.NotYetError):
        task.command()
    assert orphan.wait(60) == -signal.SIGTERM
    orphan.stdout.close()
    assert task.command()


def test_a_stranger_s_process_with_the_same_number_is_left_alone(version: Version) -> None:
    """The number of an orphan may belong to another process by now; only a held run makes it ours."""
    made = started(version)
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    made.pid = other.pid
    work.Train(made).command()
    assert other.poll() is None
    other.kill()
    other.wait()


def test_stopping_and_resuming_ask_once_and_only_where_there_is_something_to_do(version: Version) -> None:
    made, user = started(version), version.created_by
    training.resume(made, user)  # it waits already
    for _ in range(2):
        training.stop(made, user)
    made.refresh_from_db()
    assert made.stopping
    Training.objects.update(state="done", share=0.4)
    training.resume(made, user)
    made.refresh_from_db()
    assert (made.state, made.stopping, made.attempts) == ("waiting", False, 0)
    Training.objects.update(state="done", share=1)
    training.resume(made, user)
    made.refresh_from_db()
    assert made.state == "done"
    actions = [entry.action for entry in Entry.objects.filter(subject=f"training {made.pk}").order_by("number")]
    assert actions == ["training.started", "training.stopping", "training.resumed"]


def test_the_page_shows_how_far_it_is_what_it_draws_and_what_is_wrong(visitor: Visitor, version: Version) -> None:
    made, client = started(version), visitor("creator")
    address = f"/trainings/{made.pk}"
    assert "The workshop's process is not running" in client.get(address).content.decode()
    jobs.beat(uuid.uuid4(), Worker.Kind.WORKSHOP)
    Training.objects.update(state="running")
    assert "Reading the catalogue" in client.get(address).content.decode()
    good = {"caption_sensitivity": 1.0, "top1_validation": 0.5}
    rows = [row(100, **{"discriminator/sentence": 2.0}), row(200, **{"discriminator/sentence": 1.5})]
    write_metrics(made.path, *rows)
    page = client.get(f"{address}/state").content.decode()
    assert "22% · 12 minutes left · 200 pictures shown" in page
    assert "<polyline" in page
    assert "style=" not in page  # the page's policy would refuse it
    write_metrics(made.path, *rows, row(300, **good), row(450, **good | {"caption_sensitivity": 0.01}))
    sheet = made.path / "samples" / "000000450.png"
    sheet.parent.mkdir()
    Image.new("RGB", (4, 4)).save(sheet)
    (sheet.parent / "captions.txt").write_text("a <red> cup\n")
    page = client.get(f"{address}/state").content.decode()
    assert "The pictures hardly follow the captions" in page
    assert "a &lt;red&gt; cup" in page
    assert client.get(f"{address}/sheet")["Content-Type"] == "image/png"
    Training.objects.update(state="failed", error="models/cups-v1: no space left")
    page = client.get(address).content.decode()
    assert "no space left" in page
    assert "Go on" in page
    assert "data-poll" not in page


def test_where_too_few_pictures_are_kept_out_the_page_plots_how_the_loss_falls(
    visitor: Visitor, version: Version
) -> None:
    made = started(version)
    Training.objects.update(state="running")
    rows = [row(100, **{"discriminator/sentence": 2.0}), row(200, **{"discriminator/sentence": 1.5})]
    write_metrics(made.path, *rows, row(300, caption_sensitivity=1.0), row(400, caption_sensitivity=1.0))
    page = visitor("creator").get(f"/trainings/{made.pk}/state").content.decode()
    assert "What it gets wrong in matching pictures and captions" in page
    assert "How well it tells captions apart" not in page


def test_what_is_being_written_or_is_no_number_breaks_no_page(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "images": 8, "seconds": 3, "caption_sensitivity": null}\n{"st')
    progress = runs.read_progress(tmp_path)
    assert (progress.images, progress.seconds, len(progress.validations), progress.alarms) == (8, 3, 1, [])
    assert runs.read_progress(tmp_path / "none").images == 0


def test_every_alarm_has_words_for_people_who_change_no_settings() -> None:
    for alarm in ALARMS:
        assert "loss." not in tell_alarm(alarm.name)
    assert [tell_minutes(minutes) for minutes in (0.2, 12.3, 300)] == ["about a minute", "12 minutes", "5 hours"]


# The worker itself, with processes of the simplest kind.


class Sleep(work.DoCheck):
    """Work that does what the test says, and leaves a report."""

    code: ClassVar[str] = ""

    def command(self) -> list[str]:
        return [sys.executable, "-c", self.code, str(self.out)]


REPORT = """
import json, sys; from pathlib import Path
out = Path(sys.argv[1]); out.mkdir(); (out / "report.json").write_text(json.dumps({"verdict": "go"}))
"""


def finish(desk: worker.Desk, ticks: int = 1200) -> None:
    """Let the desk work until it is free."""
    for _ in range(ticks):
        desk.tick()
        if desk.work is None:
            return
        time.sleep(0.05)
    raise AssertionError("still at work")


@pytest.fixture
def check(version: Version) -> Check:
    made: Check = Check.objects.create(owner=version.created_by, version=version, fingerprint=version.fingerprint)
    return made


def test_work_is_done_and_handed_in(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sleep, "code", REPORT)
    finish(worker.Desk((Sleep,)))
    check.refresh_from_db()
    assert (check.state, check.verdict) == ("done", "go")
    assert (check.path / "report.json").exists()
    assert not list(settings.HOME.reports.glob(".check-*"))


def test_a_user_s_mistake_is_told_without_the_machine_s_folders(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    told = f"bespoke: {settings.HOME.catalogues / 'cups-v1'}: no captions found; add some"
    monkeypatch.setattr(Sleep, "code", f"import sys; print({told!r}, file=sys.stderr); sys.exit(2)")
    finish(worker.Desk((Sleep,)))
    check.refresh_from_db()
    assert (check.state, check.error) == ("failed", "catalogues/cups-v1: no captions found; add some")


def test_work_whose_process_dies_is_tried_again_and_given_up_in_the_end(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sleep, "code", "import os; os.kill(os.getpid(), 9)")
    desk = worker.Desk((Sleep,))
    for _ in range(jobs.MOST_ATTEMPTS):
        finish(desk)
    desk.tick()
    check.refresh_from_db()
    assert (check.state, check.attempts) == ("failed", 3)


def test_who_has_lost_the_lease_hands_nothing_in_and_ends_its_process(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sleep, "code", "import time; time.sleep(600)")
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.0)
    desk = worker.Desk((Sleep,))
    desk.tick()
    process = desk._process
    assert process is not None
    Check.objects.update(lease=uuid.uuid4())
    desk.tick()
    assert desk.work is None
    assert process.wait(60) == -signal.SIGTERM
    assert Check.objects.get().state == "running"  # for the other


def test_a_studio_that_stops_puts_its_work_back(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sleep, "code", "import time; time.sleep(600)")
    desk = worker.Desk((Sleep,))
    desk.tick()
    desk.ask_all_to_stop()
    desk.put_back(time.monotonic() + 60)
    check.refresh_from_db()
    assert (check.state, check.attempts, check.lease) == ("waiting", 0, None)


class Slow(work.Train):
    """A training that only waits, saves when it is asked to, and is at 40%."""

    def command(self) -> list[str]:
        if runs.is_taken(self.row.path):
            raise work.NotYetError
        code = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(130))\nprint('up')\ntime.sleep(600)"
        return [sys.executable, "-u", "-c", code]


def test_a_training_is_stopped_by_a_click_and_keeps_how_far_it_came(
    version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.0)
    made = started(version, minutes=10)
    write_metrics(made.path, row(240))
    desk = worker.Desk((Slow,))
    desk.tick()
    deadline = time.monotonic() + 60
    while b"up" not in desk._last_words().encode():  # type: ignore[union-attr]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    training.stop(made, version.created_by)
    finish(desk)
    made.refresh_from_db()
    assert (made.state, made.share, made.stopping, made.resumable) == ("done", 0.4, False, True)
    assert Entry.objects.latest("number").told == {"run": "cups-v1", "share": 0.4}


def test_a_training_that_gets_on_is_not_given_up_however_often_its_worker_dies(
    version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_SECONDS", 0.0)
    made = started(version, minutes=10)
    for number in range(1, 6):
        write_metrics(made.path, row(60.0 * number))
        row_of = jobs.claim(Training)
        assert row_of is not None
        assert row_of.attempts <= 2
        jobs.renew(row_of, **Slow(row_of).look())
        Training.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    made.refresh_from_db()
    assert made.share == 0.5


def test_a_training_stopped_before_it_began_ends_at_once(version: Version) -> None:
    made = started(version)
    training.stop(made, version.created_by)
    desk = worker.Desk((Slow,))
    finish(desk)
    made.refresh_from_db()
    assert (made.state, made.share) == ("done", 0)


def test_a_worker_beats_and_ends_when_it_is_asked_to(database: None) -> None:
    stop = Event()
    stop.set()
    worker.work(stop)
    assert jobs.workers_alive(Worker.Kind.WORKSHOP) == 0
    jobs.beat(uuid.uuid4(), Worker.Kind.WORKSHOP)
    assert jobs.workers_alive(Worker.Kind.WORKSHOP) == 1
    assert jobs.workers_alive() == 0  # nobody draws, so the studio is not ready


def test_nothing_is_taken_while_a_run_is_free(tmp_path: Path) -> None:
    assert not runs.is_taken(tmp_path / "none")
    with claimed(tmp_path / "run"):
        assert os.path.isdir(tmp_path / "run")  # noqa: PTH112
    assert not runs.is_taken(tmp_path / "run")
