"""In which languages do reports speak, and how is a sentence filled in?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from bespoke.errors import UserError

Language = Literal["en", "ja"]
LANGUAGES: tuple[Language, ...] = ("en", "ja")


class Text(NamedTuple):
    """One sentence in all languages; what stands in braces is filled in."""

    en: str
    ja: str


class Line(NamedTuple):
    """One sentence of a report, by its key in the report's table of texts and what it fills in."""

    key: str
    values: Mapping[str, int | str] = MappingProxyType({})
    good: bool = False


def fill(text: Text, language: Language, /, **values: int | str) -> str:
    """A text, filled in; numbers get separators."""
    shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
    return str(getattr(text, language)).format_map(shown)


def languages_of(asked: str | None) -> list[Language]:
    """The languages of a report that may be asked for in several, such as "en,ja"; the first is the main one."""
    return list(dict.fromkeys(language_of(part) for part in (asked.replace(" ", "").split(",") if asked else [asked])))


def language_of(asked: str | None) -> Language:
    """The language of a report: as asked for, else that of the system where it is one of ours, else English."""
    if asked is None:
        named = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        asked = next((name[:2] for name in named if name), "en")
        return next((language for language in LANGUAGES if language == asked), "en")
    for language in LANGUAGES:
        if language == asked:
            return language
    raise UserError(f"--language {asked}: expected one of {', '.join(LANGUAGES)}; choose one of them")
