"""How are files of strangers opened without harm? In a process that may die at each of them (decoder.py)."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from bespoke.studio.workshop.limits import PATIENCE_SECONDS

DECODER = "bespoke.studio.workshop.decoder"
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Sandbox:
    """Asks a decoder, and starts another where the last one died or hung."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def ask(self, do: str, *given: Any) -> dict[str, Any]:
        """The decoder's answer; one that died answers with the fault `deadly`, one that ran out of time, `slow`."""
        if self._child is None:
            self._start()
        child = self._child
        assert child is not None
        assert child.stdin is not None
        assert child.stdout is not None
        line = ""
        try:
            child.stdin.write(json.dumps([do, *given]) + "\n")
            child.stdin.flush()
            if select.select([child.stdout], [], [], PATIENCE_SECONDS)[0]:
                line = child.stdout.readline()
        except OSError:
            pass
        if line.endswith("\n"):
            answer: dict[str, Any] = json.loads(line)
            return answer
        hung = child.poll() is None and not line
        code = self._end()
        return {"fault": "slow" if hung or code == -signal.SIGXCPU else "deadly"}

    def _start(self) -> None:
        env = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG", "TMPDIR") if name in os.environ}
        self._child = subprocess.Popen(
            [sys.executable, "-m", DECODER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=env | _ONE_THREAD,
            cwd=Path(__file__).anchor,
        )

    def _end(self) -> int:
        child, self._child = self._child, None
        if child is None:
            return 0
        for pipe in (child.stdin, child.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was still to be written to one that died
                pipe.close()
        try:
            return child.wait(1)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()
