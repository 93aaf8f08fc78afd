"""What do the decisions of some weeks come to, in all and by week, product line and model version?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from django.utils import timezone

from bespoke.studio.kpi.evaluations import METRICS, Measured, measured
from bespoke.studio.kpi.figures import Decision, Figures, Prices, by, count, week_of
from bespoke.studio.kpi.forms import WEEKS
from bespoke.studio.kpi.rates import prices
from bespoke.studio.review.models import Proposal

Weekly = dict[date, tuple[Decision, ...]]  # by Monday


class Counted(NamedTuple):
    """Everything of a period."""

    total: Figures
    weeks: dict[str, Figures]  # by Monday, YYYY-MM-DD
    lines: dict[str, Figures]
    models: dict[str, Figures]  # by name and identity
    metrics: dict[str, Measured]  # of these models


def decisions(weeks: int) -> Weekly:
    """All decisions of so many weeks up to this one. They stay as they are, so past weeks are read once."""
    this, over = week_of(timezone.now()), week_of(timezone.now() - timedelta(hours=1))  # what is late is still read
    mondays = [this - timedelta(weeks=back) for back in reversed(range(weeks))]
    return {monday: (_past if monday < over else _week)(monday) for monday in mondays}


def models_of(weekly: Weekly) -> list[str]:
    """The model versions whose pictures were decided on."""
    return sorted({decision.model for part in weekly.values() for decision in part})


def counted(weekly: Weekly, line: str = "", model: str = "") -> Counted:
    """The figures, of one product line and one model version where they are named."""
    kept = weekly
    if line or model:
        kept = {
            monday: tuple(d for d in part if (not line or d.line == line) and (not model or d.model == model))
            for monday, part in weekly.items()
        }
    all_of_them, known = [decision for part in kept.values() for decision in part], prices()

    def parts(key: Callable[[Decision], str]) -> dict[str, Figures]:
        return {name: count(part, known) for name, part in by(all_of_them, key).items()}

    models = parts(lambda decision: decision.model)
    return Counted(
        total=count(all_of_them, known),
        weeks={monday.isoformat(): _of_week(monday, part, known) for monday, part in kept.items()},
        lines=parts(lambda decision: decision.line),
        models=models,
        metrics=measured(list(models)),
    )


def pairs(found: Counted, metric: str) -> list[tuple[float, float, str]]:
    """For each model version that has both: a metric of METRICS, revisions per approved picture, its name."""
    assert metric in METRICS
    return [
        (found.metrics[name].metrics[metric], figure.revisions_per_approved, name)
        for name, figure in found.models.items()
        if figure.revisions_per_approved is not None and name in found.metrics and metric in found.metrics[name].metrics
    ]


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


def _of_week(monday: date, part: tuple[Decision, ...], known: dict[str, Prices]) -> Figures:
    """The figures of a week; counted once for the same decisions and prices."""
    before = _known_weeks.get(monday)
    if before is None or before[0] is not part or before[1] != known:
        before = _known_weeks[monday] = part, known, count(part, known)
    return before[2]


_known_weeks: dict[date, tuple[tuple[Decision, ...], dict[str, Prices], Figures]] = {}
_past = lru_cache(maxsize=2 * max(WEEKS))(_week)
