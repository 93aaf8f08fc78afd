"""What counts as a word of a caption, in any script? Apart from the tokenizer: to read a text takes no torch."""

from __future__ import annotations

import re

MOST_CHARACTERS = 10_000  # the rest of a text is not read: a caption of megabytes would take seconds
# Units of the report on unseen words: a run of one Japanese script, a word of any other script, or one symbol.
HIRAGANA, KATAKANA, KANJI = "\u3041-\u309f", "\u30a1-\u30ff", "\u3005\u3400-\u9fff"
JAPANESE_RUN = f"[{HIRAGANA}]+|[{KATAKANA}]+|[{KANJI}]+"
UNITS = re.compile(f"{JAPANESE_RUN}|(?:(?![{HIRAGANA}{KATAKANA}{KANJI}_])\\w)+|[^\\w\\s]")


def printable(text: str) -> str:
    """The first characters of a text; lone surrogates, which JSON may hold, are none and become "?"."""
    return text[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
