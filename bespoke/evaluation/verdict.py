"""What do the numbers mean to somebody who has to decide? A verdict against real pictures, with its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from bespoke.evaluation.result import Evaluation, Row
from bespoke.evaluation.scores import SMALL_IS_GOOD
from bespoke.pages.texts import Line

Decision = Literal["good", "partly", "poor", "unknown"]

# Rules of thumb, not measured limits: the share of what real pictures get.
GOOD, FAIR = 0.8, 0.5
NEAR, FAR = 2.0, 10.0  # times the distance that real pictures have from each other
MOST_COPIES = 0.05  # share of pictures; real ones that were held out have 0.01
TOO_MANY_COPIES = 0.5  # what draws mostly copies is of no use, however real they look
LEAST_SHARE = 1e-6  # keeps its reciprocal finite
FEW = 500  # pictures; below, intervals are wide
USUAL_BALANCE = 0.5  # of `bespoke generate`: the verdict is about the balance closest to it, whichever is best


class Verdict(NamedTuple):
    """The decision, the balance it is about, and its grounds."""

    decision: Decision
    balance: float
    reasons: list[Line]


def weigh(evaluation: Evaluation) -> Verdict:
    """The verdict on one balance; the judge that thinks less of the model counts."""
    balance, reasons = verdict_balance(evaluation), []
    seeing = {card.family for card in evaluation.judges if card.examination.sees}
    reading = {card.family for card in evaluation.judges if card.examination.reads}
    for key, metric, trusted in (
        ("realism", "precision", seeing),
        ("variety", "coverage", seeing),
        ("text", "retrieval", reading),
    ):
        rows = [row for row in evaluation.find(metric, balance) if row.judge in trusted]
        if not rows:
            reasons.append(Line(f"{key}_unknown"))
            continue
        worst = min(rows, key=share_of_real)
        good, fair = share_of_real(worst) >= GOOD, share_of_real(worst) >= FAIR
        values: dict[str, int | str] = {
            "generated": percent((worst.generated_half or worst.generated).value),
            "real": percent(worst.real.value),
            "of": evaluation.protocol.retrieval_of,
        }
        if key == "realism":
            times = max(1 / share_of_real(row) for row in evaluation.find("frechet", balance) if row.judge in trusted)
            good, fair = good and times <= NEAR, fair and times <= FAR
            values["times"] = f"{times:.2g}" if times < 10 else f"{round(times):,}"
        grade = "good" if good else "fair" if fair else "poor"
        if key == "text" and any(row in evaluation.alarms for row in rows):
            grade = "exceeds"  # what beats reality is no success
        reasons.append(Line(f"{key}_{grade}", values, good=grade == "good"))
    reasons += _warnings(evaluation, balance)
    return Verdict(_decide(reasons), balance, reasons)


def verdict_balance(evaluation: Evaluation) -> float:
    """The balance that decides: of those evaluated, the closest to the usual one."""
    return usual_balance(evaluation.protocol.balances)


def usual_balance(balances: Sequence[float]) -> float:
    """Of these, the closest to the usual one."""
    return min(balances, key=lambda b: (abs(b - USUAL_BALANCE), b))


def share_of_real(row: Row) -> float:
    """A score over what real pictures get at the same number of pictures; for a distance, the other way round.

    Where real pictures get nothing, a judge says nothing good of anybody: 0; no distance at all is 1.
    """
    parts = (row.generated_half or row.generated).value, row.real.value
    value, full = parts[::-1] if row.metric in SMALL_IS_GOOD else parts
    return max(value, LEAST_SHARE * full) / full if full > 0 else float(row.metric in SMALL_IS_GOOD)


def percent(value: float) -> str:
    """0.123 as 12%."""
    return f"{round(100 * value)}%"


def _decide(reasons: list[Line]) -> Decision:
    if any(line.key.endswith("_poor") for line in reasons):
        return "poor"
    if any(line.key.endswith("_unknown") for line in reasons):
        return "unknown"
    return "good" if all(line.good for line in reasons if line.key != "few") else "partly"


def _warnings(evaluation: Evaluation, balance: float) -> Iterator[Line]:
    copies = [row.generated.value for row in evaluation.find("near_copies", balance)]
    if not copies:
        yield Line("copies_untold")
    elif max(copies) > MOST_COPIES:
        yield Line("copies_poor" if max(copies) > TOO_MANY_COPIES else "copies", {"share": percent(max(copies))})
    else:
        yield Line("no_copies", good=True)
    if alarms := len([row for row in evaluation.alarms if row.balance == balance]):
        yield Line("alarms", {"count": alarms})
    if evaluation.protocol.num_pictures < FEW:
        yield Line("few", {"count": evaluation.protocol.num_pictures})
