"""Which words can stand in for each other? Colours, numbers and patterns in English and Japanese."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

SCRIPTS = ("\u3005\u3400-\u9fff", "\u30a1-\u30ff")  # kanji, katakana


@dataclass(frozen=True)
class Form:
    """Words of one kind and one grammatical form: any can replace any other of another family.

    A family holds words of nearly the same meaning ("violet" put in for "purple" would leave a caption true).
    """

    kind: str
    families: dict[str, str]  # family -> the word to put in
    family: dict[str, str]  # lower-case word of a caption -> its family
    expression: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds such a word as the group `word`. Compiled when first asked for: that takes a while."""
        return re.compile(self.expression, re.IGNORECASE)


def _form(kind: str, table: str, guarded: Callable[[str], str]) -> Form:
    """One family a line: its name, shared by all forms and languages, the word to put in, words of like meaning."""
    rows = [[word.strip() for word in line.split(",")] for line in table.strip().splitlines()]
    family = {word: name for name, *members in rows for word in members}
    longest_first = sorted(family, key=lambda word: (-len(word), word))
    expression = "(?P<word>" + "|".join(guarded(word) for word in longest_first) + ")"
    return Form(kind, {name: members[0] for name, *members in rows}, family, expression)


def _english(kind: str, table: str) -> Form:
    return _form(kind, table, lambda word: rf"\b{word}\b")


def _japanese(kind: str, table: str, *, before: str = "", not_before: str = "") -> Form:
    """A word must not be part of a longer run of its own script; `before`, `not_before`: what may follow it."""

    def guarded(word: str) -> str:
        first, last = (next((s for s in SCRIPTS if re.match(f"[{s}]", c)), "") for c in (word[0], word[-1]))
        behind = f"(?<![{first}])" if first else ""
        ahead = f"(?=[{before}])" if before else f"(?![{last}{not_before}])" if last + not_before else ""
        return behind + word + ahead

    return _form(kind, table, guarded)


FORMS = (
    _english(
        "color",
        """
        red, red, crimson, scarlet, maroon
        orange, orange
        yellow, yellow
        green, green
        blue, blue, navy
        light blue, turquoise, teal
        purple, purple, violet, lavender, magenta
        pink, pink
        brown, brown, tan, beige
        white, white, cream
        black, black
        gray, gray, grey, silver
        """,
    ),
    # "one" is left out: it is mostly a pronoun.
    _english(
        "number",
        """
        2, two
        3, three
        4, four
        5, five
        6, six
        7, seven
        8, eight
        9, nine
        10, ten
        """,
    ),
    _english("number", "\n".join(f"{n},{n}" for n in range(2, 11))),
    _english(
        "pattern",
        """
        striped, striped, stripy, stripey
        dotted, spotted, dotted, polka-dot, polka-dotted, speckled
        checked, checked, checkered, checkerboard, plaid
        plain, plain, solid, unpatterned
        """,
    ),
    _english(
        "pattern",
        """
        striped, stripes
        dotted, dots, spots, speckles
        checked, checks
        """,
    ),
    # Adjectives before a noun or at the end of a clause; "omoshiroi" (interesting) ends like "shiroi" (white).
    _japanese(
        "color",
        """
        red, 赤い
        blue, 青い
        white, 白い
        black, 黒い
        yellow, 黄色い
        brown, 茶色い
        """,
    ),
    _japanese(
        "color",
        """
        red, 赤, 赤色, 真っ赤, レッド
        orange, オレンジ色, オレンジ, 橙色
        yellow, 黄色, 黄, イエロー
        green, 緑, 緑色, グリーン
        blue, 青, 青色, 紺, 紺色, ブルー
        light blue, 水色, 空色
        purple, 紫, 紫色, パープル
        pink, ピンク, ピンク色, 桃色
        brown, 茶色, ブラウン, ベージュ
        white, 白, 白色, 真っ白, ホワイト
        black, 黒, 黒色, 真っ黒, ブラック
        gray, 灰色, グレー, 銀色
        """,
        not_before="いくみさけめむらち",
    ),
    _japanese(
        "number", "\n".join(f"{n},{k}" for n, k in enumerate("二三四五六七八九", 2)), before="つ本枚個輪匹台冊足"
    ),
    _japanese("number", "\n".join(f"{n},{n}" for n in range(2, 10)), before="つ本枚個輪匹台冊足"),
    _japanese(
        "pattern",
        """
        striped, 縞模様, しま模様, 縞柄, 縞, ストライプ, ストライプ柄, ボーダー, ボーダー柄
        dotted, 水玉模様, 水玉, 水玉柄, ドット, ドット柄
        checked, チェック柄, チェック, 格子柄, 格子模様
        plain, 無地
        """,
    ),
)

ENGLISH_FORMS = tuple(form for form in FORMS if all(word.isascii() for word in form.families.values()))

SIDES = re.compile(r"\b(left|right)\b|[\u5de6\u53f3]", re.IGNORECASE)  # words that a mirrored picture would belie
