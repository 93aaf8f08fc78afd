"""What follows from the numbers of a walk? Findings: what is wrong, with which pictures, and how much it matters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bespoke.data import split as splitting
from bespoke.data.check_pictures import SIDE, is_plain, near_leaders
from bespoke.data.check_verdict import FEW, Counts
from bespoke.data.check_walk import FAULTS, Walk

Level = Literal["stop", "warn", "note"]
# Each kind of finding in the order of the report, and whether training stops at it.
LEVELS: dict[str, Level] = {
    "missing": "stop",
    "broken": "stop",
    "oversized": "stop",
    "tiny": "stop",
    "no_caption": "stop",
    "again": "stop",
    "across": "warn",
    "duplicates": "warn",
    "near": "warn",
    "same_captions": "warn",
    "plain": "warn",
    "small": "warn",
    "short_captions": "warn",
    "long_captions": "note",
    "cut_off": "note",
    "transparent": "note",
    "unnamed": "note",
}
MOST_GROUPS = 1000  # of one kind that are listed; more would fill the report
MOST_COMPARED = 100_000  # looks; comparing all pairs of more would take too long
MOST_SIDES = 1.5  # longer by shorter side; beyond it the centre square loses a third of the picture
Places = NDArray[np.int64]


class Draft(NamedTuple):
    """A finding in numbers: pictures by their place, in groups where they belong together."""

    kind: str
    number: int  # of pictures
    groups: list[Places]


class Findings(NamedTuple):
    """All findings of a walk over N pictures, and what they leave."""

    drafts: list[Draft]
    usable: NDArray[np.bool_]  # [N] can be read, has a caption, and is the first of its copies
    home: Places  # [N] the picture that a repeated row or a copy belongs to; mostly its own place
    splits: NDArray[np.int8]  # [N] as training would divide it; LEFT_OUT where it would not use it
    counts: Counts


def findings(seen: Walk) -> Findings:
    """Draw the conclusions."""
    place = np.arange(len(seen))
    again = seen.first != place
    good = (seen.faults == 0) & ~again
    captioned = np.zeros(len(seen), np.int64)
    np.add.at(captioned, seen.first, seen.num_texts)
    ready = good & (captioned > 0)
    home = np.where(again, seen.first, place)
    home[good] = _first_of(seen.pixels[good], place[good])
    home = home[home]
    near = near_homes(seen, home, good)
    splits = np.full(len(seen), splitting.LEFT_OUT, np.int8)
    if ready.any():
        splits[ready] = splitting.divide(
            seen.official[ready], seen.pixels[ready], seen.content[ready], seen.shots[ready]
        )
    usable = ready & (home == place)
    for copy in np.flatnonzero(ready & ~usable):  # a copy may bring the caption that its first lacks
        usable[home[copy]] = True
    alike, shared = seen.captions.shared(np.where(usable[home], home, -1))
    drafts = [
        *(Draft(FAULTS[code], *_singles((seen.faults == code) & ~again)) for code in range(1, len(FAULTS))),
        Draft("no_caption", *_singles(good & (captioned == 0))),
        Draft("again", *_singles(again)),
        Draft("across", *_across(near, splits, ready)),
        Draft("duplicates", *_copies(home, good)),
        Draft("near", *_copies(near, good & (home == place))),
        Draft("same_captions", len(alike), shared[:MOST_GROUPS]),
        *(Draft(kind, *_singles(good & which)) for kind, which in _by_look(seen).items()),
        Draft("short_captions", *_singles(good & _at(seen.captions.short, len(seen)))),
        Draft("long_captions", *_singles(good & _at(seen.captions.long, len(seen)))),
    ]
    found = sorted((draft for draft in drafts if draft.number), key=lambda draft: [*LEVELS].index(draft.kind))
    return Findings(
        found, usable, home, splits, _counts(seen, {draft.kind: draft.number for draft in found}, usable, alike)
    )


def _first_of(keys: NDArray[np.uint64], places: Places) -> Places:
    """The first of the places that have the same key, for each."""
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    return places[first[group]]


def near_homes(seen: Walk, home: Places, good: NDArray[np.bool_]) -> Places:
    """For each picture the first that it is the same or nearly the same as, [N]."""
    candidates = np.flatnonzero(good & (home == np.arange(len(home))))
    candidates = candidates[~is_plain(seen.looks[candidates])][:MOST_COMPARED]
    near = np.arange(len(home))
    near[candidates] = candidates[near_leaders(seen.looks[candidates])]
    of_one_shot = (seen.shots >= 0) & (seen.shots == seen.shots[near])  # are alike on purpose
    near[of_one_shot] = home[of_one_shot]
    return near[home]


def _singles(which: NDArray[np.bool_]) -> tuple[int, list[Places]]:
    return int(which.sum()), [np.array([place]) for place in np.flatnonzero(which)[:MOST_GROUPS]]


def _groups(home: Places, among: NDArray[np.bool_]) -> Iterator[Places]:
    """The pictures of each home that has more than one, in the catalogue's order."""
    places = np.flatnonzero(among)
    order = places[np.argsort(home[places], kind="stable")]
    for group in np.split(order, np.flatnonzero(np.diff(home[order])) + 1):
        if len(group) > 1:
            yield group


def _copies(home: Places, among: NDArray[np.bool_]) -> tuple[int, list[Places]]:
    groups = list(_groups(home, among))
    return sum(len(group) - 1 for group in groups), groups[:MOST_GROUPS]


def _across(near: Places, splits: NDArray[np.int8], ready: NDArray[np.bool_]) -> tuple[int, list[Places]]:
    """Groups of copies that stand on more than one side of the split."""
    groups = [group for group in _groups(near, ready) if len(set(splits[group].tolist())) > 1]
    return sum(map(len, groups)), groups[:MOST_GROUPS]


def _by_look(seen: Walk) -> dict[str, NDArray[np.bool_]]:
    shorter, longer = seen.sides
    return {
        "plain": is_plain(seen.looks),
        "small": shorter < SIDE,
        "cut_off": longer > MOST_SIDES * shorter,
        "transparent": seen.transparent,
    }


def _at(places: object, length: int) -> NDArray[np.bool_]:
    which = np.zeros(length, np.bool_)
    which[np.array(places, np.int64)] = True
    return which


def _counts(seen: Walk, found: dict[str, int], usable: NDArray[np.bool_], alike: Places) -> Counts:
    few = [
        (coverage.name, value, count)
        for coverage in seen.attributes.coverage()
        for value, count in coverage.values
        if count < FEW
    ]
    return Counts(
        items=len(seen),
        usable=int(usable.sum()),
        unusable=sum(found.get(kind, 0) for kind in (*FAULTS[1:], "no_caption")),
        no_caption=found.get("no_caption", 0),
        repeats=found.get("again", 0),
        duplicates=found.get("duplicates", 0),
        near=found.get("near", 0),
        across=found.get("across", 0),
        alike=len(alike),
        long=found.get("long_captions", 0),
        short=found.get("short_captions", 0),
        words=len(seen.captions.words),
        rare=len(seen.captions.rare_words()),
        few=sorted(few, key=lambda entry: entry[2]),
    )
