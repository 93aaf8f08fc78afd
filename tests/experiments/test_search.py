"""Does a search remember, go on, and tell failures from bad numbers?"""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bespoke.cli import run
from bespoke.config import PRESETS, resolve
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.evaluation.examine import Examined
from bespoke.experiments.bench import Bench, Measured, Train, claim_experiment
from bespoke.experiments.search import SPACE, STUDY, Search, aims, as_options, of_preset, space_of
from bespoke.training.plan import Budget, Plan, read_plan
from bespoke.training.step import Diverged

FAST = ("--images", "16", "--preset", "test32", "--num-pictures", "50", "--language", "en")


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_searched_can_be_trained_with_and_holds_the_preset_itself(preset: str) -> None:
    outside = f"training.augment={SPACE['training.augment'].high + 0.1:.2f}"
    for key, values in space_of(preset, []).items():
        for num_pictures in (1, 1000, 10**6):
            assert values.low <= of_preset(preset, [], num_pictures)[key] <= values.high, key
        for end in (values.low, values.high):
            resolve(preset, [f"{key}={end!r}"])
    assert "training.augment" not in space_of(preset, [outside])


def test_the_aims_are_relative_to_real_pictures_and_nothing_is_gained_beyond_them(judges: list[Examined]) -> None:
    def measured(distance: float, hits: float) -> Measured:
        rows = [
            {"metric": "frechet", "generated_half": {"value": distance}, "real": {"value": 0.5}},
            {"metric": "retrieval", "generated": {"value": hits}, "real": {"value": 0.6}},
        ]
        return Measured("trial-000", [row | {"judge": "patches", "balance": 0.5} for row in rows], {}, {})

    assert aims(measured(2.0, 0.3), judges) == (pytest.approx(4.0), 0.3)
    assert aims(measured(0.5, 0.9), judges) == (pytest.approx(1.0), 0.6)


def test_a_trial_that_was_broken_off_goes_on_as_the_same_trial(bench: Bench, stopping: Train) -> None:
    bench = replace(bench, plan=bench.plan.model_copy(update={"budget": Budget(images=24)}))
    claim_experiment(bench.out, "tune")
    assert not Search(replace(bench, train=stopping), "test32", ()).run(1)
    began = read_plan(bench.out / "trial-000")
    assert began.config == bench.plan.config  # the first is the preset as it is
    search = Search(bench, "test32", ())
    assert search.trials() == []
    assert search.run(1)
    (trial,) = search.trials()
    assert (trial.number, trial.settings, trial.reason, trial.best) == (0, {}, None, True)
    assert trial.distance is not None
    assert not (bench.out / "trial-000" / "checkpoints").exists()
    with pytest.raises(UserError, match="out: made with budget.images=24, now 16 is asked for"):
        Search(replace(bench, plan=bench.plan.model_copy(update={"budget": Budget(images=16)})), "test32", ())


def test_a_search_that_goes_on_tries_what_it_would_have_tried(bench: Bench) -> None:
    def diverging(plan: Plan, store: PairStore, run: Path) -> bool:
        raise UserError("training keeps diverging") from Diverged()

    at_once, in_two = (replace(bench, out=bench.out / name, train=diverging) for name in ("one", "two"))
    for each in (at_once, in_two):
        claim_experiment(each.out, "tune")
    tried = Search(at_once, "test32", ())
    assert tried.run(4)
    assert Search(in_two, "test32", ()).run(2)
    assert Search(in_two, "test32", ()).run(4)
    assert Search(in_two, "test32", ()).trials() == tried.trials()
    assert len({as_options(trial.settings) for trial in tried.trials()}) == 4


@pytest.mark.parametrize("content", [b"notes on a study", b"SQLite format 3\0 cut off"])
def test_a_file_that_is_no_study_is_named(content: bytes, bench: Bench) -> None:
    claim_experiment(bench.out, "tune")
    (bench.out / STUDY).write_bytes(content)
    with pytest.raises(
        UserError,
        match=r"study.db: no search \(file is not a database\); put it aside",
    ):
        Search(bench, "test32", ())
    assert (bench.out / STUDY).read_bytes() == content


@pytest.mark.usefixtures("at_place")
def test_a_search_reports_the_best_trade_offs_as_options_to_train_with(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["tune", "shop", "--out", "a search", *FAST, "--set", "training.beta1=0.2"]
    assert run([*command, "--trials", "1"]) == 0
    assert run([*command, "--trials", "2"]) == 0
    told = capsys.readouterr().out
    assert told.count("Finished.") == 2
    assert "Trial 1 (2 of 2): --set training.generator_rate=" in told
    trials = json.loads(Path("a search/search.json").read_text("utf-8"))["trials"]
    assert [trial["number"] for trial in trials] == [0, 1]
    assert trials[0]["settings"] == {}
    tried = resolve("test32", ["training.beta1=0.2", *re.findall(r"--set (\S+)", trials[1]["options"])])
    assert tried == read_plan(Path("a search/trial-001")).config  # what is shown is what was trained
    assert tried.training.beta1 == 0.2  # what is set is not searched for
    best = {trial["number"] for trial in trials if trial["best"]}
    assert best
    for trial in trials:
        beaten = any(
            other["distance"] <= trial["distance"] and other["alignment"] >= trial["alignment"]
            for other in trials
            if other is not trial
        )
        assert beaten == (trial["number"] not in best)
    html = Path("a search/search.html").read_text("utf-8")
    assert html.count("<circle") == 2
    assert re.findall(r"<script|href=|url\(|@import|srcset|<img", html) == []


def test_a_small_catalogue_is_asked_about_all_that_was_kept_out(
    at_place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = shutil.copytree(at_place / "shop", tmp_path / "small")
    table = small / "metadata.jsonl"
    rows = [json.loads(line) for line in table.read_text("utf-8").splitlines()]
    for row in rows[-20:]:
        row["split"] = "test"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert run(["tune", str(small), "--out", str(tmp_path / "out"), *FAST, "--trials", "1"]) == 0
    assert "30 pictures for validation are fewer than 50: asked about all" in capsys.readouterr().out
    told = json.loads((tmp_path / "out" / "search.json").read_text("utf-8"))
    assert (told["split"], told["protocol"]["split"], told["protocol"]["num_pictures"]) == ("held-out", "held-out", 50)
    (judge,), (real,) = told["protocol"]["judges"], told["real"]
    assert (judge["judge"], judge["reads"]) == ("patches", False)  # hardly taught
    assert real["distance"] > 0
    assert 0 <= real["alignment"] <= 1
    page = (tmp_path / "out" / "search.html").read_text("utf-8")
    assert "No judge passed the examination of its reading" in page  # and is counted all the same, which is said
    assert f"<td>judge patches</td><td class='say'>{judge['identity'][:12]}." in page
    assert f"<td>fingerprint</td><td class='say'>{told['protocol']['fingerprint']}</td>" in page
    assert "Chosen on pictures for validation and test" in page
    assert run(["tune", str(small), "--out", str(tmp_path / "other"), *FAST, "--split", "test"]) == 2
    assert "20 pictures for test, at least 50 are needed" in capsys.readouterr().err


@pytest.mark.usefixtures("at_place")
def test_training_that_diverges_is_a_failed_trial_and_not_a_bad_one(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["tune", "shop", "--out", "diverging", "--trials", "1", *FAST, "--images", "64"]
    assert run([*command, "--set", "training.generator_rate=1e30"]) == 0
    assert "Trial 0 failed: diverging/trial-000: training keeps diverging" in capsys.readouterr().out
    (trial,) = json.loads(Path("diverging/search.json").read_text("utf-8"))["trials"]
    assert (trial["distance"], trial["alignment"], trial["best"]) == (None, None, False)
    assert "training keeps diverging" in trial["reason"]
    assert "could not be trained" in Path("diverging/search.html").read_text("utf-8")


MISTAKES = [
    (["shop", "--trials", "0", *FAST], "--trials 0: expected 1 or more"),
    (["shop", "--preset", "test32"], "tune: no budget; say how long each model is trained"),
    (["shop", *FAST, *(f"--set={key}={values.high}" for key, values in SPACE.items())], "tune: every value that could"),
    (["nowhere", *FAST], "nowhere: no such folder"),
    (["shop", *FAST, "--out", "what?"], "what?: a search cannot be kept in a folder with a ? in its name"),
]


@pytest.mark.usefixtures("at_place")
@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tune", "--out", "new", *arguments]) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(r"bespoke: .+\n", told)
    assert message in told


@pytest.mark.usefixtures("at_place")
def test_without_optuna_one_line_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert run(["tune", "shop", "--out", "new", *FAST]) == 2
    assert capsys.readouterr().err == "bespoke: tune: the search needs optuna; pip install optuna\n"
    assert not Path("new").exists()


def test_options_are_as_train_takes_them() -> None:
    assert (
        as_options({"loss.kl": 0.25, "training.text_rate": 0.000123})
        == "--set loss.kl=0.25 --set training.text_rate=0.000123"
    )
