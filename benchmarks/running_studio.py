"""How does a drill or a test reach a studio? One that runs as users start it, asked by HTTP, its SQLite file read."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from bespoke.studio.home import DATABASE, STORAGE

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 600.0


class Studio:
    """A studio in processes of its own, with what its home holds or else the model that comes with Bespoke."""

    def __init__(self, home: Path, *options: str, password: str | None = None) -> None:
        """options: of the command. password: of the first administrator, "ada"; else nobody knows it."""
        self.home, self._options, self._port = home, options, 0
        self._password = password or secrets.token_urlsafe(12)
        self.log = home.parent / f"{home.name}.log"
        self.process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        return f"http://localhost:{self._port}"

    def start(self) -> None:
        """Start it, or start it again at the same address, and wait until it would draw."""
        given = {"BESPOKE_STUDIO_ADMIN": "ada", "BESPOKE_STUDIO_ADMIN_PASSWORD": self._password}
        given |= {DATABASE: "", STORAGE: "", "PYTHONPATH": str(ROOT)}
        asked = ["studio", "--home", str(self.home), "--port", str(self._port), *self._options]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bespoke", *asked],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | given,
            )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"The studio is at http://localhost:(\d+)/", line):
                self._port = int(found[1])
                break
        else:
            raise SystemExit(f"FAILED: the studio did not start:\n{self.log.read_text('utf-8')[-2000:]}")
        self.wait(lambda: self.is_up("/health/ready"))

    def is_up(self, path: str) -> bool:
        """Whether it answers there that all is well."""
        try:
            with urlopen(self.address + path, timeout=10) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def wait(self, condition: Callable[[], bool]) -> None:
        """Until something holds; raises SystemExit with the end of the log where it never does."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"FAILED: waited in vain; the studio's log:\n{self.log.read_text('utf-8')[-3000:]}")
            time.sleep(0.1)

    def worker(self, module: str = "studio.worker") -> int | None:
        """The process id of the worker that draws, or of another."""
        assert self.process is not None
        asked = ["pgrep", "-P", str(self.process.pid), "-f", rf"bespoke\.{module} import"]
        found = subprocess.run(asked, capture_output=True, text=True).stdout.split()
        return int(found[0]) if found else None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal, and wait until it is gone."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(120)
        if self.process.stdout:
            self.process.stdout.close()
        return code


class Tables:
    """A look into a studio's SQLite file from outside."""

    def __init__(self, home: Path) -> None:
        self._connection = sqlite3.connect(
            home / "studio.sqlite3", timeout=20, isolation_level=None, check_same_thread=False
        )

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, question: str, *given: Any) -> list[tuple[Any, ...]]:
        """All rows that answer it; none where it changes something."""
        return self._connection.execute(question, given).fetchall()

    def get(self, question: str, *given: Any) -> Any:
        """The first value of the first row, or None."""
        return next((row[0] for row in self.ask(question, *given)), None)

    def make_token(self) -> str:
        """A token of the first administrator, made as the studio makes it: the table holds its hash."""
        token = "bsp_" + secrets.token_urlsafe(32)
        row = (hashlib.sha256(token.encode()).hexdigest(), token[:8], "2026-01-01 00:00:00")
        told = "INSERT INTO studio_token (owner_id, name, digest, hint, created_at) VALUES (1, 'drill', ?, ?, ?)"
        self.ask(told, *row)
        return token


class Caller:
    """One client and its connection, which is made anew where it breaks."""

    def __init__(self, address: str, token: str) -> None:
        self._place, self._headers = urlsplit(address), {"Authorization": f"Bearer {token}"}
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any, Any]:
        """Status, headers and JSON of an answer. Raises OSError or HTTPException where nobody answers."""
        if self._connection is not None:
            try:
                return self._ask(method, path, body)
            except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
                pass  # the server closes connections that were idle for seconds, so any client tries once more
        self._connection = http.client.HTTPConnection(self._place.hostname or "", self._place.port, timeout=60)
        return self._ask(method, path, body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any, Any]:
        assert self._connection is not None
        try:
            text = None if body is None else json.dumps(body)
            headers = self._headers | ({"Content-Type": "application/json"} if text else {})
            self._connection.request(method, path, text, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            raise
        return answer.status, answer.headers, json.loads(content) if content else None

    def jobs(self) -> dict[str, dict[str, Any]]:
        """All jobs that the studio tells of, by key."""
        found: dict[str, dict[str, Any]] = {}
        after = ""
        while True:
            status, _headers, page = self.call("GET", f"/api/jobs?limit=200&after={after}")
            assert status == 200, page
            found |= {job["id"]: job for job in page["items"]}
            if page["next"] is None:
                return found
            after = page["next"]


def wait_over(caller: Caller, keys: list[str]) -> dict[str, dict[str, Any]]:
    """What became of these jobs, when none of them is open any more; those that are lost are missing."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        told = caller.jobs()
        found = {key: told[key] for key in keys if key in told}
        if all(job["state"] in ("done", "failed") for job in found.values()) or time.monotonic() > end:
            return found
        time.sleep(1)


def wait_ready(studio: Studio, tables: Tables) -> str:
    """The name of a model to draw with, when a worker is there to do it."""
    ask = "SELECT name FROM studio_trainedmodel WHERE registered_at IS NOT NULL AND problem = ''"
    studio.wait(lambda: bool(tables.get(ask) and studio.worker()))
    return str(tables.get(ask))
