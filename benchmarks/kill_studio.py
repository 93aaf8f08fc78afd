"""Is an order lost or drawn twice when processes of the studio are killed? SIGKILL of worker or server, under load.

    .venv/bin/python benchmarks/kill_studio.py [--kills 100] [--open 12]

Starts a studio of its own. A client keeps some orders open, and sends one again under the same key until it is
accepted. Each kill waits until an order is being drawn, and every third one kills the server, which is started again at
once; the next kill waits until somebody has taken that order up again. At the end every accepted order must be there
once. Expected: none lost, none with two results, none given up, and an order lies still for at most 35 seconds (a lease
of 25, and a worker's start). 100 kills take about 70 minutes. Leaves with 1 otherwise.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from running_studio import PATIENCE_SECONDS, Caller, Studio, Tables, wait_over, wait_ready

LIMIT_SECONDS = 35.0
NUM_IMAGES = 3
RUNNING = "SELECT id, attempts FROM studio_job WHERE state = 'running' ORDER BY started_at DESC"

HELD = "WHERE id = ? AND attempts = ? AND state = 'running'"


class Loader(Thread):
    """Keeps some orders open, whatever happens to the studio."""

    def __init__(self, address: str, token: str, model: str, most_open: int) -> None:
        super().__init__(daemon=True)
        self.accepted: list[str] = []
        self.repeated = 0  # orders that were sent more than once
        self._caller, self._model, self._open, self._over = Caller(address, token), model, most_open, Event()

    def run(self) -> None:
        with self._caller:
            self._keep_open()

    def _keep_open(self) -> None:
        while not self._over.is_set():
            waiting = self._insist("GET", f"/api/jobs?limit={self._open}&state=waiting")
            for _ in range(self._open - len(waiting["items"])):
                key = str(uuid.uuid4())
                asked = {"model": self._model, "text": "a blue cup", "num_images": NUM_IMAGES, "best_of": 4, "key": key}
                self._insist("POST", "/api/jobs", asked)
                self.accepted.append(key)
            self._over.wait(0.3)

    def stop(self) -> None:
        self._over.set()
        self.join(PATIENCE_SECONDS)

    def _insist(self, *asked: Any) -> Any:
        for tries in range(int(PATIENCE_SECONDS / 0.3)):
            with suppress(OSError, http.client.HTTPException):
                status, _headers, told = self._caller.call(*asked)
                if status in (200, 202):
                    self.repeated += tries > 0
                    return told
                if status not in (429, 500, 503):
                    raise SystemExit(f"FAILED: {asked} was answered with {status} {told}")
            time.sleep(0.3)
        raise SystemExit(f"FAILED: {asked} was never answered")


def wait_running(tables: Tables) -> tuple[str, int]:
    """An order that is being drawn, and how often it was taken."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if found := tables.ask(RUNNING):
            return found[0][0], found[0][1]
        time.sleep(0.02)
    raise SystemExit("FAILED: nothing is drawn any more")


def kill(studio: Studio, tables: Tables, *, server: bool, let_go: bool = False) -> float:
    """Kill the worker or the server over an order; seconds until somebody has taken that up, or it was done.

    let_go: its lease runs out at once, for whoever only wants to see that nothing is lost.
    """
    studio.wait(lambda: studio.worker() is not None)
    worker = studio.worker()
    key, attempts = wait_running(tables)
    began = time.monotonic()
    if server:
        studio.stop(signal.SIGKILL)
        studio.start()
    else:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    if let_go:
        tables.ask(f"UPDATE studio_job SET lease_until = '2026-01-01 00:00:00' {HELD}", key, attempts)
    while tables.ask(f"SELECT 1 FROM studio_job {HELD}", key, attempts):
        if time.monotonic() > began + PATIENCE_SECONDS:
            raise SystemExit(f"FAILED: job {key} lies still for ever")
        time.sleep(0.05)
    return time.monotonic() - began


def verdict(studio: Studio, tables: Tables, caller: Caller, keys: list[str]) -> dict[str, int]:
    """How many of the accepted orders are not there, not there once, or were given up; all 0 where all is well."""
    told = wait_over(caller, keys)
    counts = {"lost": 0, "twice": 0, "given up": 0, "stray files": 0}
    for key in keys:
        job = told.get(key, {"state": "none"})
        rows = tables.ask("SELECT number FROM studio_picture WHERE job_id = ?", key.replace("-", ""))
        files = list((studio.home / "pictures" / key).glob("*.png"))
        counts["given up"] += job["state"] == "failed"
        counts["lost"] += job["state"] not in ("done", "failed") or (job["state"] == "done" and len(rows) < NUM_IMAGES)
        counts["twice"] += len(rows) > NUM_IMAGES
        counts["stray files"] += job["state"] == "done" and len(files) != NUM_IMAGES
    return counts


def main() -> None:
    """Prints one line a kill; leaves with 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--open", type=int, default=12, help="orders that wait, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder) / "home")
        studio.start()
        try:
            with Tables(studio.home) as tables:
                model, token = wait_ready(studio, tables), tables.make_token()
                loader = Loader(studio.address, token, model, options.open)
                loader.start()
                still: list[float] = []
                for number in range(options.kills):
                    wait_running(tables)
                    time.sleep(chance.uniform(0, 3))
                    server = number % 3 == 2
                    still.append(kill(studio, tables, server=server))
                    what = "server" if server else "worker"
                    print(f"kill {number + 1} of the {what}: taken up after {still[-1]:.1f} s", flush=True)
                loader.stop()
                with Caller(studio.address, token) as caller:
                    counts = verdict(studio, tables, caller, loader.accepted)
        finally:
            studio.stop()
    told = ", ".join(f"{name} {number}" for name, number in counts.items())
    print(f"{options.kills} kills, {len(loader.accepted)} orders accepted, {loader.repeated} calls sent again")
    print(f"{told}; lay still for at most {max(still):.1f} s")
    held = not any(counts.values()) and max(still) <= LIMIT_SECONDS
    print("held" if held else "DID NOT HOLD")
    sys.exit(not held)


if __name__ == "__main__":
    main()
