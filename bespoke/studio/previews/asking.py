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
from typing import Any, NamedTuple

from bespoke.errors import UserError
from bespoke.studio.home import SOCKET
from bespoke.studio.limits import BALANCES
from bespoke.studio.models import TrainedModel
from bespoke.studio.policy.policy import refuse_blocked

MOST_AT_ONCE = 4  # questions of all people; the worker answers one at a time
PATIENCE_SECONDS = 10.0  # for an answer; a large model takes some to load
WINDOW_SECONDS = 60.0
MOST_WORDS, MOST_PREVIEWS = 120, 40  # of one person within the window
SEED = 0  # where none is given: another text is then drawn from the same noise


class BusyError(Exception):
    """So many questions are asked that this one would wait too long, or somebody asks too often."""


class AwayError(Exception):
    """No worker answers: it starts, or has just died."""


class Strip(NamedTuple):
    """One text with one seed at each of BALANCES."""

    seed: int
    unknown: list[str]  # words that the model has never seen
    pictures: list[tuple[float, str]]  # balance, and a marked PNG in base64


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
    """The model's answer to a text, see answering.answer. Raises BusyError, AwayError; UserError where it has none."""
    (_words if seed is None else _previews).keep(user.pk)
    asked = {"model": model.name, "identity": model.identity, "text": text, "seed": seed}
    with _turn():
        try:
            with Client(os.environ[SOCKET], "AF_UNIX") as connection:
                connection.send_bytes(json.dumps(asked).encode("ascii"))
                if not connection.poll(PATIENCE_SECONDS):
                    raise BusyError
                answer: dict[str, Any] = json.loads(connection.recv_bytes())
        except (KeyError, OSError, EOFError) as error:
            raise AwayError from error
    if "error" in answer:
        raise UserError(answer["error"])
    return answer


def preview(user: Any, model: TrainedModel, text: str, seed: int | None) -> Strip:
    """What an order of this text and seed would begin with; nothing of it is kept.

    Raises BlockedError, BusyError, AwayError, and UserError where this model gives none.
    """
    refuse_blocked(text, user)
    seed = SEED if seed is None else seed
    answer = ask(user, model, text, seed=seed)
    return Strip(seed, answer["unknown"], list(zip(BALANCES, answer["pictures"], strict=True)))


@contextmanager
def _turn() -> Iterator[None]:
    if not _free.acquire(timeout=PATIENCE_SECONDS):
        raise BusyError
    try:
        yield
    finally:
        _free.release()
