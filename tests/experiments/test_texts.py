from __future__ import annotations

from string import Formatter

from bespoke.experiments.texts import TEXTS
from bespoke.pages.texts import LANGUAGES


def test_every_sentence_is_there_in_every_language_and_fills_in_the_same() -> None:
    for key, text in TEXTS.items():
        fields = [
            {name for _, name, _, _ in Formatter().parse(getattr(text, language)) if name} for language in LANGUAGES
        ]
        assert fields[0] == fields[1], key
        assert all(getattr(text, language).strip() for language in LANGUAGES), key
