"""Which pages are about gates and recalls? And the training pictures that reviewers compare with."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bespoke.studio.models import Picture, TrainedModel
from bespoke.studio.review import calibrations, recalls
from bespoke.studio.review.forms import LimitForm, MeasureForm, RecallForm
from bespoke.studio.review.models import Calibration
from bespoke.studio.tables import csv_answer
from bespoke.studio.workshop.models import Version

KINDS = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
SHOWN = 48  # pictures of a recall


@require_GET
def gates(request: HttpRequest) -> HttpResponse:
    """What each model's pictures have to reach."""
    return _gates_page(request)


def _gates_page(request: HttpRequest, wrong: TrainedModel | None = None, form: LimitForm | None = None) -> HttpResponse:
    models = list(TrainedModel.objects.filter(registered_at__isnull=False).order_by("name"))
    known: dict[int, list[Calibration]] = {model.pk: [] for model in models}
    for each in Calibration.objects.filter(model__in=models, identity=F("model__identity")).select_related(
        "version__catalogue"
    ):
        known[each.model_id].append(each)
    versions, rows = calibrations.versions(), []
    for model in models:
        done = [each for each in known[model.pk] if each.state == Calibration.State.DONE]
        rows.append(
            {
                "model": model,
                "now": max(done, key=lambda each: each.finished_at, default=None),
                "open": any(each.open for each in known[model.pk]),
                "failed": known[model.pk][-1] if known[model.pk] and not done else None,
                "limit": form if model == wrong and form else LimitForm(auto_id=f"limit-{model.pk}-%s"),
                "measure": MeasureForm(versions, auto_id=f"measure-{model.pk}-%s"),
            }
        )
    return render(request, "review/gates.html", {"rows": rows, "versions": versions}, status=422 if form else 200)


@require_POST
def gates_set(request: HttpRequest, key: int) -> HttpResponse:
    """Set the limits of a model by hand, or have them measured."""
    model = get_object_or_404(TrainedModel, pk=key, registered_at__isnull=False)
    if "measure" in request.POST:
        chosen = MeasureForm(calibrations.versions(), request.POST)
        if chosen.is_valid():
            calibrations.order(model, request.user, Version.objects.get(pk=chosen.cleaned_data["version"]))
        return redirect("gates")
    form = LimitForm(request.POST, auto_id=f"limit-{model.pk}-%s")
    if not form.is_valid():
        return _gates_page(request, model, form)
    calibrations.set_by_hand(model, request.user, **form.cleaned_data)
    return redirect("gates")


@require_GET
def training_picture(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """A real picture that a model has learned from: number `index` of those that were measured."""
    index = request.GET.get("index", "")
    if not (index.isascii() and index.isdecimal() and len(index) < 10):
        raise Http404
    calibration = get_object_or_404(Calibration.objects.select_related("version"), pk=key)
    file = calibrations.training_picture(calibration, int(index))
    if file is None or (kind := KINDS.get(file.suffix.lower())) is None:
        raise Http404
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return HttpResponse(file.read_bytes(), content_type=kind, headers=headers)


@require_http_methods(["GET", "POST"])
def recall(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """What is like a picture, where it went, and a form that withdraws it."""
    picture = get_object_or_404(Picture.objects.select_related("job"), pk=key)
    form = RecallForm(request.POST or None, initial={"by": _chosen(request)})
    if request.method == "POST" and form.is_valid():
        made = recalls.recall(recalls.like(picture, form.cleaned_data["by"]), request.user, form.cleaned_data["reason"])
        if made is None:
            messages.error(request, _("All of them were recalled before."))
        else:
            number = made.pictures.count()
            told = ngettext("%(number)s picture is recalled.", "%(number)s pictures are recalled.", number)
            messages.success(request, told % {"number": number})
        return redirect(f"{request.path}?by={form.cleaned_data['by']}")
    by = _chosen(request)
    found = recalls.like(picture, by).select_related("job", "proposal", "recalled").order_by("-created_at")
    gone = recalls.exports_of(picture, by)
    shown = {
        "picture": picture,
        "form": form,
        "by": by,
        "choices": RecallForm.base_fields["by"].choices,
        "number": found.count(),
        "found": found[:SHOWN],
        "exports": gone[:SHOWN],
        "num_exports": gone.count(),
    }
    return render(request, "review/recall.html", shown, status=422 if form.errors else 200)


@require_GET
def recall_exports(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Where all of them went, as CSV."""
    picture = get_object_or_404(Picture.objects.select_related("job"), pk=key)
    rows = (
        (e.export.at.isoformat(), e.export.by.get_username(), e.export.purpose, e.export_id, e.picture_id, e.sha256)
        for e in recalls.exports_of(picture, _chosen(request))
    )
    return csv_answer("recall", ("at", "by", "purpose", "export", "picture", "sha256"), rows)


def _chosen(request: HttpRequest) -> str:
    by = request.GET.get("by", "picture")
    return by if by in recalls.LIKE else "picture"
