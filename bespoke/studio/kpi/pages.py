"""Which pages show the figures?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from bespoke.studio.kpi.charts import line_chart, scatter_chart
from bespoke.studio.kpi.correlation import FEWEST, Correlation, rank_correlation
from bespoke.studio.kpi.counting import Counted, counted, decisions, models_of, pairs
from bespoke.studio.kpi.evaluations import METRICS
from bespoke.studio.kpi.figures import Figures
from bespoke.studio.kpi.forms import WEEKS, PeriodForm, RatesForm
from bespoke.studio.kpi.models import Rates
from bespoke.studio.kpi.rates import set_rates
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


def _asked(request: HttpRequest) -> tuple[PeriodForm, Counted]:
    asked = request.GET.get("weeks", "")
    weekly = decisions(next((number for number in WEEKS if str(number) == asked), WEEKS[0]))
    form = PeriodForm(product_lines(), models_of(weekly), request.GET)
    narrow = (form.cleaned_data["line"], form.cleaned_data["model"]) if form.is_valid() else ("", "")
    return form, counted(weekly, *narrow)


def _beside(found: Counted) -> list[Beside]:
    told = []
    for metric in METRICS:
        points = pairs(found, metric)
        correlation = rank_correlation([x for x, _y, _n in points], [y for _x, y, _n in points])
        label = NAMES[metric]
        chart = scatter_chart(points, str(label), str(label), _("Revisions per approved picture")) if points else None
        told.append(Beside(label, correlation, chart))
    return told


@require_GET
def kpi(request: HttpRequest) -> HttpResponse:
    """The figures of a period, in charts and tables."""
    form, found = _asked(request)
    days = [week[5:] for week in found.weeks]

    def chart(title: str, value: Callable[[Figures], float | None], unit: str = "") -> tuple[str, SafeString]:
        return title, line_chart(days, [value(figure) for figure in found.weeks.values()], title, unit)

    shown = {
        "form": form,
        "total": found.total,
        "saved": _saved(found.total),
        "charts": [
            chart(_("Revisions per approved picture"), lambda f: f.revisions_per_approved),
            chart(_("Approval rate"), lambda f: None if f.approval_rate is None else 100 * f.approval_rate, "%"),
            chart(_("Hours from request to approval (median)"), lambda f: f.lead_median),
            chart(_("Approved pictures"), lambda f: float(f.approved)),
        ],
        "tables": [
            (_("By product line"), [(name or _("None named"), f, _saved(f)) for name, f in found.lines.items()]),
            (_("By model version"), [(name, f, _saved(f)) for name, f in found.models.items()]),
        ],
        "beside": _beside(found),
        "fewest": FEWEST,
        "num_measured": len(found.metrics),
        "currency": getattr(Rates.objects.first(), "currency", ""),
        "query": request.GET.urlencode(),
    }
    return render(request, "kpi/kpi.html", shown)


def _saved(found: Figures) -> float | None:
    return None if found.own_cost is None or found.bought_cost is None else found.bought_cost - found.own_cost


@require_GET
def kpi_export(request: HttpRequest) -> HttpResponse:
    """The same as CSV or, with `format=xlsx`, as a workbook."""
    found = _asked(request)[1]
    groups = {"total": {"": found.total}, "week": found.weeks, "line": found.lines, "model": found.models}
    rows: list[Sequence[Any]] = [(group, name, *f) for group, part in groups.items() for name, f in part.items()]
    if request.GET.get("format") != "xlsx":
        return csv_answer("kpi", HEADING, rows)
    metrics = [
        ("model", *METRICS),
        *((name, *(each.metrics.get(metric) for metric in METRICS)) for name, each in found.metrics.items()),
    ]
    return xlsx_answer("kpi", {"figures": [HEADING, *rows], "metrics": metrics})


@require_http_methods(["GET", "POST"])
def kpi_rates(request: HttpRequest) -> HttpResponse:
    """Prices, by product line; those that are told again replace the old."""
    form = RatesForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        set_rates(request.user, **form.cleaned_data)
        return redirect("kpi-rates")
    shown = {"form": form, "rates": Rates.objects.all(), "lines": product_lines()}
    return render(request, "kpi/rates.html", shown, status=422 if form.errors else 200)
