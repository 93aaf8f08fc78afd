from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import torch

from bespoke.cli import run
from bespoke.config import PRESETS, resolve
from bespoke.data.captions import Tokenizer
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline
from bespoke.training.plan import Budget, Plan, write_plan


@pytest.fixture(scope="module")
def place(boxes_folder: Path) -> Path:
    """The catalogue's parent folder, which a model that was never trained is put into."""
    folder = boxes_folder.parent
    tokenizer = Tokenizer.train(["a small red box", "a large blue post"], 320)
    torch.manual_seed(0)
    networks = build_networks(PRESETS["test32"].model, tokenizer.vocabulary_size)
    (folder / "run").mkdir()
    Pipeline(networks, tokenizer).save_pretrained(folder / "run" / "model")
    signals = {"step": 1, "images": 8, "caption_sensitivity": 0.123, "cka": 0.456}
    (folder / "run" / "metrics.jsonl").write_text(json.dumps(signals) + "\n" + '{"step": 2}\n', "utf-8")
    return folder


@pytest.fixture(autouse=True)
def _small(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("BESPOKE_CACHE", str(place / "cache"))
    monkeypatch.setattr("bespoke.evaluation.teach.PICTURES", 128)
    monkeypatch.setattr("bespoke.commands.evaluate.FAMILIES", ("patches",))
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def test_a_model_is_evaluated_into_a_report_that_is_not_overwritten(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in Path("boxes").iterdir()}
    command = ["evaluate", "run", "boxes", "--balance", "0.25", "--num-pictures", "50"]
    assert run(command) == 0
    told = capsys.readouterr().out
    assert "This is about balance 0.25" in told
    assert told.endswith("Report: evaluation-run/report.html\n")
    data = json.loads(Path("evaluation-run/report.json").read_text("utf-8"))
    assert data["protocol"]["num_pictures"] == 50
    assert data["protocol"]["balances"] == [0.25]
    assert data["protocol"]["split"] == "validation"
    assert data["protocol"]["model_name"].startswith("run ")
    assert data["monitors"]["cka"] == 0.456
    assert "0.456" in Path("evaluation-run/report.html").read_text("utf-8")
    assert {path: path.read_bytes() for path in Path("boxes").iterdir()} == before
    # The judges are there now: a second evaluation teaches none.
    monkeypatch.setattr("bespoke.evaluation.teach.teach", lambda *args, **kwargs: pytest.fail("taught again"))
    assert run([*command, "--language", "ja,en"]) == 0
    assert '<html lang="ja">' in Path("evaluation-run-2/report.html").read_text("utf-8")
    assert '<html lang="en">' in Path("evaluation-run-2/report.en.html").read_text("utf-8")
    assert Path("evaluation-run-2/report.en.json").exists()
    again = json.loads(Path("evaluation-run-2/report.json").read_text("utf-8"))
    assert again["rows"] == data["rows"]


def test_ctrl_c_while_a_judge_learns_says_what_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bespoke.evaluation.teach.judge_of", interrupted)
    assert run(["evaluate", "run", "boxes", "--num-pictures", "50", "--out", "stopped"]) == 130
    assert capsys.readouterr().out.endswith("is kept: the same command goes on from there.\n")
    assert not Path("stopped").exists()


def test_a_small_catalogue_is_asked_about_all_that_was_kept_out(
    boxes_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [json.loads(line) for line in (boxes_folder / "metadata.jsonl").read_text("utf-8").splitlines()]
    Path("small").mkdir()
    for number, row in enumerate(rows):
        row["split"] = ("validation", "test")[number % 2] if number < 62 else "train"
        (Path("small") / row["file_name"]).write_bytes((boxes_folder / row["file_name"]).read_bytes())
    Path("small/metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    command = ["evaluate", "run", "small", "--balance", "0.5", "--language", "en"]
    assert run([*command, "--out", "evaluation-small"]) == 0
    assert "31 pictures for validation are fewer than 50: asked about all that were kept out" in capsys.readouterr().out
    protocol = json.loads(Path("evaluation-small/report.json").read_text("utf-8"))["protocol"]
    assert (protocol["split"], protocol["num_pictures"]) == ("held-out", 62)
    # Whoever chooses is not overruled.
    assert run([*command, "--split", "validation", "--out", "none"]) == 2
    assert "31 pictures for validation, at least 50 are needed" in (told := capsys.readouterr().err)
    assert "choose --split train or held-out" in told


def test_a_gate_that_fails_ends_with_exit_code_1_and_says_what_to_do(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", "run", "boxes", "--balance", "0.5", "--num-pictures", "50", "--language", "en"]
    config = resolve("test32", ["gates.realism=0.7", "gates.copies=1"])
    write_plan(place / "run", Plan(catalogue="boxes", budget=Budget(images=8), config=config))
    assert run([*command, "--gate", "--out", "evaluation-gated"]) == 1  # the model was never trained
    told = capsys.readouterr().out
    assert re.search(r"\nRelease gates: Not to be released: \d of 5 gates failed\n  - Realism: ", told)
    data = json.loads(Path("evaluation-gated/report.json").read_text("utf-8"))
    assert data["gates_passed"] is False
    gates = {gate["gate"]: gate for gate in data["gates"]}
    assert gates["realism"]["limit"] == 0.7
    assert gates["realism"]["advice"] in told
    assert gates["copies"]["passed"]
    # What is not asked cannot fail.
    left_out = [f"--set=gates.{name}=null" for name in ("realism", "distance", "variety", "faithfulness")]
    assert run([*command, *left_out, "--gate"]) == 0
    assert "May be released" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "boxes", "--set", "gates.beauty=1"], "--set 'gates.beauty=1': expected key=value with one of: gates."),
        (["nowhere", "boxes"], "nowhere: no such folder; give a run, a model folder or a hub id like owner/name"),
        (["run", "nowhere"], "nowhere: no such"),
        (["boxes", "boxes"], "boxes: no model_index.json in it"),
        (["run", "boxes", "--balance", "1.5"], "--balance 1.5: expected a number from 0 (most varied) to 1"),
        (["run", "boxes", "--split", "half"], "--split half: expected one of train, validation, test, held-out"),
        (["run", "boxes", "--num-pictures", "10"], "--num-pictures 10: expected 50 or more; fewer say nothing"),
        (["run", "boxes", "--seed", "-1"], "--seed -1: expected a whole number from 0"),
        (["run", "boxes", "--language", "fr"], "--language fr: expected one of en, ja"),
        (["run", "boxes", "--out", "run"], "run: not empty"),
        (["run", "boxes", "--out", "boxes/report"], "boxes/report: inside the catalogue, which is left as it is"),
        (["run", "bare"], "no caption; write one or take the picture out"),
        (["run", "few"], "few: no pictures for validation, at least 50 are needed"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(
    place: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("bare", ""), ("few", "a red box")):
        (place / name).mkdir(exist_ok=True)
        (place / name / "0.png").write_bytes((place / "boxes" / "0.png").read_bytes())
        (place / name / "metadata.jsonl").write_text(json.dumps({"file_name": "0.png", "text": text}) + "\n", "utf-8")
    assert run(["evaluate", *arguments]) == 2
    told = capsys.readouterr().err
    assert told.startswith("bespoke: ")
    assert message in told
    assert told.count("\n") == 1


def test_asking_for_help_loads_nothing_that_takes_long() -> None:
    before = set(sys.modules)
    assert run(["evaluate", "--help"]) == 0
    assert "bespoke.commands.evaluate" not in set(sys.modules) - before
