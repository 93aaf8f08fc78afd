from __future__ import annotations

import json
import re
import statistics
import sys
from pathlib import Path

import pytest

from bespoke.cli import run
from bespoke.evaluation.scores import METRICS
from bespoke.experiments.ablations import ABLATIONS

FAST = ("--images", "16", "--preset", "test32", "--num-pictures", "50", "--language", "en")


pytestmark = pytest.mark.usefixtures("at_place")


def test_arms_are_compared_and_more_seeds_can_be_added(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", "shop", "--out", "arms", "--arms", "dual,no-words", *FAST]
    assert run([*command, "--seeds", "1"]) == 0
    told = capsys.readouterr().out
    assert told.count("Finished.") == 2
    assert "With one seed nothing counts" in Path("arms/comparison.html").read_text("utf-8")
    before = {path: path.stat().st_mtime_ns for path in Path("arms/results").iterdir()}

    # What is there is only read.
    assert run([*command, "--seeds", "2"]) == 0
    assert capsys.readouterr().out.count("Finished.") == 2
    assert {path: path.stat().st_mtime_ns for path in before} == before
    data = json.loads(Path("arms/comparison.json").read_text("utf-8"))
    rows = {(row["metric"], row["arm"]): row for row in data["rows"]}
    assert {metric for metric, _ in rows} <= set(METRICS)
    assert {metric for metric, _ in rows} >= {"frechet", "kernel", "precision", "retrieval", "diversity", "near_copies"}
    for (metric, arm), row in rows.items():
        assert row["mean"] == pytest.approx(statistics.fmean(row["values"]))
        assert row["deviation"] == pytest.approx(statistics.stdev(row["values"]))
        # The difference from features, picture by picture, is that of the evaluations' numbers.
        if arm == "no-words":
            found = row["difference"]["interval"]
            assert found["value"] == pytest.approx(row["mean"] - rows[metric, "dual"]["mean"], abs=1e-6), metric
            assert found["low"] <= found["high"]
        else:
            assert row["difference"] is None
    assert Path("arms/comparison.md").read_text("utf-8").count("\n| ") == len(data["rows"]) + 1
    html = Path("arms/comparison.html").read_text("utf-8")
    assert html.count("<svg") == 2  # one for each metric that decides
    assert re.findall(r"<script|href=|url\(|@import|srcset|<img", html) == []

    told = data["protocol"]
    assert (told["split"], told["num_pictures"], told["seed"], told["training_seed"]) == ("validation", 50, 0, 0)
    assert "model" not in told  # there are several
    (judge,) = told["judges"]
    assert f"<td>judge patches</td><td class='say'>{judge['identity'][:12]}." in html

    # Another budget or config is another experiment.
    for change, message in (
        (("--images", "24"), "dual-0: made with budget.images=16, now 24 is asked for"),
        (("--set", "loss.kl=0"), "dual-0: made with loss.kl=0.5, now 0.0 is asked for"),
    ):
        assert run([*command, "--seeds", "1", *change]) == 2
        assert message in capsys.readouterr().err
    assert run([*command, "--seeds", "2", "--language", "ja"]) == 0
    japanese = Path("arms/comparison.html").read_text("utf-8")
    assert '<html lang="ja">' in japanese
    for told in ("学習で見せた画像 16 枚", "検証用の画像 50 枚", ABLATIONS["no-words"].question.ja):
        assert told in japanese
    prose = japanese.partition("測定の手順")[0]  # below, names are those of the JSON
    visible = re.sub(r"<style>.*?</style>|<[^>]+>", " ", prose, flags=re.DOTALL)
    assert re.findall(r"[a-z]+ [a-z]+ [a-z]+ [a-z]+", visible) == []  # no English sentence
    assert "validation" not in visible


MISTAKES = [
    (["shop", "--arms", "dual,fancy", *FAST], "--arms dual,fancy: no arm 'fancy'; choose of dte-faithful, df-gan"),
    (["shop", "--arms", "dual,no-opening", *FAST], "with these settings no-opening is the same as dual; leave one"),
    (["shop", "--seeds", "0", *FAST], "--seeds 0: expected 1 or more"),
    (["shop", "--preset", "test32"], "compare: no budget; say how long each model is trained"),
    (["shop", *FAST, "--minutes", "1"], "expected one of the two"),
    (["shop", *FAST, "--set", "loss.beauty=1"], "--set 'loss.beauty=1': expected key=value"),
    (["shop", *FAST, "--split", "half"], "--split half: expected one of train, validation, test"),
    (["shop", *FAST, "--split", "test"], "shop: no pictures for test, at least 50 are needed"),
    (["shop", *FAST, "--balance", "2"], "--balance 2: expected a number from 0"),
    (["nowhere", *FAST], "nowhere: no such folder"),
    (["shop", *FAST, "--out", "shop/arms"], "shop/arms: inside the catalogue"),
    (["shop", *FAST, "--out", "shop-photos"], "shop-photos: holds files of something else (first: 1.png)"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(a)[:40] for a, _ in MISTAKES])
def test_a_mistake_is_one_line_and_nothing_is_trained(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("shop-photos").mkdir(exist_ok=True)
    Path("shop-photos/1.png").write_bytes(b"")
    assert run(["compare", "--out", "new", *arguments]) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(r"bespoke: .+\n", told)
    assert message in told
    assert not Path("new").exists()


def test_asking_for_help_loads_nothing_that_takes_long() -> None:
    before = set(sys.modules)
    for command in ("compare", "tune"):
        assert run([command, "--help"]) == 0
        assert f"bespoke.commands.{command}" not in set(sys.modules) - before
