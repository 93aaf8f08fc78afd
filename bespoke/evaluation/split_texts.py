"""What are the parts of a catalogue called in a sentence? As an adjective or after "for", in every language."""

from __future__ import annotations

from bespoke.pages.texts import Text

SPLIT_TEXTS: dict[str, Text] = {
    "split.train": Text("training", "学習用"),
    "split.validation": Text("validation", "検証用"),
    "split.test": Text("test", "テスト用"),
    "split.held-out": Text("validation and test", "検証用とテスト用"),
}
