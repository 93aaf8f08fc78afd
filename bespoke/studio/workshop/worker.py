"""Who works in the workshop? A process beside the web server that runs one training and one other work at a time."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import tempfile
import time
import uuid
from threading import Event
from typing import IO

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from bespoke.errors import UserError
from bespoke.studio import jobs
from bespoke.studio.models import Worker
from bespoke.studio.workshop import catalogues
from bespoke.studio.workshop.work import KINDS, NotYetError, Train, Work

LOG = logging.getLogger("bespoke.workshop")
TICK_SECONDS, LOOK_SECONDS, BEAT_SECONDS = 0.7, 3.0, 5.0
STOP_SECONDS = 25.0  # that processes get to save; the launcher waits a little longer for us
MISTAKE, STOPPED = 2, 130  # exit codes of our commands
TOLD_BYTES = 4000  # of what a process said last, for the log


class Desk:
    """A place for one work at a time: its row in the queue, leased, and the process that does it."""

    def __init__(self, kinds: tuple[type[Work], ...]) -> None:
        self.kinds = kinds
        self.work: Work | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._next_look = 0.0

    def tick(self) -> None:
        """Take work, start it, hold on to it, hand it in."""
        if self.work is None:
            self._claim()
        if self.work is None:
            return
        try:
            self._go_on(self.work)
        except jobs.LeaseLostError:
            LOG.warning("lease lost, work thrown away", extra=self._told())
            self._leave()
        except UserError as error:
            self._fail(str(error))
        except DatabaseError:  # not the work's fault; when the lease has run out, whoever comes next goes on
            raise
        except Exception:
            LOG.exception("work failed", extra=self._told())
            self._fail(f"could not be done; the log says why under {self.work.row.pk}")

    def _claim(self) -> None:
        for kind in self.kinds:
            if (row := jobs.claim(kind.queue)) is not None:
                self.work, self._next_look = kind(row), 0.0
                LOG.info("work begun", extra=self._told())
                return

    def _go_on(self, work: Work) -> None:
        now = time.monotonic()
        if now >= self._next_look:
            if not jobs.renew(work.row, **work.look()):
                raise jobs.LeaseLostError
            work.row.refresh_from_db(fields=_asked_of(work))
            self._next_look = now + LOOK_SECONDS
        if self._process is None:
            self._start(work)
        elif (code := self._process.poll()) is not None:
            self._ended(work, code)
        elif isinstance(work, Train) and work.row.stopping:
            self._ask_to_stop()

    def _start(self, work: Work) -> None:
        if isinstance(work, Train) and work.row.stopping:
            work.end(work.row.share)  # before it began
            self._leave()
            return
        try:
            command = work.command()
        except NotYetError:
            return
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
        # A session of its own, so that no signal to us reaches it; web server and drawing go first.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
            preexec_fn=lambda: os.nice(15),
        )
        self._asked = False
        if isinstance(work, Train):
            jobs.renew(work.row, pid=self._process.pid)

    def _ask_to_stop(self) -> None:
        if self._process is not None and not self._asked:  # a second time would cut it short
            self._asked = True
            self._process.terminate()

    def _ended(self, work: Work, code: int) -> None:
        assert self._said is not None
        said = self._last_words()
        if code == 0:
            work.hand_in()
        elif code == MISTAKE and (found := re.search(r"^bespoke: (.+)$", said, re.MULTILINE)):
            if not work.mend(found[1]):
                raise UserError(_without_place(found[1]))
            LOG.info("work begun again", extra=self._told() | {"reason": found[1]})
            self._said.close()
            self._process = self._said = None
            return
        elif code in (STOPPED, -signal.SIGTERM) and isinstance(work, Train) and work.row.stopping:
            work.end(work.look()["share"])
        else:
            LOG.warning("process died", extra=self._told() | {"code": code, "said": said})
            jobs.release(work.row, counts=True)
            self._leave(over=False)
            return
        LOG.info("work done", extra=self._told() | {"code": code})
        self._leave()

    def _last_words(self) -> str:
        assert self._said is not None
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - TOLD_BYTES))
        return self._said.read().decode("utf-8", "replace")

    def _fail(self, told: str) -> None:
        assert self.work is not None
        LOG.warning("work failed", extra=self._told() | {"reason": told})
        jobs.fail(self.work.row, told)
        self._leave()

    def _leave(self, *, over: bool = True) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        if self._said is not None:
            self._said.close()
        if over and self.work is not None:
            self.work.clean()
        self.work = self._process = self._said = None

    def ask_all_to_stop(self) -> None:
        """The studio stops: a training saves, other work is broken off."""
        if self._process is not None and self._process.poll() is None:
            if isinstance(self.work, Train):
                self._ask_to_stop()
            else:
                self._process.kill()

    def put_back(self, deadline: float) -> None:
        """Wait for the process until `deadline`, and leave its work to the next worker.

        A training that still saves by then is left to it: whoever takes the work waits for the run to be free.
        """
        if self.work is None:
            return
        if self._process is not None:
            try:
                self._process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                LOG.warning("left behind while it saves", extra=self._told())
        if self._said is not None:
            self._said.close()
        jobs.release(self.work.row)
        LOG.info("work put back", extra=self._told())

    def _told(self) -> dict[str, object]:
        assert self.work is not None
        row = self.work.row
        return {"kind": row._meta.model_name, "work": str(row.pk), "attempt": row.attempts}


def _asked_of(work: Work) -> list[str]:
    """Fields that people change while the work goes on."""
    return ["stopping", "share", "attempts"] if isinstance(work, Train) else ["attempts"]


def _environment() -> dict[str, str]:
    given = {"BESPOKE_CACHE": str(settings.HOME.cache), "TMPDIR": tempfile.gettempdir(), "OPENBLAS_NUM_THREADS": "1"}
    return {**os.environ, **given}


def _without_place(told: str) -> str:
    """What people read names folders of the studio, not where on the machine it lies."""
    return told.replace(f"{settings.HOME.folder}{os.sep}", "")


def work(stop: Event) -> None:
    """Take work and do it until `stop` is set or the launcher is gone."""
    me, launcher, next_beat = uuid.uuid4(), os.getppid(), 0.0
    catalogues.sweep()
    desks = [Desk(tuple(kind for kind in KINDS if kind is not Train)), Desk((Train,))]
    LOG.info("workshop is ready")
    while not stop.is_set() and os.getppid() == launcher:
        close_old_connections()
        if time.monotonic() >= next_beat:
            jobs.beat(me, Worker.Kind.WORKSHOP)
            next_beat = time.monotonic() + BEAT_SECONDS
        for desk in desks:
            desk.tick()
        stop.wait(TICK_SECONDS)
    deadline = time.monotonic() + STOP_SECONDS
    for desk in desks:
        desk.ask_all_to_stop()
    for desk in desks:
        desk.put_back(deadline)
    LOG.info("workshop has stopped")


def main() -> None:
    """The workshop's process, as the launcher starts it with Django set up."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    work(stop)
