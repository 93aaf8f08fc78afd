"""How do the figures reach a program?"""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from bespoke.studio.api.errors import answers
from bespoke.studio.api.fields import Text, checked
from bespoke.studio.kpi import counting
from bespoke.studio.kpi import figures as rules
from bespoke.studio.kpi.correlation import rank_correlation
from bespoke.studio.kpi.evaluations import METRICS
from bespoke.studio.kpi.forms import RatesForm
from bespoke.studio.kpi.models import Rates
from bespoke.studio.kpi.rates import set_rates

router = Router(tags=["figures"])


class Figures(Schema):
    """What decisions come to. Of few decisions it is chance: look at `decided`."""

    decided: int
    approved: int
    revised: int
    rejected: int
    revisions_per_approved: float | None = Field(description="null: nothing was approved.")
    approval_rate: float | None = Field(description="Of all decisions, 0 to 1.")
    lead_median: float | None = Field(description="Hours from a request's first order to its first approval.")
    lead_p90: float | None
    own_cost: float | None = Field(description="null: no prices.")
    bought_cost: float | None = Field(description="Of as many approved pictures and revisions.")


class Named(Figures):
    """The figures of one week, product line or model version."""

    name: str


class Beside(Schema):
    """What judges measured beside revisions per approved picture, over model versions."""

    metric: str
    n: int = Field(description="Model versions.")
    value: float | None = Field(description="Rank correlation; null: too few.")
    low: float | None = Field(description="Of its 95% interval.")
    high: float | None


class Kpi(Schema):
    """The figures of a period."""

    total: Figures
    weeks: list[Named] = Field(description="By Monday, UTC.")
    product_lines: list[Named]
    models: list[Named] = Field(description="By name and identity of the weights.")
    beside: list[Beside]


class Prices(Schema):
    """What pictures of a product line cost; the one without a name is for all others."""

    product_line: Text = Field("", max_length=100)
    currency: Text = Field("JPY", min_length=1, max_length=8)
    bought_picture: float = Field(ge=0, le=10**9, description="Outsourced: one picture.")
    bought_revision: float = Field(ge=0, le=10**9, description="Outsourced: one revision.")
    own_round: float = Field(ge=0, le=10**9, description="Here: work of one round.")
    own_picture: float = Field(ge=0, le=10**9, description="Here: machine time of one picture.")


class Which(Schema):
    """Which decisions."""

    weeks: Literal[13, 26, 52] = 13
    product_line: Text = Field("", max_length=100)
    model: Text = Field("", max_length=150, description="Name and identity, as `models` has them.")


@router.get("/kpi", response=answers(Kpi), url_name="kpi")
def read_kpi(request: HttpRequest, which: Query[Which]) -> dict[str, object]:
    """Decisions, revisions, time and cost."""
    found = counting.counted(counting.decisions(int(which.weeks)), which.product_line, which.model)
    beside: list[dict[str, object]] = []
    for metric in METRICS:
        points = counting.pairs(found, metric)
        told = rank_correlation([x for x, _y, _n in points], [y for _x, y, _n in points])
        beside.append({"metric": metric, **told._asdict()})
    return {
        "total": found.total,
        "weeks": _named(found.weeks),
        "product_lines": _named(found.lines),
        "models": _named(found.models),
        "beside": beside,
    }


@router.get("/kpi/prices", response=answers(list[Prices]), url_name="kpi-prices")
def list_prices(request: HttpRequest) -> list[Rates]:
    """Prices by product line."""
    return list(Rates.objects.all())


@router.post("/kpi/prices", response=answers(Prices), url_name="kpi-prices")
def set_prices(request: HttpRequest, prices: Prices) -> Rates:
    """Prices of a product line; they replace what was told before."""
    return set_rates(request.user, **checked(RatesForm(prices.dict())))


def _named(part: dict[str, rules.Figures]) -> list[dict[str, object]]:
    return [{"name": name, **figures._asdict()} for name, figures in part.items()]
