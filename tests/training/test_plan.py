from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from bespoke.config import resolve
from bespoke.data.columns import Columns
from bespoke.errors import UserError
from bespoke.training.plan import Base, Budget, Plan, check_free, claimed, forget_set_up, read_plan, write_plan

PLAN = Plan(
    catalogue="shop",
    skip_bad=True,
    columns=Columns(file="写真", template="{色}の{種類}"),
    base=Base(location="runs/first", identity="0123456789ab"),
    budget=Budget(images=1000),
    config=resolve("test32", ["seed=3", "loss.kl=0.25"]),
)


def test_a_plan_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_plan(tmp_path / "runs" / "first", PLAN)
    assert read_plan(tmp_path / "runs" / "first") == PLAN
    assert [path.name for path in (tmp_path / "runs" / "first").iterdir()] == ["config.json"]


def test_a_budget_is_minutes_or_images() -> None:
    assert Budget(images=200).share(seconds=1e9, images=50) == 0.25
    assert Budget(minutes=2).share(seconds=30, images=10**9) == 0.25
    for wrong in ({}, {"minutes": 1, "images": 1}, {"minutes": 0}, {"images": -5}):
        with pytest.raises(ValidationError):
            Budget(**wrong)


def test_a_fresh_run_needs_a_folder_of_its_own(tmp_path: Path) -> None:
    check_free(tmp_path)
    check_free(tmp_path / "new")
    (tmp_path / ".config.json.part").touch()  # of a start that was killed
    check_free(tmp_path)
    (tmp_path / "holiday.png").touch()
    with pytest.raises(UserError, match=r"holds files that are no run's \(first: holiday.png\)"):
        check_free(tmp_path)
    write_plan(tmp_path, PLAN)
    with pytest.raises(UserError, match="already holds a run; pass --resume to go on with it, or name another --out"):
        check_free(tmp_path)
    with pytest.raises(UserError, match="holiday.png: not a folder to train into"):
        check_free(tmp_path / "holiday.png")


def test_a_run_in_which_no_training_has_begun_can_be_started_anew(tmp_path: Path) -> None:
    run = tmp_path / "run"
    write_plan(run, PLAN)
    check_free(run)
    for name in ("tensorboard", "checkpoints/step-00000000", "checkpoints/.saving-00000000"):
        (run / name).mkdir(parents=True)
    check_free(run)
    forget_set_up(run, run)
    assert sorted(path.name for path in run.iterdir()) == [".lock", "config.json", "tensorboard"]


@pytest.mark.parametrize(
    "held", ["metrics.jsonl", "samples", "model", "notes.txt", "checkpoints/step-00000001", "checkpoints/notes.txt"]
)
def test_a_run_that_holds_anything_more_is_left_as_it_is(tmp_path: Path, held: str) -> None:
    write_plan(tmp_path, PLAN)
    (tmp_path / "checkpoints" / "step-00000000").mkdir(parents=True)
    (tmp_path / held).mkdir()
    before = sorted(tmp_path.rglob("*"))
    for ask in (lambda: check_free(tmp_path), lambda: forget_set_up(tmp_path, tmp_path)):
        with pytest.raises(UserError, match="already holds a run; pass --resume"):
            ask()
    assert [path for path in sorted(tmp_path.rglob("*")) if path.name != ".lock"] == before


def test_a_config_that_is_no_run_s_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "clip"}', "utf-8")
    with pytest.raises(UserError, match="already holds a run"):
        check_free(tmp_path)


def test_one_process_at_a_time_trains_into_a_run_and_a_killed_one_leaves_it_free(tmp_path: Path) -> None:
    holds = "import sys, time; from pathlib import Path; from bespoke.training.plan import claimed\n"
    holds += "with claimed(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", holds, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UserError, match="another process is training into it"), claimed(tmp_path):
            pass
        other.kill()
    with claimed(tmp_path):
        check_free(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"not a run \(no config.json in it\)"),
        ("", "config.json: damaged or of another version"),
        ("{}", "config.json: damaged or of another version"),
        (PLAN.model_dump_json()[:-20], "config.json: damaged or of another version"),
        (PLAN.model_dump_json().replace('"format":1', '"format":2'), r"another version \(format: Input should be 1"),
        (PLAN.model_dump_json().replace('"kl"', '"kullback"'), r"another version \(config.loss.kullback: Extra inputs"),
    ],
)
def test_what_is_not_a_run_of_this_version_is_refused(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content, "utf-8")
    with pytest.raises(UserError, match=message) as caught:
        read_plan(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_run_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such run; leave out --resume to start it"):
        read_plan(tmp_path / "none")


def test_a_run_from_before_columns_and_base_could_be_told_is_still_read(tmp_path: Path) -> None:
    content = PLAN.model_dump(mode="json")
    del content["columns"], content["base"]
    (tmp_path / "config.json").write_text(json.dumps(content), "utf-8")
    assert read_plan(tmp_path) == PLAN.model_copy(update={"columns": Columns(), "base": None})
