"""What does a reader hand on? One picture with its captions, and a list of what was left out."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
# What a model can be asked about: a split, or both that were kept from training, where each of them is too small.
Part = Literal["train", "validation", "test", "held-out"]
PARTS: tuple[Part, ...] = (*SPLITS, "held-out")

# The attribute that pictures share which show one and the same but for what their captions say: a product shot alike in
# several colours. They are all on one side of a split, and teach an editor.
SHOT = "same_shot"

NUM_EXAMPLES = 5  # of each kind of problem; more would fill the screen


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a catalogue with its captions; the picture itself is read later."""

    name: str  # path relative to the catalogue, "/"-separated, unique
    source: Path | bytes  # a file, or the encoded picture where it came out of an archive
    texts: tuple[str, ...]  # no text: the picture has no caption, which whoever reads on must judge
    attributes: dict[str, str] = field(default_factory=dict)
    split: Split | None = None  # the official one; None leaves it to the picture's content
    crop: tuple[int, int, int, int] | None = None  # left, top, right, bottom in pixels; may stand out of the picture

    def open(self) -> io.BytesIO | io.BufferedReader:
        """Open the encoded picture; raises OSError where the file is missing or unreadable."""
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")


def shot_number(attributes: Mapping[str, str], numbers: dict[str, int]) -> int:
    """The number of a picture's shot, counted in the order in which they come; -1 where it names none."""
    shot = attributes.get(SHOT)
    return numbers.setdefault(shot, len(numbers)) if shot else -1


class Problems:
    """Counts what was left out, by kind, with the first few examples of each."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.examples: dict[str, list[str]] = {}

    def add(self, kind: str, example: str) -> None:
        """Count one more of a kind such as "caption files without a picture"."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        examples = self.examples.setdefault(kind, [])
        if len(examples) < NUM_EXAMPLES:
            examples.append(example)

    def clear(self) -> None:
        """Forget everything: a new pass over the catalogue begins."""
        self.counts.clear()
        self.examples.clear()

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[str]:
        """One line a kind: "204 caption files without a picture (first: text_c10/...)"."""
        for kind, count, first in self.kinds():
            yield f"{count} {kind} (first: {first})"

    def kinds(self) -> Iterator[tuple[str, int, str]]:
        """Each kind, how many there are of it, and the first."""
        for kind, count in self.counts.items():
            yield kind, count, self.examples[kind][0]
