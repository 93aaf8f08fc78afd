"""Is this catalogue fit to be trained on? Everything the report says, found without changing or keeping a picture.

One walk sees every picture and caption (check_walk), conclusions are drawn from its numbers (check_findings,
check_verdict), and a second walk fetches the few pictures that are shown.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bespoke.data import readers
from bespoke.data.cache_writer import Progress
from bespoke.data.catalogue import Catalogue
from bespoke.data.check_attributes import Coverage
from bespoke.data.check_captions import Lengths
from bespoke.data.check_findings import LEVELS, MOST_GROUPS, Draft, Level, Places, findings
from bespoke.data.check_verdict import Counts, Verdict, judge
from bespoke.data.check_walk import Walk, walk
from bespoke.data.columns import Chosen
from bespoke.data.item import SPLITS, Item
from bespoke.data.pictures import decode
from bespoke.errors import UserError

NUM_SAMPLES = 16  # pictures that show what a model would see
THUMB = 112  # pixels
SHOWN_SINGLES, SHOWN_GROUPS, SHOWN_MEMBERS = 12, 6, 4  # pictures of a finding
MOST_MEMBERS = 20  # of a group that are named
MOST_RARE = 1000  # words that are listed


class Example(NamedTuple):
    """One picture of the report."""

    name: str
    note: str  # what was found in place of a usable picture
    text: str  # its first caption
    thumb: bytes | None  # JPEG; None where it cannot be read, or is named but not shown


@dataclass(frozen=True)
class Finding:
    """What is wrong with how many pictures, with examples in groups that belong together."""

    kind: str  # a key of check_findings.LEVELS
    level: Level
    count: int
    groups: list[list[Example]]


@dataclass(frozen=True)
class Report:
    """What is known about a catalogue before it is trained on."""

    catalogue: str
    location: str
    layout: str
    columns: Chosen | None
    verdict: Verdict
    counts: Counts
    splits: dict[str, int]
    sides: tuple[int, int, int] | None  # least, median and largest shorter side in pixels
    samples: list[Example]
    findings: list[Finding]
    left_out: list[tuple[str, int, str]]  # what the reader passed over: kind, how many, the first
    num_captions: int
    num_different: int
    languages: dict[str, Lengths]
    rare_words: list[tuple[str, int]]
    attributes: list[Coverage]
    uncounted: list[str]
    usable: NDArray[np.bool_]  # [N], for cleaned.write_cleaned
    home: Places  # [N]


def check(catalogue: Catalogue, progress: Progress | None = None) -> Report:
    """Look at a whole catalogue. Raises UserError where it cannot be read as one."""
    columns = catalogue.chosen_columns()
    seen = walk(catalogue, progress)
    found = findings(seen)
    spread = np.flatnonzero(found.usable)
    samples = spread[np.linspace(0, len(spread) - 1, min(NUM_SAMPLES, len(spread)), dtype=np.int64)]
    examples = _fetch(catalogue, found.drafts, samples, seen)
    unnamed = _unnamed(catalogue, seen)
    counts = replace(found.counts, unnamed=unnamed.count)
    shorter = seen.sides[0][seen.faults == 0]
    return Report(
        catalogue=catalogue.name,
        location=catalogue.location,
        layout=catalogue.reader.name,
        columns=columns,
        verdict=judge(counts),
        counts=counts,
        splits={split: int((found.splits == number).sum()) for number, split in enumerate(SPLITS)},
        sides=(int(shorter.min()), int(np.median(shorter)), int(shorter.max())) if len(shorter) else None,
        samples=[examples[place] for place in samples.tolist() if place in examples],
        findings=[*(_finding(draft, examples) for draft in found.drafts), *([unnamed] if unnamed.count else [])],
        left_out=list(catalogue.problems.kinds()),
        num_captions=len(seen.captions),
        num_different=seen.captions.num_different,
        languages=seen.captions.summaries(),
        rare_words=seen.captions.rare_words()[:MOST_RARE],
        attributes=seen.attributes.coverage(),
        uncounted=seen.attributes.uncounted(),
        usable=found.usable,
        home=found.home,
    )


def _finding(draft: Draft, examples: dict[int, Example]) -> Finding:
    groups = [[examples[p] for p in group[:MOST_MEMBERS].tolist() if p in examples] for group in draft.groups]
    return Finding(draft.kind, LEVELS[draft.kind], draft.number, [group for group in groups if group])


def _unnamed(catalogue: Catalogue, seen: Walk) -> Finding:
    """Pictures in the folder of a table that no row of it names."""
    count, groups = 0, list[list[Example]]()
    if catalogue.reader.columns:
        folder = Path(catalogue.location)
        for name in readers.pictures_in(folder):
            if not seen.knows(name):
                count += 1
                if count <= MOST_GROUPS:
                    thumb = _thumb(Item(name, folder / name, ())) if count <= SHOWN_SINGLES else None
                    groups.append([Example(name, "", "", thumb)])
    return Finding("unnamed", LEVELS["unnamed"], count, groups)


def shown(groups: list[list[Example]]) -> list[list[Example]]:
    """The groups of a finding that are shown as pictures, cut to the members that are."""
    if all(len(group) == 1 for group in groups):
        return groups[:SHOWN_SINGLES]
    return [group[:SHOWN_MEMBERS] for group in groups[:SHOWN_GROUPS]]


def _fetch(catalogue: Catalogue, drafts: list[Draft], samples: Places, seen: Walk) -> dict[int, Example]:
    """Walk once more and fetch the examples, with a thumbnail where they are shown."""
    named: set[int] = set()
    pictured = set(samples.tolist())
    for draft in drafts:
        single = all(len(group) == 1 for group in draft.groups)
        for number, group in enumerate(draft.groups):
            named.update(group[:MOST_MEMBERS].tolist())
            if number < (SHOWN_SINGLES if single else SHOWN_GROUPS):
                pictured.update(group[:SHOWN_MEMBERS].tolist())
    examples = {}
    for place, item in enumerate(catalogue):
        if place in named or place in pictured:
            thumb = _thumb(item) if place in pictured else None
            examples[place] = Example(item.name, seen.notes.get(place, ""), next(iter(item.texts), ""), thumb)
    return examples


def _thumb(item: Item) -> bytes | None:
    """A small JPEG of the square that a model would see; None where there is none."""
    try:
        with item.open() as stream:
            pixels = decode(stream, THUMB, item.crop, name=item.name)
    except (UserError, OSError, ValueError):
        return None
    buffer = io.BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0)).save(buffer, "JPEG", quality=82)
    return buffer.getvalue()
