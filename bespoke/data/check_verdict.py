"""Can this catalogue be trained on? Go, go with a base model, or not yet, with the reasons and what to add."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from bespoke.pages.texts import Line

Decision = Literal["go", "base", "not_yet"]

# Rules of thumb; say so wherever they are shown. The curve that was measured (docs/results/small-data.md) has no step:
# more time helps 500 pictures as much as more pictures do.
FROM_SCRATCH = 1000  # usable pictures
WITH_BASE = 100
MOST_UNUSABLE = 0.3  # share of the pictures
MOST_ALIKE = 0.8  # share of the usable pictures without a caption of their own
WORTH_SAYING = 0.05  # share of the pictures
FEW = 10  # pictures of a colour or a type: fewer are hardly learned
SHOWN_VALUES = 12


@dataclass(frozen=True)
class Counts:
    """What the verdict rests on."""

    items: int  # rows of the catalogue
    usable: int  # pictures that can be read, have a caption and are there once
    unusable: int = 0  # pictures that cannot be read, or have no caption
    no_caption: int = 0
    repeats: int = 0  # rows that name a picture again
    duplicates: int = 0
    near: int = 0
    across: int = 0
    alike: int = 0  # usable pictures without a caption of their own
    long: int = 0
    short: int = 0
    words: int = 0
    rare: int = 0
    unnamed: int = 0  # pictures in the folder that no row names
    few: list[tuple[str, str, int]] = field(default_factory=list)  # attribute, value, pictures


class Verdict(NamedTuple):
    """The decision with its grounds, the weightiest first."""

    decision: Decision
    reasons: list[Line]
    advice: list[Line]


def judge(counts: Counts) -> Verdict:
    """Weigh the counts; nothing here looks at a picture, so it cannot say whether captions are true."""
    usable = max(1, counts.usable)
    unusable_share = counts.unusable / max(1, counts.items - counts.repeats)
    stops = (counts.usable < WITH_BASE, unusable_share > MOST_UNUSABLE, counts.alike / usable > MOST_ALIKE)
    decision: Decision = "not_yet" if any(stops) else "base" if counts.usable < FROM_SCRATCH else "go"
    return Verdict(decision, list(_reasons(counts, unusable_share)), list(_advice(counts, decision)))


def _reasons(counts: Counts, unusable_share: float) -> Iterator[Line]:
    numbers: dict[str, int | str] = {"usable": counts.usable, "base": WITH_BASE, "scratch": FROM_SCRATCH}
    if counts.usable < WITH_BASE:
        yield Line("too_few", numbers)
    elif counts.usable < FROM_SCRATCH:
        yield Line("enough_with_base", numbers)
    else:
        yield Line("enough", numbers, good=True)
    if counts.unusable:
        share = f"{max(1, round(100 * unusable_share))}%"
        yield Line("unusable", {"count": counts.unusable, "share": share})
    if counts.repeats:
        yield Line("repeats", {"count": counts.repeats})
    if counts.unnamed:
        yield Line("unnamed", {"count": counts.unnamed})
    if counts.usable and counts.alike > WORTH_SAYING * counts.usable:
        yield Line("alike", {"count": counts.alike, "share": f"{round(100 * counts.alike / counts.usable)}%"})
    elif counts.usable:
        yield Line("captions_differ", good=True)
    if counts.duplicates + counts.near > WORTH_SAYING * counts.items:
        yield Line("copies", {"duplicates": counts.duplicates, "near": counts.near})
    if counts.across:
        yield Line("across", {"count": counts.across})
    if counts.rare:
        yield Line("rare_words", {"count": counts.rare, "words": counts.words})


def _advice(counts: Counts, decision: Decision) -> Iterator[Line]:
    if decision == "base":
        yield Line("train_from_base")
    if counts.unusable > counts.no_caption:
        yield Line("mend", {"count": counts.unusable - counts.no_caption})
    if counts.no_caption:
        yield Line("write_captions", {"count": counts.no_caption})
    for least, key in ((WITH_BASE, "add_for_base"), (FROM_SCRATCH, "add_for_scratch")):
        if counts.usable < least:
            yield Line(key, {"count": least - counts.usable})
    if counts.alike > WORTH_SAYING * counts.usable or counts.short > WORTH_SAYING * counts.usable:
        yield Line("tell_apart")
    if counts.few:
        shown = _spread(counts.few)
        named = ", ".join(f"{name}: {value} ({count})" for name, value, count in shown)
        yield Line("fill_up", {"values": named + (", ..." if len(counts.few) > len(shown) else ""), "few": FEW})
    if counts.long:
        yield Line("shorten", {"count": counts.long})
    if counts.duplicates or counts.repeats or counts.unusable:
        yield Line("clean")
    if counts.across:
        yield Line("part_splits")


def _spread(few: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """As many as are shown, the rarest of every attribute first, so that prices leave room for colours."""
    rank: dict[str, int] = {}
    ranked = []
    for entry in few:
        rank[entry[0]] = rank.get(entry[0], -1) + 1
        ranked.append((rank[entry[0]], entry))
    return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])[:SHOWN_VALUES]]
