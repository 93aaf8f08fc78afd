"""Which pages show the figures?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone as clock
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from bespoke.studio.audit import record
from bespoke.studio.kpi.charts import line_chart, scatter_chart
from bespoke.studio.kpi.correlation import FEWEST, Correlation, rank_correlation
from bespoke.studio.kpi.evaluations import METRICS, Measured, measured
from bespoke.studio.kpi.figures import Decision, Figures, Prices, by, count, week_of
from bespoke.studio.kpi.forms import WEEKS, PeriodForm, RatesForm
from bespoke.studio.kpi.models import Rates
from bespoke.studio.review.models import Proposal
from bespoke.studio.review.queue import product_lines
from bespoke.studio.tables import csv_answer, xlsx_answer

NAMES = {
    "retrieval": gettext_lazy("Finds its text (R@1)"),
    "precision": gettext_lazy("Realism (precision)"),
    "coverage": gettext_lazy("Variety (coverage)"),
    "frechet": gettext_lazy("Distance to real pictures (small is good)"),
}
HEADING = ("group", "name", *Figures._fields)


class Beside(NamedTuple):
    """A metric beside revisions, over model versions."""

    name: Any
    found: Correlation
    chart: SafeString | None


class Counted(NamedTuple):
    """Everything of a period."""

    form: PeriodForm
    total: Figures
    weeks: dict[str, Figures]
    lines: dict[str, Figures]
    models: dict[str, Figures]
    metrics: dict[str, Measured]


def _decisions(weeks: int) -> dict[date, tuple[Decision, ...]]:
    """All decisions of so many weeks up to this one, by Monday. They stay as they are, so past weeks are read once."""
    this, over = week_of(clock.now()), week_of(clock.now() - timedelta(hours=1))  # what is late is still read
    mondays = [this - timedelta(weeks=back) for back in reversed(range(weeks))]
    return {monday: (_past if monday < over else _week)(monday) for monday in mondays}


def _week(monday: date) -> tuple[Decision, ...]:
    since = datetime.combine(monday, time(), UTC)
    found = Proposal.objects.filter(decided_at__gte=since, decided_at__lt=since + timedelta(weeks=1)).values_list(
        "decided_at",
        "approved_at",
        "state",
        "picture__model_name",
        "round__request__product_line",
        "round__request_id",
        "round__request__begun_at",
        "round_id",
        "round__job__num_images",
    )
    return tuple(
        Decision(at, "approved" if approved else state, name, line, request, begun, round_, drawn)
        for at, approved, state, name, line, request, begun, round_, drawn in found
    )


_past = lru_cache(maxsize=2 * max(WEEKS))(_week)


def _counted(request: HttpRequest) -> Counted:
    asked = request.GET.get("weeks", "")
    weeks = next((number for number in WEEKS if str(number) == asked), WEEKS[0])
    weekly = _decisions(weeks)
    names = sorted({decision.model for part in weekly.values() for decision in part})
    form = PeriodForm(product_lines(), names, request.GET)
    if form.is_valid() and (form.cleaned_data["line"] or form.cleaned_data["model"]):
        line, model = form.cleaned_data["line"], form.cleaned_data["model"]
        weekly = {
            monday: tuple(d for d in part if (not line or d.line == line) and (not model or d.model == model))
            for monday, part in weekly.items()
        }
    decisions = [decision for part in weekly.values() for decision in part]
    prices = {
        rates.product_line: Prices(rates.bought_picture, rates.bought_revision, rates.own_round, rates.own_picture)
        for rates in Rates.objects.all()
    }

    def parts(key: Callable[[Decision], str]) -> dict[str, Figures]:
        return {name: count(part, prices) for name, part in by(decisions, key).items()}

    models = parts(lambda decision: decision.model)
    return Counted(
        form=form,
        total=count(decisions, prices),
        weeks={monday.isoformat(): count(part, prices) for monday, part in weekly.items()},
        lines=parts(lambda decision: decision.line),
        models=models,
        metrics=measured(list(models)),
    )


def _beside(counted: Counted) -> list[Beside]:
    found = []
    for metric in METRICS:
        points = [
            (counted.metrics[name].metrics[metric], figure.revisions_per_approved, name)
            for name, figure in counted.models.items()
            if figure.revisions_per_approved is not None
            and name in counted.metrics
            and metric in counted.metrics[name].metrics
        ]
        correlation = rank_correlation([x for x, _y, _n in points], [y for _x, y, _n in points])
        label = NAMES[metric]
        chart = scatter_chart(points, str(label), str(label), _("Revisions per approved picture")) if points else None
        found.append(Beside(label, correlation, chart))
    return found


@require_GET
def kpi(request: HttpRequest) -> HttpResponse:
    """The figures of a period, in charts and tables."""
    counted = _counted(request)
    days = [week[5:] for week in counted.weeks]

    def chart(title: str, value: Callable[[Figures], float | None], unit: str = "") -> tuple[str, SafeString]:
        return title, line_chart(days, [value(figure) for figure in counted.weeks.values()], title, unit)

    shown = {
        "form": counted.form,
        "total": counted.total,
        "saved": _saved(counted.total),
        "charts": [
            chart(_("Revisions per approved picture"), lambda f: f.revisions_per_approved),
            chart(_("Approval rate"), lambda f: None if f.approval_rate is None else 100 * f.approval_rate, "%"),
            chart(_("Hours from request to approval (median)"), lambda f: f.lead_median),
            chart(_("Approved pictures"), lambda f: float(f.approved)),
        ],
        "tables": [
            (_("By product line"), [(name or _("None named"), f, _saved(f)) for name, f in counted.lines.items()]),
            (_("By model version"), [(name, f, _saved(f)) for name, f in counted.models.items()]),
        ],
        "beside": _beside(counted),
        "fewest": FEWEST,
        "num_measured": len(counted.metrics),
        "currency": getattr(Rates.objects.first(), "currency", ""),
        "query": request.GET.urlencode(),
    }
    return render(request, "kpi/kpi.html", shown)


def _saved(found: Figures) -> float | None:
    return None if found.own_cost is None or found.bought_cost is None else found.bought_cost - found.own_cost


@require_GET
def kpi_export(request: HttpRequest) -> HttpResponse:
    """The same as CSV or, with `format=xlsx`, as a workbook."""
    counted = _counted(request)
    groups = {"total": {"": counted.total}, "week": counted.weeks, "line": counted.lines, "model": counted.models}
    rows: list[Sequence[Any]] = [(group, name, *f) for group, found in groups.items() for name, f in found.items()]
    if request.GET.get("format") != "xlsx":
        return csv_answer("kpi", HEADING, rows)
    metrics = [
        ("model", *METRICS),
        *((name, *(each.metrics.get(metric) for metric in METRICS)) for name, each in counted.metrics.items()),
    ]
    return xlsx_answer("kpi", {"figures": [HEADING, *rows], "metrics": metrics})


@require_http_methods(["GET", "POST"])
def kpi_rates(request: HttpRequest) -> HttpResponse:
    """Prices, by product line; those that are told again replace the old."""
    form = RatesForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        asked = {**form.cleaned_data, "product_line": form.cleaned_data["product_line"].strip()}
        with transaction.atomic():
            rates, _fresh = Rates.objects.update_or_create(product_line=asked.pop("product_line"), defaults=asked)
            record(request.user, "kpi.rates", rates, **asked)
        return redirect("kpi-rates")
    shown = {"form": form, "rates": Rates.objects.all(), "lines": product_lines()}
    return render(request, "kpi/rates.html", shown, status=422 if form.errors else 200)
