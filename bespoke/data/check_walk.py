"""What does one walk over a catalogue see? Numbers by the place of each picture, and counts; no picture is kept."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bespoke.data import split as splitting
from bespoke.data.cache_writer import Progress, in_threads
from bespoke.data.catalogue import Catalogue
from bespoke.data.check_attributes import AttributeCount
from bespoke.data.check_captions import CaptionCount
from bespoke.data.check_pictures import LOOK, Facts, facts
from bespoke.data.item import SPLITS, Item, shot_number
from bespoke.errors import UserError

FAULTS = ("", "missing", "broken", "oversized", "tiny")  # as pictures.Fault; the first is none
MOST_NOTES = 1000  # bounds the memory
_EVERY = 64  # pictures between two words on progress


class Walk:
    """Everything seen of a catalogue of N pictures: some 300 bytes a picture, and its words."""

    def __init__(self) -> None:
        self.captions = CaptionCount()
        self.attributes = AttributeCount()
        self.notes: dict[int, str] = {}  # what was found in place of a usable picture
        self._faults, self._official, self._transparent = array("b"), array("b"), array("b")
        self._texts = array("q")
        self._first = array("q")  # the first row of the same name; mostly its own
        self._shorter, self._longer = array("q"), array("q")
        self._content, self._pixels = array("Q"), array("Q")
        self._looks = bytearray()
        self._shots, self._shot_ids = array("i"), dict[str, int]()
        self._known: dict[int, int] = {}  # hash of a name -> its first row

    def add(self, item: Item, seen: Facts) -> None:
        """Take in one picture, in the catalogue's order."""
        place = len(self)
        first = self._known.setdefault(_name_hash(item.name), place)
        self._first.append(first)
        self._faults.append(FAULTS.index(seen.fault))
        self._official.append(splitting.UNDECIDED if item.split is None else SPLITS.index(item.split))
        self._transparent.append(seen.transparent)
        self._texts.append(len(item.texts))
        self._shorter.append(min(seen.width, seen.height))
        self._longer.append(max(seen.width, seen.height))
        self._content.append(seen.content)
        self._pixels.append(seen.pixels)
        self._looks += seen.look.tobytes()
        self._shots.append(shot_number(item.attributes, self._shot_ids))
        self.captions.add(first, item.texts, usable=not seen.fault)
        if first == place and not seen.fault:
            self.attributes.add(item.attributes)
        if seen.found and len(self.notes) < MOST_NOTES:
            self.notes[place] = seen.found

    def knows(self, name: str) -> bool:
        """Whether a row names that picture."""
        return _name_hash(name) in self._known

    def __len__(self) -> int:
        return len(self._faults)

    @property
    def faults(self) -> NDArray[np.int8]:
        """Index into FAULTS of each picture [N]."""
        return np.frombuffer(self._faults, np.int8)

    @property
    def shots(self) -> NDArray[np.int32]:
        """The same number for pictures of one shot [N], -1 where a picture names none."""
        return np.frombuffer(self._shots, np.int32)

    @property
    def official(self) -> NDArray[np.int8]:
        """The official split of each picture [N], or UNDECIDED."""
        return np.frombuffer(self._official, np.int8)

    @property
    def transparent(self) -> NDArray[np.bool_]:
        """Which pictures [N] have transparent parts."""
        return np.frombuffer(self._transparent, np.bool_)

    @property
    def num_texts(self) -> NDArray[np.int64]:
        """Captions of each row [N]."""
        return np.frombuffer(self._texts, np.int64)

    @property
    def first(self) -> NDArray[np.int64]:
        """The first row that names the same picture as each row [N]."""
        return np.frombuffer(self._first, np.int64)

    @property
    def sides(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The shorter and the longer side of each picture [N] in pixels, 0 where it cannot be read."""
        return np.frombuffer(self._shorter, np.int64), np.frombuffer(self._longer, np.int64)

    @property
    def content(self) -> NDArray[np.uint64]:
        """split.content_key of each picture [N]."""
        return np.frombuffer(self._content, np.uint64)

    @property
    def pixels(self) -> NDArray[np.uint64]:
        """A hash of each picture [N] as training would see it."""
        return np.frombuffer(self._pixels, np.uint64)

    @property
    def looks(self) -> NDArray[np.uint8]:
        """check_pictures.look of each picture [N, LOOK]."""
        return np.frombuffer(self._looks, np.uint8).reshape(-1, LOOK)


def _name_hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def walk(catalogue: Catalogue, progress: Progress | None = None) -> Walk:
    """Look at every picture and caption once. Raises UserError where the catalogue has no rows at all."""
    if catalogue.reader.stamps is None:  # the rows are cheap to read: mistakes in them are told at once
        for _ in catalogue:
            pass
    seen = Walk()
    look: Callable[[Item], tuple[Item, Facts]] = lambda item: (item, facts(item))  # noqa: E731
    for item, found in in_threads(look, catalogue):
        seen.add(item, found)
        if progress is not None and (len(seen) % _EVERY == 0 or len(seen) == catalogue.num_items):
            progress(len(seen), catalogue.num_items)
    if not len(seen):
        raise UserError(f"{catalogue.location}: no picture in it; add rows that name pictures and their captions")
    return seen
