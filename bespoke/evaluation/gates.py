"""May this model be released? Each gate holds one number of an evaluation against its limit.

All are about the balance that the verdict is about. A gate that no judge can answer is not passed, and neither is one
whose number beats real pictures: both say that nothing is known. A model that passes has reached what somebody asked
for on the pictures that were measured; that is no proof that every picture it will draw is fit to be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bespoke.evaluation.result import Evaluation, Row
from bespoke.evaluation.verdict import share_of_real, verdict_balance
from bespoke.pages.texts import Line
from bespoke.settings import GateSettings

DEFAULT_GATES = GateSettings()


class Gate(NamedTuple):
    """One gate, what was measured, and the sentences that say so."""

    name: str  # the key of GateSettings
    measured: float | None  # None where no judge can tell
    limit: float
    passed: bool
    said: Line
    advice: Line | None  # what to do; None where there is nothing to be done


def check_gates(evaluation: Evaluation, settings: GateSettings = DEFAULT_GATES) -> list[Gate]:
    """Every gate that is asked, in the order of the settings; the judge that thinks least of the model counts."""
    seeing = {card.family for card in evaluation.judges if card.examination.sees}
    reading = {card.family for card in evaluation.judges if card.examination.reads}
    everybody = {card.family for card in evaluation.judges}
    balance, gates = verdict_balance(evaluation), []
    for name, metric, judges in (
        ("realism", "precision", seeing),
        ("distance", "frechet", seeing),
        ("variety", "coverage", seeing),
        ("faithfulness", "retrieval", reading),
        ("copies", "near_copies", everybody),
    ):
        limit = getattr(settings, name)
        if limit is not None:
            rows = [row for row in evaluation.find(metric, balance) if row.judge in judges]
            gates.append(_gate(name, rows, limit, evaluation))
    return gates


def all_passed(gates: Sequence[Gate]) -> bool:
    """Whether a model with these gates may be released."""
    return all(gate.passed for gate in gates)


def summary(gates: Sequence[Gate]) -> Line:
    """What the gates come to."""
    if not gates:
        return Line("gates.none")
    failed = sum(not gate.passed for gate in gates)
    return Line("gates.failed", {"failed": failed, "count": len(gates)}) if failed else Line("gates.passed", good=True)


def _gate(name: str, rows: list[Row], limit: float, evaluation: Evaluation) -> Gate:
    if not rows:
        return Gate(name, None, limit, False, Line(f"gate.{name}_unknown"), Line("advice.unknown", {"gate": name}))
    if name == "copies":
        measured = max(row.generated.value for row in rows)
    elif name == "distance":
        measured = max(1 / share_of_real(row) for row in rows)
    else:
        measured = min(share_of_real(row) for row in rows)
    reached = measured <= limit if name in ("copies", "distance") else measured >= limit
    exceeds = name == "faithfulness" and any(row in evaluation.alarms for row in rows)
    passed = reached and not exceeds
    advice = "advice.exceeds" if exceeds else f"advice.{name}"
    times = name == "distance"
    values: dict[str, int | str] = {"measured": _written(measured, limit, times), "limit": _text(limit, times)}
    return Gate(name, measured, limit, passed, Line(f"gate.{name}", values, passed), None if passed else Line(advice))


def _text(value: float, times: bool) -> str:
    return f"{value:g}" if times else f"{100 * value:g}%"


def _written(value: float, limit: float, times: bool) -> str:
    """A number with as many digits as it takes to see on which side of the limit it lies."""
    scale = 1 if times else 100
    for digits in range(9):
        shown = round(value * scale, digits)
        if (shown < limit * scale, shown > limit * scale) == (value < limit, value > limit):
            break
    return f"{shown:,.{digits}f}{'' if times else '%'}"
