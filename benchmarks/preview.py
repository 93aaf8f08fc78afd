"""How long does somebody who types wait for the words that the model does not know, and for the strip of previews?

    python benchmarks/preview.py [--repeats 20]

Starts a studio of its own on the model that comes with Bespoke, logs in and asks as the page does: the
first preview right after the start, when no model is loaded, and then others; between them an order of many pictures
is drawn, and the health check is called all the while. Prints medians and the worst; 1 where the first preview took
longer than LIMIT_SECONDS.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

LIMIT_SECONDS = 1.0
NAME, PASSWORD = "ada", "a-long-pass-phrase-9"


class Person:
    """Somebody with a browser."""

    def __init__(self, address: str) -> None:
        self.address, self._open = address, build_opener(HTTPCookieProcessor(CookieJar())).open
        self.send("/login", username=NAME, password=PASSWORD)
        page = self.get("/create")
        self.model = re.search(r'<option value="(\d+)"', page)[1]

    def get(self, place: str) -> str:
        with self._open(self.address + place, timeout=60) as answer:
            return str(answer.read().decode())

    def send(self, place: str, **given: object) -> str:
        form = self.get("/login" if place == "/login" else "/create")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[1]
        key = re.search(r'name="key" value="([\w-]+)"', form)
        asked = urlencode({"csrfmiddlewaretoken": token, "key": key[1] if key else "", **given}).encode()
        self.began = time.perf_counter()
        with self._open(Request(self.address + place, asked, {"X-Part": "1"}), timeout=60) as answer:
            told = str(answer.read().decode())
        self.took = time.perf_counter() - self.began
        return told


def start(home: Path) -> tuple[subprocess.Popen[str], str]:
    """A studio, when it is ready."""
    asked = [sys.executable, "-m", "bespoke", "studio", "--home", str(home), "--port", "0"]
    given = {"BESPOKE_STUDIO_ADMIN": NAME, "BESPOKE_STUDIO_ADMIN_PASSWORD": PASSWORD, "BESPOKE_STUDIO_DATABASE": ""}
    log = (home.parent / "log").open("w")
    process = subprocess.Popen(asked, env=os.environ | given, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    address = next(found[1] for line in process.stdout if (found := re.search(r"is at (http://\S+:\d+)/", line)))
    opened = build_opener().open
    while True:
        try:
            with opened(f"{address}/health/ready", timeout=10):
                return process, address
        except OSError:
            time.sleep(0.2)


def timed(ask: Callable[[], object], person: Person, repeats: int) -> list[float]:
    """Seconds of each request, without those of fetching the form before it."""
    times = []
    for _ in range(repeats):
        ask()
        times.append(person.took)
    return times


def told(name: str, times: list[float]) -> None:
    """Print the median and the worst."""
    print(f"{name:44} median {statistics.median(times):.3f} s, worst {max(times):.3f} s, n = {len(times)}")


def main() -> int:
    """Start, ask, print, stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        process, address = start(home)
        try:
            person, number = Person(address), iter(range(10**6))
            draw = lambda: person.send("/create/preview", model=person.model, text=f"a red mug {next(number)}", seed="")  # noqa: E731
            words = lambda: person.send("/create/words", model=person.model, text=f"a red mug {next(number)}")  # noqa: E731
            assert "base64" in draw()
            first = person.took
            print(f"first preview, no model loaded: {first:.3f} s")
            told("preview", timed(draw, person, given.repeats))
            told("unknown words", timed(words, person, given.repeats))
            healthy: list[float] = []
            over = threading.Event()

            def watch() -> None:
                opened = build_opener().open
                while not over.is_set():
                    began = time.perf_counter()
                    with opened(f"{address}/health/live", timeout=60):
                        healthy.append(time.perf_counter() - began)
                    time.sleep(0.05)

            watcher = threading.Thread(target=watch)
            watcher.start()
            asked = {"num_images": 10, "best_of": 20, "balance": 0.5, "seed": 1, "revises": ""}
            person.send("/create", model=person.model, text="a blue mug", **asked)
            # The pace that one person may keep is 40 in a minute.
            told("preview while an order is drawn", timed(draw, person, min(15, given.repeats)))
            over.set()
            watcher.join()
            told("health check meanwhile", healthy)
        finally:
            process.terminate()
            process.wait(60)
    return int(first > LIMIT_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
