"""What do pictures cost, here and elsewhere?"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from bespoke.studio.audit import record
from bespoke.studio.kpi.figures import Prices
from bespoke.studio.kpi.models import Rates


def prices() -> dict[str, Prices]:
    """By product line, "" for all others."""
    return {
        rates.product_line: Prices(rates.bought_picture, rates.bought_revision, rates.own_round, rates.own_picture)
        for rates in Rates.objects.all()
    }


@transaction.atomic
def set_rates(user: Any, *, product_line: str, **asked: Any) -> Rates:
    """Write prices of a product line down; those that are told again replace the old."""
    rates, _fresh = Rates.objects.update_or_create(product_line=product_line.strip(), defaults=asked)
    record(user, "kpi.rates", rates, **asked)
    return rates
