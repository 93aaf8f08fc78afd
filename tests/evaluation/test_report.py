"""Does the report say what was found, in every language, and nothing else?"""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from bespoke.evaluation.intervals import Estimate
from bespoke.evaluation.report import page
from bespoke.evaluation.report_texts import TEXTS, sentence
from bespoke.evaluation.result import Evaluation, Row, as_data
from bespoke.evaluation.scores import METRICS
from bespoke.evaluation.verdict import weigh
from bespoke.pages.texts import LANGUAGES, Language


def at(value: float) -> Estimate:
    return Estimate(value, value - 0.05, value + 0.05, 600)


def outcome(evaluation: Evaluation, *, sees: bool = True, reads: bool = True, **values: float) -> Evaluation:
    """The evaluation with a judge of these abilities and these scores of generated pictures; real ones get 0.9."""
    exam = evaluation.judges[0].examination
    floor = 0.0 if sees else 1e9
    distances = {"blur": [1.0, 2.0, 3.0]}
    found = 0.5 if reads else 0.0
    exam = replace(
        exam, distances=distances, floor=floor, retrieval=found, retrieval_shuffled=0.0, swap=0.9, swap_shuffled=0.5
    )
    scores = {"precision": 0.9, "coverage": 0.9, "retrieval": 0.9, "frechet": 0.9, "near_copies": 0.01, **values}
    rows = tuple(
        Row("residual", balance, name, at(value), at(0.9), None, None, None)
        for balance in (0.0, 1.0)
        for name, value in scores.items()
    )
    judge = replace(evaluation.judges[0], examination=exam)
    return replace(evaluation, judges=(judge,), rows=rows, protocol=replace(evaluation.protocol, num_pictures=600))


@pytest.mark.parametrize(
    ("changes", "decision", "reason"),
    [
        ({}, "good", "no_copies"),
        ({"precision": 0.6}, "partly", "realism_fair"),
        ({"precision": 0.3}, "poor", "realism_poor"),
        ({"frechet": 5.0}, "partly", "realism_fair"),
        ({"frechet": 20.0}, "poor", "realism_poor"),
        ({"coverage": 0.2}, "poor", "variety_poor"),
        ({"retrieval": 0.6}, "partly", "text_fair"),
        ({"near_copies": 0.3}, "partly", "copies"),
        ({"reads": False}, "unknown", "text_unknown"),
        ({"sees": False}, "unknown", "realism_unknown"),
        ({"sees": False, "retrieval": 0.1}, "poor", "text_poor"),
    ],
)
def test_the_verdict_follows_from_the_numbers(
    evaluation: Evaluation, changes: dict[str, float], decision: str, reason: str
) -> None:
    verdict = weigh(outcome(evaluation, **changes))  # type: ignore[arg-type]
    assert verdict.decision == decision
    assert reason in [line.key for line in verdict.reasons]


def test_an_alarm_keeps_a_model_from_being_called_good(evaluation: Evaluation) -> None:
    good = outcome(evaluation)
    ahead = tuple(Row("residual", balance, "swap", at(0.99), at(0.9), None, None, 3.0) for balance in (0.0, 1.0))
    alarmed = replace(good, rows=(*good.rows, *ahead))
    assert weigh(alarmed).decision == "partly"
    assert "Alarms" in page(alarmed, "en")
    assert "3.0 standard errors better" in page(alarmed, "en")
    assert "Alarms" not in page(good, "en")


def test_finding_captions_better_than_on_real_pictures_is_no_success(evaluation: Evaluation) -> None:
    good = outcome(evaluation)
    ahead = tuple(replace(row, advantage=3.0) if row.metric == "retrieval" else row for row in good.rows)
    verdict = weigh(replace(good, rows=ahead))
    assert verdict.decision == "partly"
    assert [line.good for line in verdict.reasons if line.key == "text_exceeds"] == [False]


def test_a_judge_that_fails_is_not_asked_and_the_page_says_so(evaluation: Evaluation) -> None:
    failed = page(outcome(evaluation, reads=False), "en")
    assert "claims about faithfulness to the text are not possible" in failed
    assert "not reliable here" in failed
    assert "claims about faithfulness are possible" in page(outcome(evaluation), "en")


def test_a_judge_that_was_not_asked_about_words_says_so(evaluation: Evaluation) -> None:
    good = outcome(evaluation)
    exam = replace(good.judges[0].examination, swap=None, swap_shuffled=None)
    unasked = replace(good, judges=(replace(good.judges[0], examination=exam),))
    assert weigh(unasked).decision == "good"
    html = page(unasked, "en")
    assert "Whether it notices a single word cannot be asked" in html
    assert "Captions found beyond luck, in standard errors (3 needed instead)" in html
    assert "too few such words" in html
    assert "1 語の違いに気付くかどうかは確かめられません" in page(unasked, "ja")


def glanced(html: str) -> dict[str, list[str]]:
    """The cells of each line of the table of balances, by what it is called."""
    rows = re.findall(r"<tr><td>(.*?)</td>(.*?)</tr>", html[html.index("At each balance") :].split("</table>")[0])
    return {name: re.findall(r"<td>(.*?)</td>", cells) for name, cells in rows}


def test_only_judges_that_passed_speak_at_each_balance_and_it_says_which_and_of_how_many(
    evaluation: Evaluation,
) -> None:
    good = outcome(evaluation)
    blind = replace(outcome(evaluation, sees=False, reads=False).judges[0], family="patches")
    others = tuple(replace(row, judge="patches", generated=at(0.1), real=at(0.1)) for row in good.rows)
    halves = tuple(
        replace(row, generated_half=row.generated._replace(n=300)) if row.metric == "precision" else row
        for row in (*good.rows, *others)
    )
    both = replace(good, judges=(*good.judges, blind), rows=halves)
    table = {name.split(" <")[0]: (name, cells) for name, cells in glanced(page(both, "en")).items()}
    name, cells = table["Pictures that lie where real ones do"]
    assert cells == ["90%", "90%", "90%"]
    assert "residual; 300 pictures each" in name
    name, cells = next(each for key, each in table.items() if key.startswith("Caption found"))
    assert cells == ["90%", "90%", "90%"]
    assert "residual; 600 pictures each" in name
    name, _ = table["Suspected copies of training pictures"]  # of which even a weak judge has a say
    assert "residual, patches" in name
    nobody = replace(both, judges=(replace(blind, family="residual"), blind))
    told = glanced(page(nobody, "en"))
    marked = [name for name in told if "not reliable here" in name]
    assert len(marked) == len(told) - 1
    assert all(told[name] == ["50%", "50%", "50%"] for name in marked)


def test_the_balance_is_said_to_trade_variety_and_nothing_else(evaluation: Evaluation) -> None:
    html = page(evaluation, "en")
    assert "0 draws the most varied pictures, 1 the most alike" in html
    assert "leans on realism" not in html
    assert "最も多様" in page(evaluation, "ja")


def test_every_sentence_is_in_its_language_and_every_metric_has_a_name() -> None:
    for key, text in TEXTS.items():
        assert re.search("[\u3040-\u30ff\u4e00-\u9fff]", text.ja), key
        assert text.en.isascii() or "metric." in key, key
    assert all(f"metric.{metric}" in TEXTS for metric in METRICS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_nothing_from_elsewhere_and_shows_every_number(
    evaluation: Evaluation, language: Language
) -> None:
    html = page(evaluation, language)
    assert f'<html lang="{language}">' in html
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r"src=.(.{22})", html))
    assert re.findall(r"<script|href=|url\(|@import|srcset", html) == []
    balances = len(evaluation.protocol.balances)
    assert html.count("<img") == 16 * (1 + balances) + 2 * 8
    for card in evaluation.judges:
        assert card.identity in html
    assert html.count("<tr") > len(evaluation.rows)
    for value in (evaluation.protocol.fingerprint, evaluation.protocol.model, evaluation.protocol.torch):
        assert value in html
    for line in weigh(evaluation).reasons:
        assert sentence(line, language).split("'")[0] in html


def test_variety_is_told_as_what_is_measured_and_splits_in_the_language_of_the_page(evaluation: Evaluation) -> None:
    told = page(outcome(evaluation, coverage=0.2), "en")
    assert "20% of the real pictures have a generated one near them" in told
    assert "kinds of real pictures" not in told
    assert "Examined on 56 real pictures for validation" in told
    assert "検証用の実物 56 枚で試験" in page(evaluation, "ja")


def test_a_caption_cannot_bring_a_tag_into_the_page(evaluation: Evaluation) -> None:
    captions = ["<img src=x onerror=alert(1)>", *evaluation.pictures.captions[1:]]
    html = page(replace(evaluation, pictures=evaluation.pictures._replace(captions=captions)), "en")
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_the_numbers_for_programs_are_those_of_the_page(evaluation: Evaluation) -> None:
    data = json.loads(json.dumps(as_data(evaluation), allow_nan=False))
    assert len(data["rows"]) == len(evaluation.rows)
    first, row = data["rows"][0], evaluation.rows[0]
    assert first["generated"] == row.generated._asdict()
    assert first["metric"] == row.metric
    assert data["protocol"]["seed"] == 3
    assert data["judges"][0]["sees"] == evaluation.judges[0].examination.sees
    assert len(data["suspects"]) == 8
