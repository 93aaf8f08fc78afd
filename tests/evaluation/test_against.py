"""Is an earlier report compared only where both were measured alike, and is chance not called progress?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bespoke.errors import UserError
from bespoke.evaluation.against import Before, as_data, read_before, summary
from bespoke.evaluation.examine import Examination
from bespoke.evaluation.intervals import Estimate
from bespoke.evaluation.report import page
from bespoke.evaluation.result import Evaluation, Row
from bespoke.evaluation.result import as_data as report_data
from bespoke.evaluation.verdict import verdict_balance
from bespoke.pages.texts import LANGUAGES


@pytest.fixture
def evaluation(evaluation: Evaluation) -> Evaluation:
    """By judges that see and read, whatever so small ones do, and far from real pictures."""
    cards = tuple(replace(card, examination=TRUSTED) for card in evaluation.judges)
    return replace(evaluation, judges=cards, rows=tuple(replace(row, advantage=None) for row in evaluation.rows))


@pytest.fixture
def file(evaluation: Evaluation, tmp_path: Path) -> Path:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report_data(evaluation)))
    return file


TRUSTED = Examination("validation", 60, {"blur": [1.0, 2.0, 3.0]}, 0.1, 0.5, 100, 0.01, 0.9, 0.5)


def shifted(evaluation: Evaluation, metric: str, by: float) -> Evaluation:
    """The evaluation with every value of a metric moved, its interval with it."""

    def move(row: Row) -> Row:
        if row.metric != metric:
            return row
        value, low, high, n = row.generated
        return replace(row, generated=Estimate(value + by, low + by, high + by, n))

    return replace(evaluation, rows=tuple(move(row) for row in evaluation.rows))


def test_a_model_beside_itself_has_no_clear_difference(evaluation: Evaluation, file: Path) -> None:
    changes = read_before(file).changes(evaluation)
    assert len(changes) >= 6 * len(evaluation.judges) - 2
    assert set(summary(changes).values()) == {"unclear"}


@pytest.mark.parametrize(
    ("metric", "by", "direction"),
    [
        ("precision", 5.0, "better"),
        ("precision", -5.0, "worse"),
        ("frechet", 1e4, "worse"),
        ("frechet", -1e4, "better"),
    ],
)
def test_what_is_far_apart_is_better_or_worse(
    evaluation: Evaluation, file: Path, metric: str, by: float, direction: str
) -> None:
    found = summary(read_before(file).changes(shifted(evaluation, metric, by)))
    assert found.pop(metric) == direction
    assert set(found.values()) == {"unclear"}


def test_judges_that_disagree_leave_it_unclear(evaluation: Evaluation, file: Path) -> None:
    better = shifted(evaluation, "precision", 5.0)
    first = evaluation.judges[0].family
    mixed = tuple(new if new.judge == first else old for new, old in zip(better.rows, evaluation.rows, strict=True))
    changes = read_before(file).changes(replace(evaluation, rows=mixed))
    assert {change.direction for change in changes if change.metric == "precision"} == (
        {"better", "unclear"} if len(evaluation.judges) > 1 else {"better"}
    )


def test_judges_that_failed_and_scores_beyond_real_pictures_are_no_progress(evaluation: Evaluation, file: Path) -> None:
    before, better = read_before(file), shifted(shifted(evaluation, "precision", 5.0), "retrieval", 5.0)
    assert summary(before.changes(better)) | {"precision": "better", "retrieval": "better"} == summary(
        before.changes(better)
    )
    blind = replace(TRUSTED, distances={"blur": [1.0, 1.0, 1.0]})
    unseen = replace(better, judges=tuple(replace(card, examination=blind) for card in better.judges))
    unread = replace(blind, retrieval=0.0)
    unknown = replace(better, judges=tuple(replace(card, examination=unread) for card in better.judges))
    html = page(unknown, "en", before=before)
    assert "Nothing can be compared: no judge passed its examination" in html
    assert "Better or worse is said only where" not in html
    assert set(summary(before.changes(unseen))) <= {"retrieval", "swap"}
    unread = replace(TRUSTED, retrieval=0.0)
    told = replace(better, judges=tuple(replace(card, examination=unread) for card in better.judges))
    assert not {"retrieval", "swap"} & set(summary(before.changes(told)))
    beyond = tuple(replace(row, advantage=9.0) if row.metric == "retrieval" else row for row in better.rows)
    assert summary(before.changes(replace(better, rows=beyond)))["retrieval"] == "unclear"


@pytest.mark.parametrize("value", [float("nan"), "x", None])
def test_a_report_whose_numbers_are_none_is_refused(file: Path, value: object) -> None:
    data = json.loads(file.read_text("utf-8"))
    data["rows"][0]["generated"]["low"] = value
    file.write_text(json.dumps(data), "utf-8")
    with pytest.raises(UserError, match="not the report of a model"):
        read_before(file)


def alike(before: Before, evaluation: Evaluation, **changed: object) -> None:
    protocol = evaluation.protocol
    asked: dict[str, object] = {
        "fingerprint": protocol.fingerprint,
        "split": protocol.split,
        "seed": protocol.seed,
        "num_pictures": protocol.num_pictures,
        "judges": [card.identity for card in evaluation.judges],
        "balance": verdict_balance(evaluation),
    }
    before.check_alike(**(asked | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"fingerprint": "0" * 64}, "another catalogue"),
        ({"split": "train"}, "another split"),
        ({"seed": 99}, "another seed"),
        ({"num_pictures": 7}, "another number of pictures"),
        ({"judges": ["somebody"]}, "other judges"),
        ({"balance": 0.123}, "no numbers at balance 0.123"),
    ],
)
def test_what_was_measured_otherwise_is_refused(
    evaluation: Evaluation, file: Path, changed: dict[str, object], said: str
) -> None:
    before = read_before(file)
    alike(before, evaluation)
    with pytest.raises(UserError, match=said):
        alike(before, evaluation, **changed)


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', '{"format": 99, "rows": []}'])
def test_another_file_is_no_report(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(UserError, match="--against .*report.json: (not the report|from another version)"):
        read_before(tmp_path)
    with pytest.raises(UserError, match="No such file"):
        read_before(tmp_path / "none.json")


def test_page_and_json_say_what_has_changed(evaluation: Evaluation, file: Path) -> None:
    before = read_before(file.parent)
    now = shifted(evaluation, "precision", 5.0)
    for language, word in zip(LANGUAGES, ("better", "改善"), strict=True):
        assert f">{word}<" in page(now, language, before=before)
        assert f">{word}<" not in page(evaluation, language, before=before)
    data = json.loads(json.dumps(as_data(before, before.changes(now))))
    assert data["summary"]["precision"] == "better"
    assert data["model_name"] == evaluation.protocol.model_name
