"""How do files that were sent become an upload? They lie under its key already; now it gets a row, or they go."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from bespoke.studio.workshop.forms import UploadForm
from bespoke.studio.workshop.intake import ASKED, NAMES, PROGRESS
from bespoke.studio.workshop.models import Catalogue, Upload
from bespoke.studio.workshop.receiving import Receiver

LEAST_FREE_BYTES = 2**30  # that an upload must leave


class TooLargeError(Exception):
    """A file, or all of them together; its name is the message."""


class DiskFullError(Exception):
    """There is no room for more catalogues."""


class InvalidError(Exception):
    """The form says what is wrong."""


@contextmanager
def receiving(request: HttpRequest) -> Iterator[Receiver]:
    """Give the files of a request that was not read yet their place; what became no upload is deleted."""
    key = uuid.uuid4()
    receiver = Receiver(settings.HOME.uploads / str(key))
    request.upload_handlers = [receiver]
    try:
        yield receiver
    finally:
        if not Upload.objects.filter(pk=key).exists():
            shutil.rmtree(receiver.folder, ignore_errors=True)


def accept(form: UploadForm, receiver: Receiver, user: Any, adds_to: Catalogue | None) -> Upload:
    """Put what was received into the queue. Raises TooLargeError, DiskFullError, InvalidError."""
    if receiver.too_large:
        raise TooLargeError(receiver.too_large)
    if shutil.disk_usage(settings.HOME.uploads).free < LEAST_FREE_BYTES:
        raise DiskFullError
    if not form.is_valid():
        raise InvalidError
    files = [*form.cleaned_data["pictures"], *form.cleaned_data["table"]]
    (receiver.folder / NAMES).write_text(json.dumps({file.place: file.name for file in files}), "ascii")
    (receiver.folder / ASKED).write_text(json.dumps(form.asked()._asdict()), "ascii")
    name = adds_to.name if adds_to else form.cleaned_data["name"]
    with transaction.atomic():
        return Upload.objects.create(pk=uuid.UUID(receiver.folder.name), owner=user, name=name, catalogue=adds_to)


def progress(upload: Upload) -> tuple[int, int]:
    """How many files of how many are looked at; both 0 before that, and after."""
    try:
        done, total = (int(word) for word in (upload.path / PROGRESS).read_text("ascii").split())
    except (OSError, ValueError):
        return 0, 0
    return done, total
