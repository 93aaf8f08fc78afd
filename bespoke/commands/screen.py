"""What does the user see while something takes long? One progress bar; where nobody watches, a line a minute."""

from __future__ import annotations

import os
import time
from collections import deque
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

PLAIN_SECONDS = 60.0  # between lines where standard output is a file
WINDOW_SECONDS = 30.0  # over which a rate is measured


def leads() -> bool:
    """True for the one process of a torchrun that talks to the user."""
    return os.environ.get("RANK", "0") == "0"


def say(text: str) -> None:
    """Print a line as it is; only the leading process speaks."""
    if leads():
        shown = text.encode("utf-8", "replace").decode()  # names of files may be no text
        _console().print(shown, markup=False, highlight=False, soft_wrap=True)


def _console() -> Console:
    # Made when it is needed: standard output may have been replaced since this module was loaded.
    return Console()


class Bar:
    """A progress bar with a status behind it; `say` prints above it."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._spoken = time.monotonic()
        console = _console()
        self._live = leads() and console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TextColumn("{task.fields[status]}", markup=False),
            console=console,
            refresh_per_second=2,
            disable=not self._live,
        )
        self._task = self._progress.add_task(title, total=None, status="")

    def update(self, done: float, total: float | None, status: str) -> None:
        """How much of how much (unknown: None) is done, and what else to show."""
        if self._live:
            self._progress.update(self._task, completed=done, total=total, status=status)
        elif time.monotonic() - self._spoken >= PLAIN_SECONDS:
            self._spoken = time.monotonic()
            say(f"{self._title}: {done / total:.0%}, {status}" if total else f"{self._title}: {status}")

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._live:
            self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            say(text)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class Rate:
    """How fast a number grows, over the last half minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()

    def __call__(self, value: float) -> float:
        """Growth a second up to now, 0 where it is not known yet."""
        now = time.monotonic()
        self._seen.append((now, value))
        while now - self._seen[0][0] > WINDOW_SECONDS and len(self._seen) > 2:
            self._seen.popleft()
        began, first = self._seen[0]
        return (value - first) / (now - began) if now > began else 0.0


def clock(seconds: float) -> str:
    """1:02:03, or 2:03 below an hour."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
