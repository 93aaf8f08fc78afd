"""How does a studio run? This process is the web server and keeps two worker processes; all stop in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from bespoke.errors import UserError
from bespoke.studio.home import DATABASE, HOME, HOST, SOCKET, STORAGE, URL, Home

LOG = logging.getLogger("bespoke.studio")
WORKERS = ("bespoke.studio.worker", "bespoke.studio.workshop.worker")  # who draws, who trains and the rest
START = "import django; django.setup(); from {} import main; main()"
LOCAL = ("127.0.0.1", "localhost", "::1")
DRAIN_SECONDS = 30  # for requests, and for the worker's picture at hand
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0  # before a worker that died is started again


def serve(
    home: Path,
    *,
    host: str,
    port: int,
    database: str | None,
    storage: str | None,
    say: Callable[[str], None],
) -> None:
    """Run a studio until SIGTERM or Ctrl-C. Raises UserError."""
    place = Home(home.absolute())
    _check_address(host)
    os.umask(0o077)  # database and pictures are for this user alone
    place.prepare()
    os.environ |= {HOME: str(place.folder), HOST: host, "DJANGO_SETTINGS_MODULE": "bespoke.studio.settings"}
    if database is not None:
        os.environ[DATABASE] = database
    if storage is not None:
        os.environ[STORAGE] = storage
    _set_up(say)
    listening = _listen(host, port)
    public = os.environ.get(URL) or f"http://{'localhost' if host in LOCAL else host}:{listening.getsockname()[1]}/"
    kept = os.environ.get(STORAGE)
    there = f"models in {place.folder}, its pictures in {kept}" if kept else f"models and pictures in {place.folder}"
    say(f"The studio is at {public}, its {there}. Ctrl-C stops it.")
    with tempfile.TemporaryDirectory(prefix="bespoke-") as folder:  # a home's path may be too long for a socket
        os.environ[SOCKET] = f"{folder}/worker"
        asyncio.run(_run(listening))


def _check_address(host: str) -> None:
    url = os.environ.get(URL, "")
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        raise UserError(f"{URL}={url}: expected an address such as https://studio.example.com")
    if host not in LOCAL and not url:
        raise UserError(f"--host {host}: say by which address people reach it, {URL}=https://studio.example.com")


def _set_up(say: Callable[[str], None]) -> None:
    """Django, the tables, the first administrator. Raises UserError."""
    import django
    from django.core.files.storage import default_storage
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    django.setup()
    from django.conf import settings

    from bespoke.studio.audit.rotation import settle
    from bespoke.studio.first import ensure_administrator, offer_base
    from bespoke.studio.models import Picture
    from bespoke.studio.storage import check

    if connection.vendor == "sqlite" and not settings.WAL_IS_SAFE:
        say("This SQLite is older than 3.51.3, whose write-ahead log may lose data: using its slower rollback journal.")
    check(default_storage)
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"--database: cannot be used ({reason}); mend the address or the server") from error
    settle()
    ensure_administrator(say)
    offer_base(settings.HOME.models)
    if (newest := Picture.objects.first()) is not None and not default_storage.exists(newest.file):
        say(f"{default_storage} lacks the newest picture: was this studio started with another --storage before?")
    connection.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        raise UserError(f"--host {host} --port {port}: {error.strerror}; choose another --port") from error
    return listening


async def _run(listening: socket.socket) -> None:
    import uvicorn

    from bespoke.studio.asgi import make_application

    config = uvicorn.Config(
        make_application(),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops at these, and then raises them again for whoever handled them before: nobody must.
        signal.signal(number, lambda *_: None)
    stop = asyncio.Event()
    watchers = [asyncio.create_task(_keep(worker, stop)) for worker in WORKERS]
    try:
        await uvicorn.Server(config).serve([listening])
    finally:
        stop.set()
        await asyncio.gather(*watchers)


async def _keep(module: str, stop: asyncio.Event) -> None:
    """Run a worker, and another when it dies; end it in order when the studio stops."""
    pause = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        # A group of its own: Ctrl-C reaches the launcher only, which then stops the worker in order.
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", START.format(module), stdin=subprocess.DEVNULL, start_new_session=True
        )
        ended, asked = asyncio.create_task(worker.wait()), asyncio.create_task(stop.wait())
        began = time.monotonic()
        await asyncio.wait((ended, asked), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            with contextlib.suppress(ProcessLookupError):
                worker.terminate()
            try:
                await asyncio.wait_for(ended, DRAIN_SECONDS)
            except TimeoutError:
                worker.kill()
                await worker.wait()
            return
        asked.cancel()
        LOG.error("worker died, starting another", extra={"worker": module, "code": worker.returncode})
        # Who lived longer than the longest pause is in no loop; it is back before its job's lease has run out.
        lived = time.monotonic() - began > LONGEST_PAUSE_SECONDS
        pause = FIRST_PAUSE_SECONDS if lived else min(2 * pause, LONGEST_PAUSE_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
