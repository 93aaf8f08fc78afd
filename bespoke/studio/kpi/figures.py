"""How are the figures counted? From decisions alone; knows neither HTTP nor the database.

A figure of few decisions is chance: `decided` stands beside each. They say what reviewers did, not how good a model is:
reviewers, texts and product lines differ from week to week.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

_Key = TypeVar("_Key", bound=Hashable)


class Decision(NamedTuple):
    """One picture that was decided."""

    at: datetime
    kind: str  # approved, revise or rejected, as it was decided first
    model: str  # name and identity
    line: str  # product line; empty where none was named
    request: Any
    begun_at: datetime  # of the request
    round: int  # key of its round
    drawn: int  # pictures of the round


class Prices(NamedTuple):
    """See models.Rates."""

    bought_picture: float
    bought_revision: float
    own_round: float
    own_picture: float


class Figures(NamedTuple):
    """What decisions come to."""

    decided: int
    approved: int
    revised: int
    rejected: int
    revisions_per_approved: float | None  # None: nothing was approved
    approval_rate: float | None  # of all decisions, in [0, 1]
    lead_median: float | None  # hours from a request's first order to its first approval
    lead_p90: float | None
    own_cost: float | None  # None: no prices
    bought_cost: float | None  # of as many approved pictures and revisions


def count(decisions: Sequence[Decision], prices: Mapping[str, Prices]) -> Figures:
    """The figures of some decisions. prices: by product line, "" for all others."""
    kinds = Counter(decision.kind for decision in decisions)
    approved, revised, rejected = (kinds[kind] for kind in ("approved", "revise", "rejected"))
    first: dict[Any, Decision] = {}
    for decision in decisions:
        if decision.kind == "approved":
            known = first.get(decision.request)
            if known is None or decision.at < known.at:
                first[decision.request] = decision
    hours = sorted((decision.at - decision.begun_at).total_seconds() / 3600 for decision in first.values())
    own, bought = _costs(decisions, prices)
    return Figures(
        decided=len(decisions),
        approved=approved,
        revised=revised,
        rejected=rejected,
        revisions_per_approved=revised / approved if approved else None,
        approval_rate=approved / len(decisions) if decisions else None,
        lead_median=quantile(hours, 0.5),
        lead_p90=quantile(hours, 0.9),
        own_cost=own,
        bought_cost=bought,
    )


def _costs(decisions: Sequence[Decision], prices: Mapping[str, Prices]) -> tuple[float | None, float | None]:
    own = bought = 0.0
    rounds: set[int] = set()
    usual = prices.get("")
    for decision in decisions:
        price = prices.get(decision.line, usual)
        if price is None:
            return None, None
        if decision.round not in rounds:
            rounds.add(decision.round)
            own += price.own_round + decision.drawn * price.own_picture
        if decision.kind == "approved":
            bought += price.bought_picture
        elif decision.kind == "revise":
            bought += price.bought_revision
    return (own, bought) if decisions else (None, None)


def by(decisions: Iterable[Decision], key: Callable[[Decision], _Key]) -> dict[_Key, list[Decision]]:
    """The decisions of each key, keys as they sort."""
    parts: dict[_Key, list[Decision]] = {}
    for decision in decisions:
        parts.setdefault(key(decision), []).append(decision)
    return {each: parts[each] for each in sorted(parts)}  # type: ignore[type-var]


def week_of(moment: datetime) -> date:
    """The Monday of a week, by UTC."""
    day = moment.date()
    return day - timedelta(days=day.weekday())


def quantile(rising: Sequence[float], share: float) -> float | None:
    """Between the two nearest of numbers that rise; None for none."""
    if not rising:
        return None
    place = share * (len(rising) - 1)
    low = int(place)
    high = min(low + 1, len(rising) - 1)
    return rising[low] + (place - low) * (rising[high] - rising[low])
