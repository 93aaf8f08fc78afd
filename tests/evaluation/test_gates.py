"""Does a model pass its gates exactly when its numbers reach the limits that were asked?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from bespoke.config import resolve, resolve_gates
from bespoke.errors import UserError
from bespoke.evaluation.gates import all_passed, check_gates, summary
from bespoke.evaluation.intervals import Estimate
from bespoke.evaluation.report import page
from bespoke.evaluation.report_texts import gate_sentence
from bespoke.evaluation.result import Evaluation, Row
from bespoke.evaluation.verdict import FAIR, FAR, MOST_COPIES, weigh
from bespoke.pages.texts import LANGUAGES
from bespoke.settings import GateSettings

REACHED = {"precision": 0.45, "frechet": 9.0, "coverage": 0.45, "retrieval": 0.45, "near_copies": 0.05}


def at(value: float) -> Estimate:
    return Estimate(value, value - 0.05, value + 0.05, 600)


def outcome(
    evaluation: Evaluation, *, sees: bool = True, reads: bool = True, ahead: float | None = None, **values: float
) -> Evaluation:
    """The evaluation with one judge, and scores that just reach the default limits where no others are given.

    Real pictures get 0.9. ahead: by how many standard errors captions are found better than for real pictures.
    """
    found = 0.5 if reads else 0.0
    exam = replace(
        evaluation.judges[0].examination,
        distances={"blur": [1.0, 2.0, 3.0]},
        floor=0.0 if sees else 1e9,
        retrieval=found,
        retrieval_shuffled=0.0,
        swap=0.9,
        swap_shuffled=0.5,
    )
    rows = tuple(
        Row("residual", balance, name, at(value), at(0.9), None, None, ahead if name == "retrieval" else None)
        for balance in evaluation.protocol.balances
        for name, value in (REACHED | values).items()
    )
    return replace(evaluation, judges=(replace(evaluation.judges[0], examination=exam),), rows=rows)


def failed(evaluation: Evaluation, settings: GateSettings | None = None) -> list[str]:
    return [gate.name for gate in check_gates(evaluation, settings or GateSettings()) if not gate.passed]


@pytest.mark.parametrize(
    ("values", "fails"),
    [
        ({}, []),
        ({"precision": 0.449}, ["realism"]),
        ({"frechet": 9.01}, ["distance"]),
        ({"coverage": 0.1, "retrieval": 0.0}, ["variety", "faithfulness"]),
        ({"near_copies": 0.051}, ["copies"]),
        ({"sees": False}, ["realism", "distance", "variety"]),
        ({"reads": False}, ["faithfulness"]),
        ({"retrieval": 0.95, "ahead": 2.1}, ["faithfulness"]),
    ],
)
def test_a_gate_fails_below_its_limit_and_where_nobody_can_tell(
    evaluation: Evaluation, values: dict[str, float], fails: list[str]
) -> None:
    measured = outcome(evaluation, **values)  # type: ignore[arg-type]
    gates = check_gates(measured)
    assert failed(measured) == fails
    assert all_passed(gates) == (not fails)
    for gate in gates:
        assert (gate.advice is None) == gate.passed
        assert (gate.measured is None) == gate.said.key.endswith("_unknown")


def test_copies_that_cannot_be_told_are_no_clean_bill(evaluation: Evaluation) -> None:
    measured = outcome(evaluation)
    untold = replace(measured, rows=tuple(row for row in measured.rows if row.metric != "near_copies"))
    (gate,) = (gate for gate in check_gates(untold) if gate.name == "copies")
    assert (gate.passed, gate.measured, gate.said.key) == (False, None, "gate.copies_unknown")
    assert any(line.key == "copies_untold" for line in weigh(untold).reasons)
    assert weigh(untold).decision == "partly"


def test_a_model_that_repeats_its_training_pictures_is_of_no_use(evaluation: Evaluation) -> None:
    assert weigh(outcome(evaluation, near_copies=0.2)).decision == "partly"
    assert weigh(outcome(evaluation, near_copies=0.9)).decision == "poor"


def test_where_real_pictures_get_nothing_no_gate_opens(evaluation: Evaluation) -> None:
    measured = outcome(evaluation)
    rows = tuple(replace(row, real=at(0.0)) if row.metric == "precision" else row for row in measured.rows)
    assert failed(replace(measured, rows=rows)) == ["realism"]


def test_the_judge_that_thinks_less_of_a_model_counts(evaluation: Evaluation) -> None:
    one = outcome(evaluation)
    other = replace(one.judges[0], family="patches")
    rows = tuple(replace(row, judge="patches", generated=at(0.3)) for row in one.rows if row.metric == "coverage")
    assert failed(replace(one, judges=(*one.judges, other), rows=(*one.rows, *rows))) == ["variety"]


def test_limits_can_be_changed_and_gates_left_out() -> None:
    run = resolve("test32", ["gates.realism=0.8"])
    assert resolve_gates(run) == GateSettings(realism=0.8)
    assert resolve_gates(run, ["gates.copies=null", "gates.realism=1"]) == GateSettings(realism=1, copies=None)
    for wrong, told in (
        ("gates.realism=-1", "^--set gates.realism=-1: Input should be greater than or equal to 0; mend the value$"),
        ("gates.distance=Infinity", "^--set gates.distance=inf: Input should be a finite number; mend the value$"),
        ("loss.kl=1", "^--set 'loss.kl=1': expected key=value with one of: gates.realism, .*gates.copies$"),
    ):
        with pytest.raises(UserError, match=told):
            resolve_gates(run, [wrong])


def test_a_gate_that_is_not_asked_is_not_held_against_a_model(evaluation: Evaluation) -> None:
    measured = outcome(evaluation, reads=False, coverage=0.8)
    assert failed(measured, GateSettings(faithfulness=None, variety=0.9)) == ["variety"]
    nothing = dict.fromkeys(GateSettings.model_fields)
    assert check_gates(measured, GateSettings(**nothing)) == []
    assert "No gate is asked" in page(measured, "en", GateSettings(**nothing))


def test_unless_they_are_changed_gates_stop_what_the_verdict_calls_poor(evaluation: Evaluation) -> None:
    gates = GateSettings()
    assert gates.realism == gates.variety == gates.faithfulness == FAIR
    assert (gates.distance, gates.copies) == (FAR, MOST_COPIES)
    assert weigh(outcome(evaluation)).decision == "partly"


def test_a_failure_is_said_with_number_limit_and_what_to_do(evaluation: Evaluation) -> None:
    realism = check_gates(outcome(evaluation, precision=0.44999))[0]
    assert gate_sentence(realism.said, "en").endswith("49.999% of what real pictures reach (least: 50%).")
    assert realism.advice is not None
    assert gate_sentence(realism.advice, "en").startswith("Train longer")
    distance = check_gates(outcome(evaluation, frechet=9000.0))[1]
    assert "10,000 times as far" in gate_sentence(distance.said, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_opens_with_the_gates(evaluation: Evaluation, language: str) -> None:
    for measured, color in ((outcome(evaluation), "go"), (outcome(evaluation, precision=0.1, sees=False), "not_yet")):
        html = page(measured, language)  # type: ignore[arg-type]
        gates = check_gates(measured)
        first = html.index('<section class="verdict ')
        assert html[first:].startswith(f'<section class="verdict {color}"><b>')
        for line in (summary(gates), *(gate.said for gate in gates), *(gate.advice for gate in gates if gate.advice)):
            assert first < html.index(gate_sentence(line, language)) < html.index("</section>", first)  # type: ignore[arg-type]
