from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from bespoke.cli import run
from bespoke.commands.doctor import EXTRAS
from bespoke.commands.screen import Rate, clock
from bespoke.config import PRESETS
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.pipeline import Pipeline
from bespoke.provenance import read_mark
from bespoke.training.checkpoint import load_latest
from bespoke.training.plan import claimed

ROOT = Path(__file__).parent.parent
SMALL = ("--preset", "test32", "--set", "training.batch_size=16")


@pytest.fixture(scope="module", autouse=True)
def _settle_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bespoke.training.settle.NUM_PICTURES", 64)
        yield


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample") / "shop", 24, 32, seed=0)


@pytest.fixture(scope="module")
def trained(catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four steps, made by the command."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_CACHE", str(folder / "cache"))
        assert run(["train", str(catalogue), "--out", str(folder / "first"), *SMALL, "--images", "64"]) == 0
    return folder / "first"


def program(*arguments: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "bespoke", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )


def test_parsing_loads_nothing_that_takes_long() -> None:
    heavy = "{'torch', 'numpy', 'PIL', 'tensorboard', 'tokenizers', 'huggingface_hub'}"
    ask = "import sys; from bespoke.cli import run; run(['train', '--help'])"
    code = f"{ask}; sys.exit(str({heavy} & {{*sys.modules}}))"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert told.stderr.strip() == "set()"
    assert "--resume" in told.stdout


def test_the_pipeline_is_in_the_package_s_front() -> None:
    import bespoke
    from bespoke.pipeline import Pipeline

    assert bespoke.Pipeline is Pipeline
    with pytest.raises(AttributeError, match="has no attribute 'Pipe'"):
        bespoke.Pipe  # noqa: B018


def test_no_command_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "generate" in capsys.readouterr().out


MISTAKES = [
    (["fly"], "No such command 'fly'"),
    (["train"], "Missing argument 'CATALOGUE'"),
    (["train", "{shop}"], "Missing option '--out'"),
    (["train", "{shop}", "--out", "{new}", "--fast"], "No such option: --fast"),
    (["train", "{shop}", "--out", "{new}", "--minutes", "soon"], "Invalid value for '--minutes'"),
    (["train", "{shop}", "--out", "{new}", "--minutes", "0"], "--minutes 0: expected more than 0"),
    (["train", "{shop}", "--out", "{new}", "--minutes", "1", "--images", "1"], "expected one of the two"),
    (["train", "{shop}", "--out", "{new}", "--images", "two"], "--images two: expected a number such as"),
    (["train", "{shop}", "--out", "{new}", "--images", "0k"], "--images 0k: expected more than 0"),
    (["train", "{shop}", "--out", "{new}", "--preset", "cpu46"], "preset 'cpu46': unknown; choose one of cpu64"),
    (["train", "{shop}", "--out", "{new}", "--set", "loss.kullback=1"], "--set 'loss.kullback=1': expected key=value"),
    (["train", "{shop}", "--out", "{new}", "--set", "training.batch_size=many"], "--set training.batch_size='many'"),
    (
        ["train", "{shop}", "--out", "{new}", "--set", "training.batch_size=true"],
        "batch_size='true': Input should",
    ),
    (["train", "{shop}", "--out", "{new}", "--set", "training.batch_size=1000000000"], "its pictures alone take"),
    (["train", "{shop}", "--out", "{new}", "--set", "model.vocabulary_size=1"], "expected 288 or more"),
    (["train", "{shop}", "--out", ""], "--out: an empty value; give one"),
    (["train", "{shop}", "--out="], "--out: an empty value; give one"),
    (["train", "", "--out", "{new}"], "catalogue: an empty name; give the folder"),
    (["train", "{new}", "--out", "{new}", "--dry-run"], "new: no such folder"),
    (["train", "{new}", "--out", "{new}"], "new: no such folder"),
    (["train", "{shop}", "--out", "{shop}/run", *SMALL, "--images", "16"], "run: inside the catalogue"),
    (["train", "{shop}", "--out", "{new}", "--minutes", "inf"], "--minutes inf: expected more than 0"),
    (["train", "{shop}", "--out", "{new}", "--set", "seed=18446744073709551616"], "seed"),
    (["train", "{shop}", "--out", "{new}", "--set", "loss.conditional=Infinity"], "loss.conditional"),
    (["train", "{empty}", "--out", "{new}"], "empty: no captions found; add metadata.jsonl"),
    (["train", "{bad}", "--out", "{new}", *SMALL], "1 bad of 2 pictures; pass --skip-bad"),
    (["train", "{shop}", "--out", "{bad}", *SMALL], "bad: holds files that are no run's"),
    (["train", "{shop}", "--out", "{run}", *SMALL], "first: already holds a run; pass --resume"),
    (["train", "{shop}", "--out", "{new}", "--resume"], "new: no such run; leave out --resume"),
    (["train", "{shop}", "--out", "{bad}", "--resume"], "bad: not a run (no config.json in it)"),
    (["train", "{shop}", "--out", "{run}", "--resume", "--preset", "cpu64"], "leave out --preset and --set"),
    (["train", "{shop}", "--out", "{new}", "--from", "{new}", *SMALL], "--from {new}: no such folder; give a run"),
    (["train", "{shop}", "--out", "{new}", "--from", "{empty}"], "--from {empty}: no model_index.json in it"),
    (["train", "{shop}", "--out", "{new}", "--from", "{half}"], "--from {half}: a run without a model yet"),
    (
        ["train", "{shop}", "--out", "{new}", "--from", "{run}", "--preset", "gpu64"],
        "64 by --preset gpu64; a model keeps",
    ),
    (["train", "{shop}", "--out", "{run}", "--from", "{run}"], "first: already holds a run; pass --resume"),
    (
        ["train", "{shop}", "--out", "{run}", "--from", "{run}", "--resume"],
        "first started from scratch; leave out --from",
    ),
    (
        ["train", "{shop}", "--out", "{new}", "--set", "training.freeze_discriminator_stages=1"],
        "without a base nothing is worth keeping; leave it out, or pass --from",
    ),
    (["train", "{other}", "--out", "{run}", "--resume"], "made with another catalogue (other pictures"),
    (["generate", "{new}", "a red cup"], "new: no such folder; give a run, a model folder or a hub id"),
    (["generate", "", "a red cup"], "model: an empty name; give a run"),
    (["generate", "{bad}/1.png", "a red cup"], "1.png: a file, and a model is a folder"),
    (["generate", "{run}", "a red cup", "--out", ""], "--out: an empty value; give one"),
    (["generate", "{run}", "--prompts", "{bad}"], "bad: a folder; give a text file"),
    (["generate", "{run}", "--prompts", "/dev/null"], "/dev/null: no ordinary file"),
    (["generate", "{run}"], "no text; say what to draw"),
    (["generate", "{run}", "a red cup", " "], "text 2 is empty"),
    (["generate", "{run}", "a red cup", "--prompts", "{bad}/metadata.jsonl"], "leave one out"),
    (["generate", "{run}", "--prompts", "{new}"], "new: no such file; give a text file"),
    (["generate", "{run}", "--prompts", "{bad}/1.png"], "1.png: no text in it"),
    (["generate", "{run}", "a red cup", "--balance", "1.5"], "balance=1.5: expected a number from 0"),
    (["generate", "{run}", "a red cup", "-n", "0"], "num_images=0: expected 1 or more"),
    (["generate", "{run}", "a red cup", "--out", "{bad}"], "not empty (first: "),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_mistake_is_one_line_that_says_what_to_do_and_exit_code_2(
    arguments: list[str],
    message: str,
    catalogue: Path,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {name: tmp_path / name for name in ("new", "empty", "bad", "other", "half")} | {
        "shop": catalogue,
        "run": trained,
    }
    places["empty"].mkdir()
    places["half"].mkdir()
    (places["half"] / "config.json").touch()
    write_sample(places["bad"], 1, 32, seed=0)
    (places["bad"] / "1.png").write_bytes(b"")
    with (places["bad"] / "metadata.jsonl").open("a") as file:
        file.write('{"file_name": "1.png", "text": "a broken picture"}\n')
    write_sample(places["other"], 2, 32, seed=1)
    before = sorted(tmp_path.iterdir())
    assert run([argument.format_map(places) for argument in arguments]) == 2
    told = capsys.readouterr()
    assert re.fullmatch(r"bespoke: .+\n", told.err)
    assert message.format_map(places) in told.err
    assert [path for path in sorted(tmp_path.iterdir()) if path not in before and path.name != "bespoke-cache"] == []


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (28, "metrics.jsonl: No space left on device; free some disk space and try again"),
        (13, "metrics.jsonl: Permission denied; let your user read it, or write where it has to be written"),
    ],
)
def test_a_full_disk_and_a_missing_right_are_one_line_too(
    catalogue: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
    told: str,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "metrics.jsonl")

    monkeypatch.setattr("bespoke.commands.train.write_plan", refuse)
    assert run(["train", str(catalogue), "--out", str(tmp_path / "run"), *SMALL]) == 2
    assert capsys.readouterr().err == f"bespoke: {told}\n"


def test_memory_that_runs_out_is_one_line_and_the_mended_command_works(
    catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["train", str(catalogue), "--out", str(tmp_path / "run"), *SMALL]

    def too_large(*_: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried")

    with monkeypatch.context() as patch:
        patch.setattr("bespoke.training.loop.take_step", too_large)
        assert run([*asked, "--images", "32"]) == 2
    assert re.fullmatch(
        r"bespoke: training.batch_size=16: the memory ran out; start anew .+\n", capsys.readouterr().err
    )
    assert (tmp_path / "run" / "config.json").exists()
    assert run([*asked, "--images", "16", "--set", "seed=3"]) == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text("utf-8"))["config"]["seed"] == 3
    assert run([*asked, "--images", "16"]) == 2
    assert "already holds a run" in capsys.readouterr().err


def test_ctrl_c_while_drawing_says_what_is_there_and_the_rest_can_be_drawn(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [f"a {color} mug" for color in ("red", "blue", "green")]
    asked = ["generate", str(trained), "-n", "2", "--best-of", "2"]
    assert run([*asked, *texts, "--seed", "5", "--out", str(tmp_path / "whole")]) == 0
    draw, drawn = Pipeline._draw, iter(range(7))

    def interrupted(*arguments: object) -> object:
        if next(drawn, None) is None:  # within the second picture of the second text
            raise KeyboardInterrupt
        return draw(*arguments)  # type: ignore[arg-type]

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "_draw", interrupted)
        assert run([*asked, *texts, "--seed", "5", "--out", str(tmp_path / "part")]) == 130
    told = capsys.readouterr().out
    assert f"Stopped: 3 of 6 pictures are in {tmp_path / 'part'}, described in " in told
    assert "give the texts from number 2 on, --seed 7 and a new --out." in told
    assert len((tmp_path / "part" / "metadata.jsonl").read_text("utf-8").splitlines()) == 3
    assert run([*asked, *texts[1:], "--seed", "7", "--out", str(tmp_path / "rest")]) == 0
    rest = [(tmp_path / "rest" / f"{number:06d}.png").read_bytes() for number in (1, 4)]
    assert rest == [(tmp_path / "whole" / f"{number:06d}.png").read_bytes() for number in (3, 6)]


def test_the_doctor_tries_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("bespoke.commands.doctor.machine", list)  # slow, and not what is asked here
    monkeypatch.setenv("BESPOKE_CACHE", str(tmp_path / "file" / "cache"))
    assert run(["doctor"]) == 2
    told = capsys.readouterr()
    assert re.fullmatch(r"bespoke: .*cache: the cache cannot be written \(not a directory\); set BESPOKE.*\n", told.err)
    assert "Nothing that" not in told.out
    monkeypatch.setenv("BESPOKE_CACHE", str(tmp_path / "cache"))
    assert run(["doctor"]) == 0
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_dry_run_prints_the_config_and_touches_nothing(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["train", str(catalogue), "--out", str(tmp_path / "run"), "--images", "2.5M", "--set", "loss.kl=0.125"]
    assert run([*asked, "--preset", "test32", "--dry-run"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["budget"] == {"minutes": None, "images": 2_500_000}
    assert plan["config"]["loss"].pop("kl") == 0.125
    expected = PRESETS["test32"].model_dump(mode="json")
    del expected["loss"]["kl"]
    assert plan["config"] == expected
    assert not (tmp_path / "run").exists()


def test_a_run_keeps_its_config_and_a_finished_one_can_be_given_more(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["train", str(catalogue), "--out", str(tmp_path / "run")]
    assert run([*asked, *SMALL, "--images", "32"]) == 0
    told = capsys.readouterr().out
    assert "24 pictures with 72 captions" in told
    assert f"Samples: {tmp_path / 'run' / 'samples' / '000000032.png'}" in told
    assert f"The model is in {tmp_path / 'run' / 'model'}" in told
    assert json.loads((tmp_path / "run" / "config.json").read_text("utf-8"))["config"]["training"]["batch_size"] == 16
    assert run([*asked, "--resume", "--images", "64"]) == 0
    assert "Going on from step 2" in capsys.readouterr().out
    checkpoint = load_latest(tmp_path / "run" / "checkpoints")
    assert checkpoint is not None
    assert checkpoint.step == 4
    assert json.loads((tmp_path / "run" / "config.json").read_text("utf-8"))["budget"]["images"] == 64


def test_a_resume_that_is_refused_changes_nothing_of_the_run(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["train", str(catalogue), "--out", str(tmp_path / "run")]
    assert run([*asked, *SMALL, "--images", "32"]) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    others = tmp_path / "others"
    shutil.copytree(catalogue, others)
    table = (others / "metadata.jsonl").read_text("utf-8").splitlines(keepends=True)
    (others / "metadata.jsonl").write_text("".join(table[1:]), "utf-8")
    assert run(["train", str(others), *asked[2:], "--resume", "--images", "64"]) == 2
    assert "made with another catalogue" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before
    assert run([*asked, "--resume", "--images", "16"]) == 0
    assert "Its budget is spent, so nothing is trained; give more" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    model = {path: path.read_bytes() for path in (tmp_path / "run" / "model").iterdir()}
    assert run([*asked, "--resume", "--images", "64"]) == 2
    assert "was trained, but its checkpoints are gone" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (tmp_path / "run" / "model").iterdir()} == model


def test_a_second_process_is_refused_and_changes_nothing(
    trained: Path, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (trained / "config.json").read_bytes()
    with claimed(trained):
        assert run(["train", str(catalogue), "--out", str(trained), "--resume", "--images", "640"]) == 2
    assert "another process is training into it" in capsys.readouterr().err
    assert (trained / "config.json").read_bytes() == before


def test_a_run_from_a_base_says_so_and_needs_it_no_more_once_it_has_begun(
    trained: Path, catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, identity = tmp_path / "base", Pipeline.from_pretrained(trained).identity
    shutil.copytree(trained / "model", base)
    asked = ["train", str(catalogue), "--out", str(tmp_path / "run"), "--from", str(base)]
    assert run([*asked, "--dry-run"]) == 0
    plan = json.loads(capsys.readouterr().out)
    began = {"location": str(base), "identity": identity, "editor": None}
    assert plan["base"] == began
    assert (plan["config"]["preset"], plan["config"]["model"]["image_size"]) == ("test32", 32)
    assert not (tmp_path / "run").exists()
    assert run([*asked, "--images", "16"]) == 0
    assert f"Starting from the model {identity}: " in capsys.readouterr().out
    assert json.loads((tmp_path / "run" / "config.json").read_text("utf-8"))["base"]["identity"] == identity
    assert run([*asked[:4], "--edit", "--dry-run"]) == 0
    taught = json.loads(capsys.readouterr().out)["base"]
    assert (taught["location"], taught["editor"]) == (str(tmp_path / "run"), began)
    base.rename(tmp_path / "elsewhere")
    assert run([*asked, "--images", "24", "--resume"]) == 0
    assert "Going on from step 2" in capsys.readouterr().out
    other = ["--from", str(tmp_path / "run"), "--resume"]
    assert run([*asked[:4], *other]) == 2
    assert f"run started from the model {identity}; leave out --from" in capsys.readouterr().err


def test_sigterm_saves_and_says_how_to_go_on(catalogue: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a run"
    process = program("train", str(catalogue), "--out", str(folder), *SMALL, "--minutes", "30")
    waited = time.monotonic()
    while not any((folder / "checkpoints").glob("step-*")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - waited < 300
        time.sleep(0.05)
    time.sleep(0.2)  # past the first checkpoint the loop begins, which is when the request is heard
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (130, "")
    assert f"everything is saved in {folder}" in out
    assert f"bespoke train {catalogue} --out '{folder}' --resume" in out
    checkpoint = load_latest(folder / "checkpoints")
    assert checkpoint is not None
    assert checkpoint.step >= 1
    assert run(["generate", str(folder), "a red ball", "--out", str(tmp_path / "pictures")]) == 0


def test_pictures_come_with_their_recipe_and_unknown_words_are_named(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["generate", str(trained), "on the left", "a zebra", "-n", "2", "--seed", "7", "--balance", "1"]
    assert run(asked) == 0
    told = capsys.readouterr().out
    assert "Never seen in training, so guessed at: zebra (1 of 2 texts)" in told
    assert "4 pictures in pictures, described in pictures/metadata.jsonl" in told
    items = list(Catalogue.open("pictures"))
    assert [(item.texts[0], item.attributes["seed"]) for item in items] == [
        ("on the left", "7"),
        ("on the left", "8"),
        ("a zebra", "9"),
        ("a zebra", "10"),
    ]
    assert {item.attributes["balance"] for item in items} == {"1.0"}
    assert items[0].attributes["model"].startswith("first ")
    assert read_mark(Path("pictures") / items[3].name)["prompt"] == "a zebra"
    assert run(asked) == 0
    assert [file.name for file in sorted(tmp_path.glob("pictures*"))] == ["pictures", "pictures-2"]
    assert Path("pictures/000002.png").read_bytes() == Path("pictures-2/000002.png").read_bytes()


def test_texts_may_come_from_a_file_and_the_best_of_several_is_kept(trained: Path, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.csv"
    prompts.write_text("text\na red ball\na blue mug\n", "utf-8")
    rows = {}
    for best_of in ("1", "30"):
        out = tmp_path / best_of
        asked = ["generate", str(trained), "--prompts", str(prompts), "--seed", "0", "--out", str(out)]
        assert run([*asked, "--best-of", best_of]) == 0
        rows[best_of] = [json.loads(line) for line in (out / "metadata.jsonl").read_text("utf-8").splitlines()]
    assert [row["text"] for row in rows["30"]] == ["a red ball", "a blue mug"]
    assert all(best["alignment"] >= one["alignment"] for one, best in zip(rows["1"], rows["30"], strict=True))
    assert rows["1"] != rows["30"]


def test_the_doctor_names_every_extra_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    listed = {name: [extra.requirement for extra in EXTRAS if extra.name == name] for name in extras}
    assert listed == extras
    assert run(["doctor"]) == 0
    told = capsys.readouterr().out
    for word in ("cores", "memory", "disk", "bf16 is", "GPU", *(extra.module for extra in EXTRAS)):
        assert word in told


@pytest.mark.slow
def test_of_many_processes_one_speaks_and_all_leave_in_order(catalogue: Path, tmp_path: Path) -> None:
    asked = ["train", str(catalogue), "--out", str(tmp_path / "run"), *SMALL, "--images", "64"]
    ended = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "bespoke", *asked],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("Finished.") == ended.stdout.count("24 pictures with 72 captions") == 1
    checkpoint = load_latest(tmp_path / "run" / "checkpoints")
    assert checkpoint is not None
    assert checkpoint.step == 4


def test_times_and_rates_are_told_in_a_readable_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [clock(seconds) for seconds in (0, 59.6, 61, 3723)] == ["0:00", "1:00", "1:01", "1:02:03"]
    now = iter([0.0, 10.0, 100.0, 101.0])
    monkeypatch.setattr("bespoke.commands.screen.time", SimpleNamespace(monotonic=lambda: next(now)))
    rate = Rate()
    # The last is measured from the second on: what lies more than half a minute back is forgotten.
    assert [rate(value) for value in (0, 50, 140, 150)] == [0.0, 5.0, 1.0, 10.0]
