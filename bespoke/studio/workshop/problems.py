"""What can be wrong with an upload? Kinds, told apart so that every language has its own words for them."""

from __future__ import annotations

from typing import Any, NamedTuple

KINDS = frozenset(
    (
        # Of one file or row; these can be left out.
        "empty",
        "no_picture",
        "broken",
        "oversized",
        "tiny",
        "deadly",
        "slow",
        "too_large",
        "locked",
        "unknown_file",
        "no_row",
        "no_file",
        "two_files",
        # Of the upload; these stop it.
        "no_zip",
        "bomb",
        "too_many",
        "no_table",
        "two_tables",
        "bad_table",
        "bad_split",
        "long_caption",
        "nothing",
        "name_taken",
    )
)


class Problem(NamedTuple):
    """What is wrong with which file, as the user calls it."""

    kind: str
    name: str = ""
    detail: str = ""

    @classmethod
    def of(cls, answer: dict[str, Any], name: str) -> Problem:
        """Of an answer of the decoder that has a fault."""
        return cls(answer["fault"], name, answer.get("detail", ""))


class RefusedError(Exception):
    """The whole upload cannot be used."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem
