"""Does `bespoke demo` go the whole way, and does its page tell what happened? With a base too small to be any good."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import pytest
import torch

from bespoke.cli import run
from bespoke.commands import demo as command
from bespoke.commands.demo_page import COMMANDS, LIMITS, Case, Story, page
from bespoke.commands.demo_texts import TEXTS
from bespoke.config import PRESETS
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.check import check
from bespoke.data.sample import sample_attributes, sample_captions, write_sample
from bespoke.data.sample_objects import NEW_LINE
from bespoke.data.sample_reading import Reader, Right
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [sample_captions(0, index, sample_attributes(0, index), "both")[0] for index in range(40)]
    tokenizer = Tokenizer.train(texts, 400)
    torch.manual_seed(0)
    networks = build_networks(PRESETS["test32"].model, tokenizer.vocabulary_size)
    for network in networks.named().values():
        network.eval().requires_grad_(False)
    folder = tmp_path_factory.mktemp("base") / "model"
    Pipeline(networks, tokenizer).save_pretrained(folder)
    return folder


def test_the_demo_goes_the_whole_way_and_tells_it_on_one_page(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "BASE", str(base))
    monkeypatch.setattr(command, "NUM_PICTURES", 24)
    monkeypatch.setattr(command, "SIZE", 32)
    monkeypatch.setattr(command, "NUM_SHOWN", 3)
    monkeypatch.setattr(command, "NUM_ASKED", 2)
    monkeypatch.setattr(command, "OVERRIDES", ("training.batch_size=4",))
    monkeypatch.setattr(command, "Reader", partial(Reader, of_each=1))
    assert run(["demo", "--minutes", "0.001", "--language", "ja"]) == 0
    folder = tmp_path / "bespoke-demo"
    said = capsys.readouterr().out
    assert "bespoke-demo/report.html" in said
    shop = Catalogue.open(folder / "catalogue")
    assert {item.attributes["object"] for item in shop} == {NEW_LINE}
    assert (folder / "check" / "report.html").is_file()
    assert str(base) in (folder / "run" / "config.json").read_text("utf-8")
    before, after = (
        [json.loads(line) for line in (folder / name / "metadata.jsonl").read_text("utf-8").splitlines()]
        for name in ("before", "pictures")
    )
    assert [(row["text"], row["seed"]) for row in before] == [(row["text"], row["seed"]) for row in after]
    assert before[0]["model"] != after[0]["model"]
    shown = (folder / "report.html").read_text("utf-8")
    assert '<html lang="ja">' in shown
    assert all(row["text"] in shown for row in after)
    assert len({row["text"] for row in after}) == 3
    assert len(re.findall("data:image/png", shown)) == 9
    assert not re.search(r'(src|href)="(?!data:)', shown)  # needs no other file
    assert "bespoke generate bespoke-demo/run" in shown


def test_a_folder_in_use_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert run(["demo", "--out", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert run(["demo", "--language", "fr"]) == 2
    assert "expected one of en, ja" in capsys.readouterr().err


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    catalogue = write_sample(tmp_path_factory.mktemp("shop") / "bears", 4, 32, 0, objects=[NEW_LINE])
    png = (catalogue / "0000/000.png").read_bytes()
    return Story(
        checked=check(Catalogue.open(catalogue)),
        cases=[Case("<i>red</i> bear", png, png, png)],
        before=Right(100, 3, 11, 1),
        after=Right(100, 91, 88, 84),
        real=Right(100, 99, 98, 97),
        shown=8_000,
        minutes=4.0,
        minutes_in_all=5.25,
        run=Path("bespoke-demo/run"),
    )


@pytest.mark.parametrize(("both", "color"), [(80, "go"), (79, "base"), (50, "base"), (49, "not_yet")])
def test_the_color_of_the_page_goes_by_how_many_pictures_are_right(story: Story, both: int, color: str) -> None:
    told = Story(**{**story.__dict__, "after": Right(100, 100, 100, both)})
    assert f'class="verdict {color}"' in page(told, "en")
    assert f"{both} of 100 pictures" in page(told, "en")


@pytest.mark.parametrize(
    ("shown", "minutes", "both", "asks"),
    [
        (8_000, 5.0, 69, "8,000 pictures, the same ones many times over; it takes some 30,000.*try --minutes 20"),
        (32_000, 5.0, 69, "try --minutes 15"),
        (0, 0.001, 2, "Train longer: try --minutes 30"),  # stopped short of a first line in the journal
    ],
)
def test_the_page_asks_for_the_minutes_that_this_computer_needs(
    story: Story, shown: int, minutes: float, both: int, asks: str
) -> None:
    told = Story(**{**story.__dict__, "shown": shown, "minutes": minutes, "after": Right(100, 100, 100, both)})
    verdict = page(told, "en").split("</section>")[0]
    assert re.search(asks, verdict)
    assert ("many times over" in verdict) == (shown < 30_000)
    good = Story(**{**told.__dict__, "after": Right(100, 100, 100, 80)})
    assert "many times over" not in page(good, "en")
    assert "--minutes 15" not in page(good, "en").split("</section>")[0]


def test_the_page_shows_all_numbers_limits_and_commands_and_escapes_texts(story: Story) -> None:
    for language in ("en", "ja"):
        shown = page(story, language)
        numbers = re.findall(r"<i>(\d+)</i></div>", shown)
        assert numbers == ["3", "91", "99", "11", "88", "98", "1", "84", "97"]
        assert all(getattr(TEXTS[f"limit.{key}"], language)[:20] in shown for key in LIMITS)
        assert all(command.split(" {")[0].split('"')[0] in shown for _, command in COMMANDS)
        assert "&lt;i&gt;red&lt;/i&gt; bear" in shown
        assert "<i>red" not in shown


def test_each_command_on_the_page_is_one_that_bespoke_takes(capsys: pytest.CaptureFixture[str]) -> None:
    for name, line in COMMANDS:
        assert run([name, "--help"]) == 0
        known = capsys.readouterr().out
        assert all(word in known for word in re.findall(r"(?<= )--?[a-z-]+", line))
