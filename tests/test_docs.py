"""Does the documentation name everything there is, and nothing that is not?"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bespoke.config import DEFAULT_PRESET, PRESETS
from bespoke.settings import EditSettings

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.ja.md")
PAGES = [
    *READMES,
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md")),
]
COMMAND = re.compile(r"(?:^|`)(?:\.venv/bin/)?bespoke ([a-z]+)\b", re.MULTILINE)  # starts a line or a code span


@cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


@cache
def commands() -> frozenset[str]:
    # Loaded here, so that collecting tests needs no command line.
    import typer.main

    from bespoke.cli import app

    return frozenset(typer.main.get_command(app).commands)


@pytest.mark.parametrize("page", READMES)
def test_every_command_is_in_both_readmes(page: str) -> None:
    assert commands() - set(COMMAND.findall(text_of(page))) == set()


@pytest.mark.parametrize("page", READMES)
def test_the_presets_of_both_readmes_are_those_there_are(page: str) -> None:
    from bespoke.config import PRESETS

    table = re.findall(r"^\| `([a-z0-9-]+)` \|", text_of(page), re.MULTILINE)
    assert set(table) == set(PRESETS)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_promises_a_command_that_does_not_exist(page: str) -> None:
    assert set(COMMAND.findall(text_of(page))) - commands() == set()


@pytest.mark.parametrize("page", PAGES)
def test_links_and_named_files_exist(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text_of(page))
    named = re.findall(r"`((?:bespoke|docs|scripts|tests|benchmarks)/[\w./-]+)`", text_of(page))
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert missing + [name for name in named if not (ROOT / name).exists()] == []


def test_the_two_readmes_have_the_same_sections_and_code() -> None:
    english, japanese = (text_of(page) for page in READMES)
    assert len(re.findall(r"^##+ ", english, re.MULTILINE)) == len(re.findall(r"^##+ ", japanese, re.MULTILINE))
    assert set(COMMAND.findall(english)) == set(COMMAND.findall(japanese))


def test_the_configuration_s_page_has_every_key_with_its_default() -> None:
    config = PRESETS[DEFAULT_PRESET].model_copy(update={"editing": EditSettings()})
    sections = re.split(r"^## (\w+)$", text_of("docs/configuration.md"), flags=re.MULTILINE)
    told = dict(zip(sections[1::2], sections[2::2], strict=True))
    for name in ("model", "loss", "training", "gates", "editing"):
        rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", told[name], flags=re.MULTILINE))
        values = getattr(config, name).model_dump(mode="json")
        decided = {key for key, value in rows.items() if value in ("by size", "by catalogue")}
        assert decided <= {key for key, value in values.items() if value is None}
        defaults = {key: f"`{json.dumps(value)}`" for key, value in values.items() if key not in decided}
        assert {key: value for key, value in rows.items() if key not in decided} == defaults


def test_the_configuration_s_page_has_what_presets_change() -> None:
    usual = PRESETS[DEFAULT_PRESET].model_dump(mode="json")
    rows = dict(
        re.findall(r"^\| `([\w-]+)` \| (`\w+\.\w+=.*) \|$", text_of("docs/configuration.md"), flags=re.MULTILINE)
    )
    for name, preset in PRESETS.items():
        changed = {
            f"`{section}.{key}={json.dumps(value)}`"
            for section, values in preset.model_dump(mode="json").items()
            if isinstance(values, dict)
            for key, value in values.items()
            if value != usual[section][key]
        }
        assert set(re.findall(r"`[^`]+`", rows.get(name, ""))) == changed, name


def test_the_python_page_runs_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made: dict[str, Any] = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", text_of("docs/python.md"), re.DOTALL)), made)
    assert len(made["out"].images) == 4
    assert made["out"].unknown_words == {}
    assert (made["result"].new_words, made["result"].old_words) == (["blue"], ["red"])
    assert made["realism"].shape == made["alignment"].shape == (2, 256)
    assert {path.name for path in tmp_path.iterdir()} == {"0.png", "1.png", "2.png", "models"}
