from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

import pytest

from bespoke.commands import demo_texts
from bespoke.data import check_texts
from bespoke.evaluation import report_texts
from bespoke.experiments import texts
from bespoke.pages.texts import LANGUAGES, Text


@pytest.mark.parametrize(
    "table",
    [check_texts.TEXTS, report_texts.TEXTS, texts.TEXTS, demo_texts.TEXTS],
    ids=["check", "report", "experiments", "demo"],
)
def test_every_sentence_is_there_in_every_language_and_fills_in_the_same(table: Mapping[str, Text]) -> None:
    for key, text in table.items():
        spoken = [getattr(text, language) for language in LANGUAGES]
        assert all(sentence.strip() for sentence in spoken), key
        fields = [{name for _, name, _, _ in Formatter().parse(sentence) if name} for sentence in spoken]
        assert all(names == fields[0] for names in fields), key
