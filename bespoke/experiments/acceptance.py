"""Does the balance do what its name says? A test that was fixed before anything was measured.

The balance is accepted where, by every judge that can be trusted, captions are found more often the higher it is, its
two ends are further apart than chance, something is paid for that, no cheaper trick reaches as much, and models that
were trained at one balance each are not clearly better. Where it fails, what it does control is named instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from bespoke.evaluation.examine import Examined
from bespoke.evaluation.intervals import Estimate
from bespoke.evaluation.judge import Family
from bespoke.evaluation.ranks import spearman
from bespoke.experiments.comparison import Direction, direction
from bespoke.experiments.front import Front, Point

RISES = 0.9  # least rank correlation of balance and R@1
LEAST_AREA = 0.95  # of the front of separate models
MOST_DISTANCE = 1.05  # times that of a model trained at the same balance
PRICES: Mapping[str, tuple[str, ...]] = {
    "realism": ("frechet", "precision"),
    "variety": ("recall", "diversity"),
}
NAMED = ("frechet", "kernel", "precision", "recall", "coverage", "retrieval", "swap", "diversity", "near_copies")

Result = Literal["accepted", "refused", "unknown"]
Controls = Literal["realism", "variety", "both", "free", "nothing", "wrong", "other"]


class Check(NamedTuple):
    """One line of the test, by one judge."""

    name: str  # rises, apart, price, best_of, extrapolation, model, middle
    judge: Family
    passed: bool
    values: Mapping[str, float]  # what it was decided by
    metrics: tuple[str, ...] = ()  # of `price`: what is paid


class Change(NamedTuple):
    """What a metric does from the lowest balance to the highest, where all trusted judges agree; else none."""

    metric: str
    direction: Direction


class Verdict(NamedTuple):
    """Whether the balance is accepted, on which grounds, and what it controls."""

    result: Result
    controls: Controls | None
    checks: Sequence[Check]
    changes: Sequence[Change]
    not_asked: Sequence[str]  # checks that need a rival which was not given


def accept(fronts: Sequence[Front]) -> Verdict:
    """The test over all judges that see and read; without any, nothing can be said."""
    trusted = [front for front in fronts if trusts(front.judge)]
    if not trusted or any("retrieval" not in front.points[0].scores for front in trusted):
        return Verdict("unknown", None, (), (), ())
    checks = [check for front in trusted for check in _checks(front)]
    changes = [Change(metric, _agreed(metric, trusted)) for metric in NAMED if metric in trusted[0].points[0].scores]
    asked = {check.name for check in checks}
    not_asked = [name for name in ("best_of", "model", "middle") if name not in asked]
    result: Result = "accepted" if all(check.passed for check in checks) else "refused"
    return Verdict(result, _controls(changes), checks, changes, not_asked)


def trusts(judge: Examined) -> bool:
    """Whether a judge may have a say about both distance and text."""
    return judge.examination.sees and judge.examination.reads


def _checks(front: Front) -> list[Check]:
    knob, family = front.knob, front.family
    first, last = knob[0].scores["retrieval"], knob[-1].scores["retrieval"]
    rank = spearman([p.way.value for p in knob], [p.scores["retrieval"].value for p in knob]) or 0.0
    paid = tuple(metric for metrics in PRICES.values() for metric in metrics if _is_paid(metric, knob[-1]))
    checks = [
        Check("rises", family, rank >= RISES, {"rank": rank}),
        Check("apart", family, first.high < last.low, {"high": first.high, "low": last.low}),
        Check("price", family, bool(paid), {}, paid),
    ]
    for kind in ("best_of", "extrapolation"):
        if kind in front.gains:
            gain = front.gains[kind]
            checks.append(Check(kind, family, gain.low > 0, {"share": front.shares[kind]} | _interval(gain)))
    if "model" in front.gains:
        share = front.shares["model"]
        checks.append(Check("model", family, share >= LEAST_AREA, {"share": share} | _interval(front.gains["model"])))
        checks += _middle(front)
    return checks


def _middle(front: Front) -> list[Check]:
    """The middle balance against models that were trained at it alone."""
    middle = front.knob[len(front.knob) // 2]
    rivals = [point for point in front.of("model") if point.way.value == middle.way.value]
    if not rivals:
        return []
    times = middle.scores["frechet"].value / min(point.scores["frechet"].value for point in rivals)
    return [Check("middle", front.family, times <= MOST_DISTANCE, {"times": times, "balance": middle.way.value})]


def _interval(found: Estimate) -> dict[str, float]:
    return {"gain": found.value, "low": found.low, "high": found.high}


def _is_paid(metric: str, last: Point) -> bool:
    return direction(metric, last.differences[metric]) in ("worse", "less")


def _agreed(metric: str, fronts: Sequence[Front]) -> Direction:
    found = {direction(metric, front.knob[-1].differences[metric]) for front in fronts}
    return found.pop() if len(found) == 1 else "none"


def _controls(changes: Sequence[Change]) -> Controls:
    """What goes up and what goes down with the balance, in one word."""
    by = {change.metric: change.direction for change in changes}
    paid = [name for name, metrics in PRICES.items() if any(by[metric] in ("worse", "less") for metric in metrics)]
    if by["retrieval"] == "worse":
        return "wrong"
    if by["retrieval"] == "none":
        return "other" if set(by.values()) - {"none"} else "nothing"
    if not paid:
        return "free"
    return "both" if len(paid) > 1 else "realism" if paid == ["realism"] else "variety"
