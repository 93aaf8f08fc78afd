"""Does the documentation name everything there is, and nothing that is not?"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

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
