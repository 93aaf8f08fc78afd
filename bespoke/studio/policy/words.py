"""Does a text hold a word? In any language, however it is spelled. Knows no Django.

Texts are compared as NFKC, case-folded, without invisible characters, katakana as hiragana. Where a script puts spaces
between words, a word must stand alone ("ass" is not in "glass"); where it does not, as in Japanese, it may stand
anywhere.
"""

from __future__ import annotations

import re
import unicodedata

# Han, kana, and the scripts of South-East Asia that put no spaces between words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_HIRAGANA = {katakana: katakana - 0x60 for katakana in range(0x30A1, 0x30F7)}


def plain(text: str) -> str:
    """A text as it is compared."""
    # Twice, because folding case may leave what NFKC would put together.
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text).casefold()
    seen = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return " ".join(seen.translate(_HIRAGANA).split())


def holds(text: str, words: str) -> bool:
    """Whether a word, or several that follow each other, stands in a text; both as `plain` gives them."""
    start = text.find(words) if words else -1
    while start >= 0:
        end = start + len(words)
        if not (_joined(text[start - 1 : start], words[0]) or _joined(words[-1], text[end : end + 1])):
            return True
        start = text.find(words, start + 1)
    return False


def _joined(left: str, right: str) -> bool:
    """Whether two neighbours are of one word; either may be empty, the end of the text."""
    if not left or not right or _UNSPACED.match(left) or _UNSPACED.match(right):
        return False
    return _of_word(left) and _of_word(right)


def _of_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"
