"""How does a page ask the worker's model? Over its socket, seldom enough that no page can eat the machine."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Client
from threading import BoundedSemaphore, Lock
from typing import Any

from bespoke.studio.home import SOCKET
from bespoke.studio.models import TrainedModel

MOST_AT_ONCE = 4  # questions of all people; the worker answers one at a time
PATIENCE_SECONDS = 10.0  # for an answer; a large model takes some to load
WINDOW_SECONDS = 60.0
MOST_WORDS, MOST_PREVIEWS = 120, 40  # of one person within the window


class BusyError(Exception):
    """So many questions are asked that this one would wait too long, or somebody asks too often."""


class AwayError(Exception):
    """No worker answers: it starts, or has just died."""


class Pace:
    """How often one person may ask. Counted in this process, the only one that serves pages."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._asked: dict[int, deque[float]] = {}
        self._lock = Lock()

    def keep(self, person: int) -> None:
        """Count a question. Raises BusyError, and then it is not counted."""
        now = time.monotonic()
        with self._lock:
            self._asked = {who: times for who, times in self._asked.items() if times[-1] > now - WINDOW_SECONDS}
            times = self._asked.setdefault(person, deque(maxlen=self.most))
            if len(times) == self.most and times[0] > now - WINDOW_SECONDS:
                raise BusyError
            times.append(now)


_words, _previews, _free = Pace(MOST_WORDS), Pace(MOST_PREVIEWS), BoundedSemaphore(MOST_AT_ONCE)


def ask(user: Any, model: TrainedModel, text: str, *, seed: int | None = None) -> dict[str, Any]:
    """The model's answer to a text: see answering.answer; or `error`. Raises BusyError, AwayError."""
    (_words if seed is None else _previews).keep(user.pk)
    asked = {"model": model.name, "identity": model.identity, "text": text, "seed": seed}
    with _turn():
        try:
            with Client(os.environ[SOCKET], "AF_UNIX") as connection:
                connection.send_bytes(json.dumps(asked).encode("ascii"))
                if not connection.poll(PATIENCE_SECONDS):
                    raise BusyError
                answer: dict[str, Any] = json.loads(connection.recv_bytes())
                return answer
        except (KeyError, OSError, EOFError) as error:
            raise AwayError from error


@contextmanager
def _turn() -> Iterator[None]:
    if not _free.acquire(timeout=PATIENCE_SECONDS):
        raise BusyError
    try:
        yield
    finally:
        _free.release()
