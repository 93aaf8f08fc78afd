"""Which colours, types and other attributes have how many pictures?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

MOST_VALUES = 200  # different ones; an attribute with more is a name or a number, not a kind
MOST_ATTRIBUTES = 200  # columns; bounds the memory where every picture brings its own
MEAN_PICTURES = 2  # a value; with fewer, too, it is a name
# A day, which no picture shows.
_DATE = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}(\D.*)?|\d{4}年\d{1,2}月(\d{1,2}日)?")


@dataclass(frozen=True)
class Coverage:
    """One attribute: how many pictures have each value, the most usual first."""

    name: str
    values: list[tuple[str, int]]
    without: int  # pictures that have none


class AttributeCount:
    """Counts values over all pictures; its memory is bounded."""

    def __init__(self) -> None:
        self._values: dict[str, Counter[str]] = {}
        self._names: set[str] = set()  # attributes that turned out to be names or numbers
        self._pictures = 0

    def add(self, attributes: Mapping[str, str]) -> None:
        """Count the attributes of one picture."""
        self._pictures += 1
        for name, value in attributes.items():
            if name in self._names or (name not in self._values and len(self._values) >= MOST_ATTRIBUTES):
                continue
            values = self._values.setdefault(name, Counter())
            values[value] += 1
            if len(values) > MOST_VALUES:
                self._names.add(name)
                del self._values[name]

    def coverage(self) -> list[Coverage]:
        """The attributes that sort pictures into kinds, in the order of the columns."""
        return [
            Coverage(name, values.most_common(), self._pictures - values.total())
            for name, values in self._values.items()
            if values.total() >= MEAN_PICTURES * len(values) and not all(map(_DATE.fullmatch, values))
        ]

    def uncounted(self) -> list[str]:
        """Attributes that are different on nearly every picture, such as an article's number, and days."""
        counted = {coverage.name for coverage in self.coverage()}
        return sorted(self._names | (self._values.keys() - counted))
