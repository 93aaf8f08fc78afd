from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bespoke.cli import run
from bespoke.commands.check import PAGE
from bespoke.data.catalogue import Catalogue

COLUMNS = ("--file-column", "写真", "--template", "{色}の{種類}")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A table as spreadsheets on Japanese Windows write it, with columns of its own; one picture is broken."""
    folder = tmp_path / "shop"
    folder.mkdir()
    rows = ["写真;色;種類;撮影"]
    for number in range(12):
        noise = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
        rows.append(f"{number}.png;{'赤青'[number % 2]};壺{number};原.png")
    (folder / "3.png").write_bytes(b"")
    (folder / "metadata.csv").write_bytes("\r\n".join(rows).encode("cp932"))
    return folder


def test_the_verdict_is_told_and_the_report_written_beside(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in shop.iterdir()}
    assert run(["check", "shop", *COLUMNS]) == 0
    told = capsys.readouterr().out
    assert told.startswith("shop: Not yet\n")
    assert "  - Pictures that cannot be used: 1 (8%).\n" in told
    assert "  > Pictures to replace or take out: 1.\n" in told
    assert told.endswith("Report: check-shop/report.html\n")
    data = json.loads(Path("check-shop/report.json").read_text("utf-8"))
    assert data["counts"]["usable"] == 11
    assert data["read_as"]["columns"]["template"] == "{色}の{種類}"
    assert '<html lang="en">' in Path("check-shop", PAGE).read_text("utf-8")
    assert {path: path.read_bytes() for path in shop.iterdir()} == before


def test_a_report_can_be_had_in_both_languages_at_once(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "shop", *COLUMNS, "--language", "ja,en"]) == 0
    assert capsys.readouterr().out.startswith("shop: まだ学習できません\n")
    folder = Path("check-shop")
    assert '<html lang="ja">' in (folder / PAGE).read_text("utf-8")
    assert '<html lang="en">' in (folder / "report.en.html").read_text("utf-8")
    both = [json.loads((folder / name).read_text("utf-8")) for name in ("report.json", "report.en.json")]
    assert [data["verdict_text"] for data in both] == ["まだ学習できません", "Not yet"]
    assert both[0]["counts"] == both[1]["counts"]


def test_names_that_are_no_text_do_not_keep_the_report_from_being_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        stem = os.fsdecode(f"壺{number}".encode("cp932"))  # as an archive from Windows leaves it
        noise = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "pairs.png")
        (tmp_path / "pairs").mkdir(exist_ok=True)
        (tmp_path / "pairs.png").rename(tmp_path / "pairs" / f"{stem}.png")
        (tmp_path / "pairs" / f"{stem}.txt").write_text(f"a pot {number}", "utf-8")
    (tmp_path / "pairs" / (os.fsdecode("壺9".encode("cp932")) + ".png")).write_bytes(b"broken")
    assert run(["check", "pairs"]) == 0
    data = json.loads(Path("check-pairs/report.json").read_text("utf-8"))
    assert (data["counts"]["items"], data["counts"]["usable"]) == (4, 3)
    assert Path("check-pairs", PAGE).stat().st_size > 1000
    capsys.readouterr()


def test_half_letters_in_a_table_are_shown_as_well_as_can_be(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"file_name": f"{n}.png", "text": f"pot {n} \ud83d", "color": "red \udc00" if n < 5 else "blue"}
        for n in range(12)
    ]
    (shop / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (shop / "metadata.csv").unlink()
    assert run(["check", "shop"]) == 0
    assert "color: red ? (4)" in capfd.readouterr().out
    assert json.loads(Path("check-shop/report.json").read_text("utf-8"))["counts"]["usable"] == 11


def test_what_a_reader_passed_over_is_told_in_the_language_asked_for(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (shop / "metadata.csv").read_text("cp932")
    (shop / "metadata.csv").write_text(f"商品一覧表;;;\n{text}\n;合計12点;;", "utf-8", newline="\r\n")
    (shop / "extra.png").write_bytes((shop / "0.png").read_bytes())
    assert run(["check", "shop", *COLUMNS, "--language", "ja, en"]) == 0
    told = capsys.readouterr().out
    assert "  - 表に載っていない画像がフォルダーに 1 枚あります。" in told
    assert "  - 列名より上にある行: 1 行(最初は shop/metadata.csv:1)。" in told
    assert "  - 画像の指定がない行: 1 行(最初は shop/metadata.csv:15)。" in told
    page = Path("check-shop", PAGE).read_text("utf-8")
    assert "列名より上にある行" in page
    assert "表に載っていない画像" in page
    assert "Rows above the names" in Path("check-shop/report.en.html").read_text("utf-8")


def test_a_second_report_does_not_overwrite_the_first(shop: Path) -> None:
    for _ in range(2):
        assert run(["check", "shop", *COLUMNS]) == 0
    assert sorted(path.name for path in Path().glob("check-*")) == ["check-shop", "check-shop-2"]


def test_from_inside_the_catalogue_the_report_goes_beside_it(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(shop.iterdir())
    monkeypatch.chdir(shop)
    assert run(["check", ".", *COLUMNS]) == 0
    assert sorted(shop.iterdir()) == before
    assert str(shop.parent / "check-shop" / PAGE) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("system", "asked", "language"),
    [
        ({"LANG": "ja_JP.UTF-8"}, (), "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, (), "en"),
        ({"LANG": "de_DE.UTF-8"}, (), "en"),
        ({"LANG": "ja_JP.UTF-8"}, ("--language", "en"), "en"),
        ({}, ("--language", "ja"), "ja"),
    ],
)
def test_the_language_is_that_asked_for_or_the_system_s(
    shop: Path, system: dict[str, str], asked: tuple[str, ...], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in system.items():
        monkeypatch.setenv(name, value)
    assert run(["check", "shop", *COLUMNS, *asked, "--out", "report"]) == 0
    assert json.loads(Path("report/report.json").read_text("utf-8"))["language"] == language


def test_a_cleaned_catalogue_needs_no_options_any_more(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "shop", *COLUMNS, "--write", "clean"]) == 0
    assert "Cleaned catalogue: 11 pictures in clean" in capsys.readouterr().out
    assert [item.texts for item in Catalogue.open("clean")][:2] == [("赤の壺0",), ("青の壺1",)]
    assert run(["check", "clean"]) == 0
    assert "cannot be used" not in capsys.readouterr().out


MISTAKES: list[tuple[list[str], str]] = [
    (
        ["shop"],
        r"metadata.csv:2: no column text or texts \(columns: 写真, 色, 種類, 撮影\); say which .* --text-column",
    ),
    (["shop", "--text-column", "説明"], r"no column 説明 \(columns: 写真, 色, .*\); give one of them to --text-column"),
    (["shop", "--file-column", "画像", "--text-column", "色"], r"no column 画像 \(columns: .*\); .* --file-column"),
    (["shop", "--template", "{色}{素材}"], r"no column 素材 \(columns: 写真, 色, .*\); give one of them to --template"),
    (["shop", "--template", "{色"], "--template '{色'"),
    (["shop", "--template", "{色}", "--text-column", "色"], "both say where the caption is"),
    (["shop", *COLUMNS, "--language", "fr"], "--language fr: expected one of en, ja"),
    (["shop", *COLUMNS, "--out", "full"], r"full: not empty \(first: x\.txt\)"),
    (["shop", *COLUMNS, "--write", "full"], r"full: not empty \(first: x\.txt\)"),
    (["shop", *COLUMNS, "--out", "shop/report"], "shop/report: inside the catalogue, which is left as it is"),
    (["shop", *COLUMNS, "--write", "shop/clean"], "shop/clean: inside the catalogue, which is left as it is"),
    (["shop", *COLUMNS, "--out", "new", "--write", "new"], "new: given to both --out and --write"),
    (["new"], "new: no such folder"),
    (["empty"], "empty: no captions found; add metadata.jsonl"),
    (["xlsx"], "metadata.xlsx: not an xlsx workbook"),
    (["parquet"], "metadata.parquet: not a parquet file"),
    (["headless"], "metadata.csv:2: 1.png stands where the names of the columns should"),
    (["euc"], "metadata.csv: neither UTF-8 nor Shift_JIS; save it as UTF-8"),
    (["rowless"], "rowless: no picture in it; add rows"),
    (["json"], "metadata.jsonl:1: not JSON"),
    (["pairs", "--text-column", "text"], "pairs: no metadata table in it, so it has no columns"),
]
BROKEN: dict[str, tuple[str, bytes]] = {
    "xlsx": ("metadata.xlsx", b"PK\x03\x04 half a workbook"),
    "parquet": ("metadata.parquet", b"PAR1 half a table"),
    "headless": ("metadata.csv", "1.png,赤い壺\n2.png,青い壺\n".encode("cp932")),
    "euc": ("metadata.csv", "file_name,text\n1.png,赤い壺\n".encode("euc_jp")),
    "rowless": ("metadata.csv", b"file_name,text\n"),
    "json": ("metadata.jsonl", b"{'file_name': '1.png'}\n"),
    "full": ("x.txt", b""),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(arguments) for arguments, _ in MISTAKES])
def test_a_mistake_is_one_line_and_leaves_nothing_behind(
    arguments: list[str], message: str, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in arguments[:1]:
        if name in ("xlsx", "parquet"):
            pytest.importorskip({"xlsx": "openpyxl", "parquet": "pyarrow"}[name])
    for name, (file, content) in BROKEN.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_bytes(content)
    (tmp_path / "empty").mkdir()
    (tmp_path / "pairs").mkdir()
    Image.new("RGB", (40, 40)).save(tmp_path / "pairs" / "1.png")
    (tmp_path / "pairs" / "1.txt").write_text("a pot")
    before = sorted(tmp_path.rglob("*"))
    assert run(["check", *arguments]) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(r"bespoke: .+\n", told)
    assert re.search(message, told), told
    assert sorted(tmp_path.rglob("*")) == before


def test_training_reads_the_table_alike_and_remembers_how(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bespoke.training.settle.NUM_PICTURES", 16)
    small = ("--preset", "test32", "--set", "training.batch_size=8")
    asked = ["train", "shop", "--out", "run", "--skip-bad"]
    assert run([*asked, *small, "--images", "8", *COLUMNS]) == 0
    assert "shop: 11 pictures with 11 captions" in capsys.readouterr().out
    plan = json.loads(Path("run/config.json").read_text("utf-8"))
    assert plan["columns"] == {"file": "写真", "texts": [], "template": "{色}の{種類}"}
    assert run([*asked, "--resume", "--images", "16"]) == 0
    assert "Going on from step 1" in capsys.readouterr().out
    assert run([*asked, "--resume", "--images", "24", "--text-column", "色"]) == 2
    assert "--resume reads the table as before; leave out --file-column" in capsys.readouterr().err


def test_the_report_can_be_made_in_spite_of_a_picture_that_goes_away_meanwhile(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bespoke.data import check_findings

    draw: Callable[..., check_findings.Findings] = check_findings.findings

    def after_a_loss(*arguments: object) -> check_findings.Findings:
        (shop / "5.png").unlink()
        return draw(*arguments)

    monkeypatch.setattr("bespoke.data.check.findings", after_a_loss)
    assert run(["check", "shop", *COLUMNS]) == 0
    assert (Path("check-shop") / PAGE).exists()


def test_the_first_command_begins_at_once() -> None:
    script = "import sys, bespoke.commands.check; sys.exit('torch' in sys.modules)"  # which takes seconds to load
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
