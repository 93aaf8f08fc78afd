"""How does somebody start a training, and watch it?"""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bespoke.pages.plots import Series, line_plot
from bespoke.studio import jobs
from bespoke.studio.access import may
from bespoke.studio.models import TrainedModel, Worker
from bespoke.studio.workshop import runs
from bespoke.studio.workshop import training as rules
from bespoke.studio.workshop.forms import TrainForm
from bespoke.studio.workshop.models import Training, Version
from bespoke.studio.workshop.told import tell_alarm, tell_minutes

MOST_POINTS = 200  # of a curve


@require_http_methods(["GET", "POST"])
def train(request: HttpRequest, key: int) -> HttpResponse:
    """The form that starts a training."""
    version = get_object_or_404(Version.objects.select_related("catalogue"), pk=key)
    form = TrainForm(request.user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return redirect("training", rules.start(version, request.user, **form.asked).pk)
    ahead = Training.objects.filter(state__in=("waiting", "running")).exists()
    shown = {"version": version, "form": form, "times": rules.MINUTES, "ahead": ahead, "report": version.report}
    return render(request, "workshop/train.html", shown, status=422 if form.errors else 200)


@require_GET
def training(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """A training: how far it is, what it draws by now, and whether something is wrong."""
    return render(request, "workshop/training.html", _shown(request, key))


@require_GET
def state(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Only the part that changes."""
    return render(request, "workshop/training-state.html", _shown(request, key))


def _shown(request: HttpRequest, key: uuid.UUID) -> dict[str, Any]:
    found = get_object_or_404(Training.objects.select_related("version__catalogue", "base"), pk=key)
    progress = runs.read_progress(found.path)
    share = progress.share(found.minutes) if found.open else found.share
    sheet = runs.newest_sheet(found.path)
    ahead = Training.objects.filter(state__in=("waiting", "running"), created_at__lt=found.created_at).exists()
    model = TrainedModel.objects.filter(name=found.run).first()
    title, curve = _curve(progress)
    return {
        "training": found,
        "waits": found.open or (model is None and (found.path / "model").exists()),  # until the model was looked into
        "time": tell_minutes(found.minutes),
        "percent": int(100 * share),
        "left": tell_minutes(found.minutes - progress.seconds / 60),
        "images": progress.images,
        "alarms": [tell_alarm(alarm.name) for alarm in progress.alarms],
        "curve_title": title,
        "curve": curve,
        "sheet": sheet.name if sheet else "",
        "captions": runs.sheet_captions(found.path),
        "model": model,
        "ahead": ahead,
        "asleep": found.open and not jobs.workers_alive(Worker.Kind.WORKSHOP),
        "may_steer": may(request.user, "training-stop"),
    }


def _curve(progress: runs.Progress) -> tuple[str, str]:
    """How well pictures that were kept out find their captions; where that was not asked, how the loss falls.

    A title and a drawing; both are empty where there is nothing to draw yet.
    """
    at = lambda row: row["seconds"] / 60  # noqa: E731
    title, label = _("How well it tells captions apart"), _("kept-out pictures that find their caption, percent")
    points = [
        (at(row), 100 * (row["top1_validation"] or 0.0)) for row in progress.validations if "top1_validation" in row
    ]
    if len(points) < 2:
        title, label = _("What it gets wrong in matching pictures and captions"), _("loss")
        points = [
            (at(row), row["discriminator/sentence"]) for row in progress.terms if row.get("discriminator/sentence")
        ]
    if len(points) < 2:
        return "", ""
    points = points[:: max(1, len(points) // MOST_POINTS)]
    return title, mark_safe(line_plot([Series("", points)], title, _("minutes of training"), label))


@require_GET
def sheet(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The newest sample sheet: rows are balances 0, 0.5, 1 and the real pictures, columns captions."""
    found = runs.newest_sheet(get_object_or_404(Training, pk=key).path)
    if found is None:
        raise Http404
    return HttpResponse(found.read_bytes(), content_type="image/png")


@require_POST
def stop(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Let a training save and end."""
    rules.stop(get_object_or_404(Training, pk=key), request.user)
    return redirect("training", key)


@require_POST
def resume(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Let a training go on."""
    rules.resume(get_object_or_404(Training, pk=key), request.user)
    return redirect("training", key)
