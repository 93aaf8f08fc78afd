"""Who draws? A process beside the web server that takes jobs from the queue until it is told to stop."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import close_old_connections

from bespoke.errors import UserError
from bespoke.pipeline import Pipeline
from bespoke.provenance import mark
from bespoke.studio import jobs, registry
from bespoke.studio.edited import Made, edited
from bespoke.studio.home import SOCKET
from bespoke.studio.loaded import Loaded
from bespoke.studio.models import Edit, Job, Picture
from bespoke.studio.origin import source_type
from bespoke.studio.previews import answering
from bespoke.studio.storage import StorageError

LOG = logging.getLogger("bespoke.worker")
IDLE_SECONDS, BEAT_SECONDS, SCAN_SECONDS = 0.2, 5.0, 5.0
AWAY_SECONDS = 5.0  # before the next try where the pictures' storage does not answer


class StoppedError(Exception):
    """The worker is asked to stop while it draws."""


class Artist:
    """Draws jobs with the models that are loaded."""

    def __init__(self, models: Loaded, stop: Event) -> None:
        self._models, self._stop = models, stop

    def draw(self, job: Job) -> None:
        """Draw a job and hand it in. Raises UserError, StoppedError, StorageError, LeaseLostError."""
        pipeline = self._models.get(job.model.name, job.model.identity)
        edit = Edit.objects.filter(job=job).first()
        drawn = edited(pipeline, job, edit) if edit else _drawn(pipeline, job)
        pictures: list[Picture] = []
        files: set[str] = set()
        try:
            for number, picture in enumerate(drawn):
                if self._stop.is_set():
                    raise StoppedError
                made = Picture(job=job, number=number, seed=picture.seed, alignment=picture.alignment)
                made.model_name = f"{job.model.name} {pipeline.identity}"
                _save(made, picture, files)
                pictures.append(made)
            jobs.finish(job, pictures, pipeline.tokenizer.unknown(job.text), edit)
        except (StoppedError, UserError, jobs.LeaseLostError):  # after any other the end may have been written
            for name in files:
                default_storage.delete(name)
            raise
        _clear_leftovers(job, files)


def _drawn(pipeline: Pipeline, job: Job) -> Iterator[Made]:
    asked = {"num_images": job.num_images, "balance": job.balance, "seed": job.seed, "best_of": job.best_of}
    for picture in pipeline.stream([job.text], **asked):
        yield Made(picture.image, picture.seed, picture.alignment)


def _save(row: Picture, made: Made, files: set[str]) -> None:
    """Put a picture into the storage, marked, and beside it the mask of an edit; `files` gets their names."""
    job = row.job
    with tempfile.TemporaryDirectory(prefix="bespoke-") as folder:
        file = Path(folder) / "picture.png"
        mark(
            made.image,
            file,
            prompt=job.text,
            seed=made.seed,
            balance=job.balance,
            model=row.model_name,
            source_type=source_type(job),
            chain=made.chain,
        )
        row.sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        with file.open("rb") as stream:
            # The lease is in the name: who has lost it cannot touch what another writes.
            row.file = default_storage.save(f"{job.pk}/{row.number}-{job.lease}.png", File(stream))
            files.add(row.file)
    if made.mask is not None:
        encoded = io.BytesIO()
        made.mask.save(encoded, format="PNG")
        files.add(default_storage.save(row.mask_file, ContentFile(encoded.getvalue())))


def _clear_leftovers(job: Job, kept: set[str]) -> None:
    """Files of workers that were killed over this job."""
    for name in default_storage.listdir(str(job.pk))[1]:
        if f"{job.pk}/{name}" not in kept:
            default_storage.delete(f"{job.pk}/{name}")


def work(stop: Event) -> None:
    """Take jobs and draw them until `stop` is set or the launcher is gone."""
    me, launcher = uuid.uuid4(), os.getppid()
    models = Loaded(settings.HOME.models)
    artist = Artist(models, stop)
    if address := os.environ.get(SOCKET):
        try:
            answering.serve(models, address)
        except OSError:  # orders are drawn all the same
            LOG.exception("there are no previews")
    next_beat = next_scan = 0.0
    LOG.info("worker is ready")
    while not stop.is_set() and os.getppid() == launcher:
        close_old_connections()
        if (now := time.monotonic()) >= next_beat:
            jobs.beat(me)
            next_beat = now + BEAT_SECONDS
        if now >= next_scan:
            registry.scan(settings.HOME.models)
            next_scan = time.monotonic() + SCAN_SECONDS
        if (job := jobs.claim()) is None:
            stop.wait(IDLE_SECONDS)
        elif not _draw(artist, job, me):
            stop.wait(AWAY_SECONDS)
    LOG.info("worker has stopped")


def _draw(artist: Artist, job: Job, worker: uuid.UUID) -> bool:
    """Draw a job, whatever comes of it; False where the storage keeps any job from being drawn now."""
    began, told = time.monotonic(), {"job": str(job.pk), "attempt": job.attempts}
    try:
        with jobs.renewing(job, worker):
            artist.draw(job)
    except UserError as error:
        jobs.fail(job, str(error))
        LOG.warning("job failed", extra=told | {"reason": str(error)})
    except StoppedError:
        jobs.release(job)
        LOG.info("job put back", extra=told)
    except StorageError as error:  # the job's fault no more than ours: it waits for as long as that lasts
        jobs.release(job)
        LOG.error("job put back", extra=told | {"reason": str(error)})
        return False
    except jobs.LeaseLostError:
        LOG.warning("lease lost, result thrown away", extra=told)
    except Exception:
        # Its owner learns no internals; the log has them.
        jobs.fail(job, f"could not be drawn; the log says why under {job.pk}")
        LOG.exception("job failed", extra=told)
    else:
        LOG.info("job done", extra=told | {"seconds": round(time.monotonic() - began, 3)})
    return True


def main() -> None:
    """The worker process, as the launcher starts it with Django set up."""
    os.nice(10)  # drawing takes all the cores there are, and who asks the web server should not wait for them
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    work(stop)
