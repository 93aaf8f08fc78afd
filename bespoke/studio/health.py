"""Is the studio well? For the machines that watch over it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from bespoke.studio import jobs
from bespoke.studio.access import may
from bespoke.studio.models import Job, Picture, TrainedModel, Worker
from bespoke.studio.storage import StorageError
from bespoke.studio.tokens import user_of

LEAST_FREE_BYTES = 200 * 2**20


@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """The process answers; says nothing about anything behind it."""
    return JsonResponse({"status": "ok"})


@require_GET
def ready(request: HttpRequest) -> HttpResponse:
    """Whether an order that comes now would be drawn."""
    found = {"database": _writes(), "disk": _has_room(), "storage": _storage_answers(), "worker": False}
    found["worker"] = found["database"] and jobs.workers_alive() > 0
    well = all(found.values())
    return JsonResponse({"status": "ok" if well else "not ready", **found}, status=200 if well else 503)


def _writes() -> bool:
    try:
        with transaction.atomic():
            Worker.objects.create(seen_at=timezone.now())
            transaction.set_rollback(True)
    except DatabaseError:
        return False
    return True


def _has_room() -> bool:
    try:
        return shutil.disk_usage(settings.HOME.pictures).free > LEAST_FREE_BYTES
    except OSError:
        return False


def _storage_answers() -> bool:
    try:
        with suppress(FileNotFoundError):  # of a folder that there need not be
            default_storage.listdir("health")
    except StorageError:
        return False
    return True


class _Counts:
    """What the database knows, asked for at every scrape: right however many processes there are."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        states = GaugeMetricFamily("bespoke_jobs", "Jobs by state", labels=["state"])
        for state in Job.State.values:
            states.add_metric([state], Job.objects.filter(state=state).count())
        yield states
        for name, told, value in (
            ("bespoke_pictures", "Pictures made", Picture.objects.count()),
            ("bespoke_models", "Models registered", TrainedModel.objects.filter(registered_at__isnull=False).count()),
            ("bespoke_workers_alive", "Workers seen lately", jobs.workers_alive()),
            ("bespoke_workshops_alive", "Workshops seen lately", jobs.workers_alive(Worker.Kind.WORKSHOP)),
        ):
            yield GaugeMetricFamily(name, told, value=value)


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Numbers for Prometheus; it brings an administrator's token."""
    user = user_of(request)
    if user is None or not may(user, "metrics"):
        return HttpResponse(status=401 if user is None else 403, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counts())
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")
