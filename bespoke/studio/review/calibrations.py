"""When is a model calibrated? When it is registered, if its training catalogue is here; else an administrator says."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bespoke.studio import jobs
from bespoke.studio.audit import record
from bespoke.studio.models import TrainedModel
from bespoke.studio.review.models import Calibration
from bespoke.studio.review.small import NAMES, RESULT
from bespoke.studio.workshop.models import Training, Version
from bespoke.studio.workshop.version_files import settle
from bespoke.studio.workshop.work import Work

DONE, FAILED = Calibration.State.DONE, Calibration.State.FAILED


def version_of(model: TrainedModel) -> Version | None:
    """The catalogue that a model was trained on, where that happened in this studio."""
    found = Training.objects.filter(run=model.name).select_related("version__catalogue").first()
    return found.version if found else None


def versions() -> list[Version]:
    """All versions of all catalogues, the newest of each first."""
    return list(Version.objects.select_related("catalogue").order_by("catalogue__name", "-number"))


def order(model: TrainedModel, user: Any, version: Version | None = None) -> Calibration | None:
    """Have a model measured on a catalogue, its own unless told, once; None where no catalogue is known."""
    version = version or version_of(model)
    if version is None:
        return None
    asked = {"model": model, "identity": model.identity, "version": version}
    with transaction.atomic():
        known = Calibration.objects.filter(**asked).exclude(state=FAILED).first()
        if known is None:
            known = Calibration.objects.create(owner=user, **asked)
            record(user, "calibration.ordered", model, identity=model.identity, version=version.pk)
    return known


@transaction.atomic
def set_by_hand(model: TrainedModel, user: Any, *, alignment: float, waived: str) -> Calibration:
    """Let an administrator say the least alignment that passes; `waived`: why copies need not be looked for."""
    now = timezone.now()
    made = Calibration.objects.create(
        model=model,
        identity=model.identity,
        owner=user,
        state=DONE,
        finished_at=now,
        alignment=alignment,
        waived=waived,
    )
    record(user, "calibration.set", model, identity=model.identity, alignment=alignment, waived=waived)
    return made


def training_picture(calibration: Calibration, index: int) -> Path | None:
    """The file of a training picture, by its place among those that were measured; None where there is none."""
    if calibration.version is None:
        return None
    names = json.loads((calibration.path / NAMES).read_text("utf-8"))
    if not 0 <= index < len(names):
        return None
    folder = calibration.version.path.resolve()
    file = (folder / names[index]).resolve()
    return file if file.is_relative_to(folder) and file.is_file() else None


class Calibrate(Work):
    """A model is asked about its real pairs."""

    queue = Calibration

    def command(self) -> list[str]:
        model, catalogue = settings.HOME.models / self.row.model.name, self.row.version.path
        return [sys.executable, "-m", "bespoke.studio.review.calibrate", *map(os.fspath, (model, catalogue, self.out))]

    def hand_in(self) -> None:
        found = json.loads((self.out / RESULT).read_text("utf-8"))
        identity = found.pop("identity")
        if identity != self.row.identity:
            jobs.fail(self.row, f"model {self.row.model.name} has changed meanwhile; register it again")
            return
        settle(self.out, self.row.path)
        with transaction.atomic():
            jobs.end(self.row, **found)
            told = {"alignment": found["alignment"], "nearness": found["nearness"]}
            record(self.row.owner, "calibration.measured", self.row.model, identity=identity, **told)

    def clean(self) -> None:
        shutil.rmtree(self.out, ignore_errors=True)
