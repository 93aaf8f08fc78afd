"""Who answers while somebody types? A thread of the worker, over a socket, with the models that the worker has loaded.

So each model is in memory once, and the web process, which answers the machines that watch over the studio, neither
loads nor computes anything. One question is answered at a time; the queue goes on beside it.
"""

from __future__ import annotations

import base64
import json
import logging
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from threading import Thread
from typing import Any

from bespoke.errors import UserError
from bespoke.provenance import mark
from bespoke.studio.limits import BALANCES
from bespoke.studio.loaded import Loaded

LOG = logging.getLogger("bespoke.worker")
MOST_BYTES = 2**16  # of a question
PATIENCE_SECONDS = 1.0  # for one, once somebody has called


def answer(models: Loaded, asked: dict[str, Any]) -> dict[str, Any]:
    """What is asked for of a text: `unknown`, its words that the model has never seen, and with a `seed` `pictures`.

    pictures: of each of BALANCES a marked PNG in base64, the very one that an order of this seed begins with.
    Raises UserError.
    """
    pipeline = models.get(asked["model"], asked["identity"])
    told: dict[str, Any] = {"unknown": pipeline.tokenizer.unknown(asked["text"])}
    if asked["seed"] is None:
        return told
    with tempfile.TemporaryDirectory(prefix="bespoke-") as folder:
        file, told["pictures"] = Path(folder) / "preview.png", []
        for balance in BALANCES:
            (made,) = pipeline(asked["text"], balance=balance, seed=asked["seed"]).pictures
            by = f"{asked['model']} {pipeline.identity}"
            mark(made.image, file, prompt=made.text, seed=made.seed, balance=balance, model=by, chain={"preview": True})
            told["pictures"].append(base64.b64encode(file.read_bytes()).decode("ascii"))
    return told


def serve(models: Loaded, address: str) -> Listener:
    """Begin to answer at an address, a path; ends with the process, or when what it returns is closed."""
    Path(address).unlink(missing_ok=True)  # of a worker that was killed
    listener = Listener(address, "AF_UNIX", backlog=16)
    Thread(target=_answer_all, args=(models, listener.accept), name="previews", daemon=True).start()
    return listener


def _answer_all(models: Loaded, accept: Callable[[], Connection]) -> None:
    while True:
        try:
            connection = accept()
        except OSError:  # closed
            return
        with connection:
            try:
                if connection.poll(PATIENCE_SECONDS):
                    asked = json.loads(connection.recv_bytes(MOST_BYTES))
                    connection.send_bytes(json.dumps(_told(models, asked)).encode("ascii"))
            except (OSError, EOFError, ValueError):  # who asked did not wait, or is none of us
                continue


def _told(models: Loaded, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        return answer(models, asked)
    except UserError as error:
        return {"error": str(error)}
    except Exception:  # the log has it, and the next question its answer
        LOG.exception("preview failed")
        return {"error": "could not be drawn"}
