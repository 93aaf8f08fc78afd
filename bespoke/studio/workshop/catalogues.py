"""How do catalogues come to be and change? In versions; what a model has learned from stays as it was."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from bespoke.studio import jobs
from bespoke.studio.audit import record
from bespoke.studio.workshop.intake import RESULT
from bespoke.studio.workshop.limits import LONGEST_CAPTION, MOST_CAPTIONS
from bespoke.studio.workshop.models import Catalogue, Check, Upload, Version
from bespoke.studio.workshop.version_files import (
    FILE,
    METADATA,
    TEXTS,
    Row,
    read_rows,
    settle,
    share_pictures,
    write_rows,
)

LEFT_SECONDS = 24 * 3600.0  # what is younger may still be written to


class NameTakenError(Exception):
    """Another catalogue has this name."""


def free_slug(name: str) -> str:
    """How folders and models of a new catalogue are called: short, in ASCII, and nobody else's."""
    wanted = slugify(name)[:40].strip("-") or "catalogue"
    number, slug = 1, wanted
    while Catalogue.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{wanted}-{number}"
    return slug


@transaction.atomic
def hand_in(upload: Upload, part: Path, result: dict[str, Any]) -> Version:
    """Make a version of what was taken in, and end the upload. Raises NameTakenError, LeaseLostError."""
    rows = list(read_rows(part))
    catalogue, before = upload.catalogue, None
    if catalogue is None:
        if Catalogue.objects.filter(name=upload.name).exists():
            raise NameTakenError
        catalogue = Catalogue.objects.create(name=upload.name, slug=free_slug(upload.name))
    else:
        before = catalogue.newest
        old = read_rows(before.path)
        share_pictures(before.path, part, old)
        rows = [*old, *rows]
    version = _add_version(catalogue, before, upload.owner, part, rows)
    left_out = {"problems": result["left_out"], "num_problems": result["num_left_out"]}
    jobs.end(upload, version=version, **left_out)
    record(upload.owner, "catalogue.uploaded", version, pictures=len(rows), fingerprint=version.fingerprint)
    settle(part, version.path)
    return version


def _add_version(catalogue: Catalogue, before: Version | None, user: Any, part: Path, rows: Sequence[Row]) -> Version:
    """A new version whose folder, still in the making, is `part`; it is checked at once."""
    number = before.number + 1 if before else 1
    version = Version.objects.create(
        catalogue=catalogue,
        number=number,
        folder=f"{catalogue.slug}-v{number}",
        made_from=before,
        created_by=user,
        num_pictures=len(rows),
        fingerprint=write_rows(part, rows),
    )
    ask_doctor(version, user)
    return version


def ask_doctor(version: Version, user: Any) -> None:
    """Order a report, unless the version as it stands has one or waits for one."""
    made = Check.objects.filter(version=version, fingerprint=version.fingerprint).exclude(state=Check.State.FAILED)
    if not made.exists():
        Check.objects.create(owner=user, version=version, fingerprint=version.fingerprint)


def captions_of(text: str) -> list[str]:
    """The captions that somebody typed, one a line. Raises ValueError for more or longer ones than are read."""
    captions = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(captions) > MOST_CAPTIONS or any(len(caption) > LONGEST_CAPTION or "\0" in caption for caption in captions):
        raise ValueError(text[:40])
    return captions


@transaction.atomic
def change(version: Version, user: Any, captions: Mapping[str, Sequence[str]], out: Set[str]) -> Version:
    """Give pictures other captions and take some out, by their file names; those that are not there are passed over.

    The answer is the version that has the changes: a new one where `version` was trained on or is not the newest.
    Raises ValueError where no picture would be left.
    """
    version = Version.objects.select_for_update().get(pk=version.pk)
    old = read_rows(version.path)
    rows = [row | {TEXTS: list(captions.get(row[FILE], row[TEXTS]))} for row in old if row[FILE] not in out]
    if not rows:
        raise ValueError("a catalogue without pictures")
    if rows == list(old):
        return version
    changed = sum(row not in old for row in rows)
    newest = version.catalogue.versions.select_for_update().order_by("-number")[0]
    if version.frozen_at is None and version == newest:
        version.num_pictures, version.fingerprint = len(rows), ""
        return _rewritten(version, user, rows, changed, len(old) - len(rows))
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=settings.HOME.catalogues))
    try:
        share_pictures(version.path, part, rows)
        made = _add_version(version.catalogue, newest, user, part, rows)
        record(user, "catalogue.changed", made, captions=changed, taken_out=len(old) - len(rows), new_version=True)
        settle(part, made.path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return made


def _rewritten(version: Version, user: Any, rows: Sequence[Row], changed: int, taken_out: int) -> Version:
    """The same version with other rows. Its file changes last: what fails before leaves everything as it was."""
    with tempfile.TemporaryDirectory(prefix=".part-", dir=settings.HOME.catalogues) as folder:
        version.fingerprint = write_rows(Path(folder), rows)
        version.save(update_fields=["num_pictures", "fingerprint"])
        ask_doctor(version, user)
        record(user, "catalogue.changed", version, captions=changed, taken_out=taken_out, new_version=False)
        (Path(folder) / METADATA).replace(version.path / METADATA)
    return version


def freeze(version: Version) -> None:
    """Let nothing in a version change any more. In the transaction of whoever builds on it."""
    Version.objects.filter(pk=version.pk, frozen_at=None).update(frozen_at=timezone.now())


def clear_upload(upload: Upload) -> None:
    """Delete the files that were sent: they are in a version now, or refused."""
    shutil.rmtree(upload.path, ignore_errors=True)


def sweep() -> None:
    """Delete what killed processes have left: files of requests that became no upload, folders in the making."""
    long_ago = time.time() - LEFT_SECONDS
    home, waiting = (
        settings.HOME,
        {str(key) for key in Upload.objects.filter(finished_at=None).values_list("pk", flat=True)},
    )
    for left in (*home.uploads.iterdir(), *home.catalogues.glob(".part-*"), *home.reports.glob(".*")):
        if left.name not in waiting and left.stat().st_mtime < long_ago:
            shutil.rmtree(left, ignore_errors=True)


def result_file(upload: Upload) -> Path:
    """Where the intake writes what came of an upload."""
    return upload.path / RESULT
