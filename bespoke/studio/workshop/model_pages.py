"""What is known of a model, how good is it, and who may draw with it?"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bespoke.studio import jobs
from bespoke.studio.access import may
from bespoke.studio.models import TrainedModel
from bespoke.studio.workshop import against, comparing, evaluating, promotion, reports, runs
from bespoke.studio.workshop.forms import AudienceForm, CompareForm, EvaluateForm, PromoteForm
from bespoke.studio.workshop.models import Comparison, Evaluation, Promotion, Training


@require_GET
def model(request: HttpRequest, key: int) -> HttpResponse:
    """The page of one model."""
    return render(request, "workshop/model.html", _shown(request, key))


@require_GET
def state(request: HttpRequest, key: int) -> HttpResponse:
    """Only the part on evaluation, which changes while one runs."""
    return render(request, "workshop/model-state.html", _shown(request, key))


def _shown(request: HttpRequest, key: int) -> dict[str, Any]:
    found = get_object_or_404(TrainedModel, pk=key)
    run = settings.HOME.models / found.name
    training = Training.objects.filter(run=found.name).select_related("version__catalogue").first()
    evaluations = evaluating.of(found)
    done = evaluations.filter(state=Evaluation.State.DONE).first()
    asked = {"version": training.version.pk, "split": evaluating.split_to_ask(training.version)} if training else {}
    data = evaluating.report(done) if done else {}
    return {
        "model": found,
        "training": training,
        "card": runs.card_lines(run),
        "evaluation": done,
        "data": data,
        "against": {"title": against.title(data), "lines": against.lines(data)},
        "last": evaluations.first(),
        "evaluate_form": EvaluateForm(initial=asked),
        "passing": promotion.passing(found),
        "promote_form": PromoteForm(),
        "is_first": promotion.current() == found,
        "previous": promotion.previous(),
        "history": Promotion.objects.filter(model=found).select_related("by")[:10],
        "audience_form": AudienceForm(initial={"limited": found.limited, "users": found.users.all()}),
        "may_evaluate": may(request.user, "evaluate"),
        "may_promote": may(request.user, "promote"),
    }


@require_POST
def evaluate(request: HttpRequest, key: int) -> HttpResponse:
    """Order an evaluation."""
    found, form = get_object_or_404(TrainedModel, pk=key), EvaluateForm(request.POST)
    if form.is_valid() and found.identity:
        evaluating.order(found, request.user, **form.cleaned_data)
    else:
        told = [line for name, lines in form.errors.items() if name != "version" for line in lines]
        messages.error(request, " ".join(told) or _("Choose a catalogue that is there."))
    return redirect("model", key)


@require_GET
def report(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The whole report on a model."""
    return reports.as_page(get_object_or_404(Evaluation, pk=key).path)


@require_POST
def promote(request: HttpRequest, key: int) -> HttpResponse:
    """Offer a model first."""
    found, form = get_object_or_404(TrainedModel, pk=key), PromoteForm(request.POST)
    try:
        promotion.promote(found, request.user, reason=form.cleaned_data["reason"] if form.is_valid() else "")
    except promotion.NotAllowedError:
        told = _("Not promoted: it must be registered, and have passed its gates or be given a reason.")
        messages.error(request, told)
    return redirect("model", key)


@require_POST
def roll_back(request: HttpRequest) -> HttpResponse:
    """Offer the model first that was before."""
    try:
        return redirect("model", promotion.roll_back(request.user).model_id)
    except promotion.NotAllowedError:
        messages.error(request, _("There is no model to go back to."))
    return redirect("models")


@require_POST
def audience(request: HttpRequest, key: int) -> HttpResponse:
    """Limit a model to some people, or open it to all."""
    found, form = get_object_or_404(TrainedModel, pk=key), AudienceForm(request.POST)
    if form.is_valid():
        chosen = list(form.cleaned_data["users"]) if form.cleaned_data["limited"] else None
        promotion.limit(found, request.user, chosen)
    return redirect("model", key)


@require_http_methods(["GET", "POST"])
def compare(request: HttpRequest) -> HttpResponse:
    """The form for a comparison."""
    if request.method != "POST":
        given = {"first": promotion.current(), "second": request.GET.get("second")}
        return _compare_page(request, CompareForm(initial=given))
    form = CompareForm(request.POST)
    if not form.is_valid():
        return _compare_page(request, form, 422)
    try:
        with transaction.atomic():
            made = comparing.compare(user=request.user, **form.cleaned_data)
    except jobs.QueueFullError:
        form.add_error(None, _("Too many orders are waiting. Try again in a minute."))
        return _compare_page(request, form, 429)
    return redirect("comparison", made.pk)


def _compare_page(request: HttpRequest, form: CompareForm, status: int = 200) -> HttpResponse:
    return render(request, "workshop/compare.html", {"form": form}, status=status)


@require_GET
def comparison(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Two models side by side."""
    return render(request, "workshop/comparison.html", _side_by_side(key))


@require_GET
def comparison_state(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Only the part that changes."""
    return render(request, "workshop/comparison-state.html", _side_by_side(key))


def _side_by_side(key: uuid.UUID) -> dict[str, Any]:
    found = get_object_or_404(Comparison.objects.select_related("first", "second"), pk=key)
    pairs = comparing.pairs(found)
    waits = any(job is not None and job.open for pair in pairs for job in (pair.first, pair.second))
    return {"comparison": found, "pairs": pairs, "waits": waits}
