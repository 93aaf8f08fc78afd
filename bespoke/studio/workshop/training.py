"""When is a model trained, for how long, and how does that end? The rules; work.py does it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bespoke.studio.audit import record
from bespoke.studio.models import TrainedModel
from bespoke.studio.workshop.catalogues import freeze
from bespoke.studio.workshop.models import Training, Version

MINUTES = {
    "look": (15, _("A first look"), _("15 minutes: whether the catalogue teaches anything at all.")),
    "working": (60, _("A working model"), _("An hour: pictures that can be judged.")),
    "night": (480, _("Overnight"), _("Eight hours: the best that this machine makes of it.")),
}


@transaction.atomic
def start(version: Version, user: Any, *, minutes: float, base: TrainedModel | None, preset: str) -> Training:
    """Put a training into the queue; its version does not change any more."""
    freeze(version)
    training = Training.objects.create(
        owner=user, version=version, base=base, preset=preset, minutes=minutes, run=_free_run(version)
    )
    told = {"run": training.run, "version": version.folder, "fingerprint": version.fingerprint, "minutes": minutes}
    record(user, "training.started", training, **told, base=base.identity if base else None)
    return training


def _free_run(version: Version) -> str:
    """A name that no run and no model has."""
    number, name = 1, version.folder
    while (
        Training.objects.filter(run=name).exists()
        or TrainedModel.objects.filter(name=name).exists()
        or (settings.HOME.models / name).exists()
    ):
        number += 1
        name = f"{version.folder}-{number}"
    return name


@transaction.atomic
def stop(training: Training, user: Any) -> None:
    """Ask for an end; the training saves first."""
    if Training.objects.filter(pk=training.pk, state__in=("waiting", "running"), stopping=False).update(stopping=True):
        record(user, "training.stopping", training, run=training.run)


@transaction.atomic
def resume(training: Training, user: Any) -> None:
    """Put a training that was stopped or failed back into the queue, where its time is not up."""
    ended = Training.objects.filter(pk=training.pk, state__in=("done", "failed"), share__lt=1)
    if ended.update(state=Training.State.WAITING, attempts=0, stopping=False, error="", finished_at=None):
        record(user, "training.resumed", training, run=training.run)
