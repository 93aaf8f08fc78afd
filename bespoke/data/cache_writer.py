"""How are a catalogue's pictures and captions written down for PairStore? In one walk, into one folder."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bespoke.data import split as splitting
from bespoke.data.catalogue import Catalogue
from bespoke.data.item import NUM_EXAMPLES, SPLITS, Item, shot_number
from bespoke.data.pictures import decode, unreadable
from bespoke.data.rows import TextFile, TextWriter
from bespoke.errors import UserError

Progress = Callable[[int, int | None], None]  # pictures done, pictures in all where known

_CHUNK = 64  # pictures read ahead; bounds the memory
_MOST_THREADS = 8  # each may hold one giant picture in full
_T = TypeVar("_T")
_Result = TypeVar("_Result")
FORMAT = 1  # of the folder's layout; another number makes another cache


class Manifest(NamedTuple):
    """What meta.json says about a cache folder."""

    format: int
    catalogue: str  # its name, for messages and model cards
    size: int  # pixels of a side
    num_pictures: int
    num_captions: int
    fingerprint: str  # of pictures, captions and splits
    problems: list[str]  # one line a kind of what was left out
    bad: list[str]  # the first bad pictures, one line each
    num_bad: int
    num_items: int  # pictures in the catalogue, good and bad


def write_cache(catalogue: Catalogue, size: int, folder: Path, progress: Progress | None) -> None:
    """Decode the whole catalogue into an empty folder; bad pictures are counted and left out.

    Raises UserError where no picture at all is usable, OSError where the folder cannot be written.
    """
    _Walk(folder, size).run(catalogue, progress)


class _Decoded(NamedTuple):
    item: Item
    pixels: NDArray[np.uint8] | None  # None: a bad picture
    content: int  # splitting.content_key
    problem: str


def _decode(item: Item, size: int) -> _Decoded:
    label = str(item.source) if isinstance(item.source, Path) else item.name
    if not item.texts:
        return _Decoded(item, None, 0, f"{label}: no caption; write one or take the picture out")
    try:
        with item.open() as stream:
            content = splitting.content_key(stream)
            stream.seek(0)
            return _Decoded(item, decode(stream, size, item.crop, name=label), content, "")
    except UserError as error:
        return _Decoded(item, None, 0, str(error))
    except OSError as error:
        return _Decoded(item, None, 0, str(unreadable(label, error)))


def in_threads(work: Callable[[_T], _Result], items: Iterable[_T]) -> Iterator[_Result]:
    """What `work` makes of each item, in order; a few items are worked on at a time."""
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        iterator = iter(items)
        while chunk := list(islice(iterator, _CHUNK)):
            yield from pool.map(work, chunk)


class _Walk:
    """The one pass over a catalogue. Kept in memory: 40 bytes a picture, while it lasts."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size
        self.names = array("Q")  # hashes, to find names that come twice
        self.pixels = array("Q")
        self.content = array("Q")
        self.official = array("b")
        self.group = array("i")
        self.caption_start = array("q", [0])
        self.group_ids: dict[str, int] = {}
        self.shot = array("i")
        self.shot_ids: dict[str, int] = {}
        self.bad: list[str] = []
        self.num_bad = 0
        self.digest = hashlib.blake2b(digest_size=16)

    def run(self, catalogue: Catalogue, progress: Progress | None) -> None:
        """Stream the catalogue into the folder; meta.json is written last."""
        done = 0
        with (
            (self.folder / "pictures.u8").open("wb") as pictures,
            TextWriter(self.folder / "captions.txt") as captions,
            TextWriter(self.folder / "records.jsonl") as records,
        ):
            for done, decoded in enumerate(in_threads(lambda item: _decode(item, self.size), catalogue), 1):
                if decoded.pixels is None:
                    self._add_bad(decoded.problem)
                else:
                    pictures.write(decoded.pixels.data)
                    self._add(decoded.item, decoded.pixels, decoded.content, captions, records)
                if progress is not None and (done % _CHUNK == 0 or done == catalogue.num_items):
                    progress(done, catalogue.num_items)
        if not self.pixels:
            reason = self.bad[0] if self.bad else "add some with captions"
            raise UserError(f"{catalogue.location}: no usable picture ({reason})")
        self._finish(catalogue, done)

    def _add_bad(self, problem: str) -> None:
        self.num_bad += 1
        if len(self.bad) < NUM_EXAMPLES:
            self.bad.append(problem)

    def _add(
        self,
        item: Item,
        pixels: NDArray[np.uint8],
        content: int,
        captions: TextWriter,
        records: TextWriter,
    ) -> None:
        record = json.dumps({"name": item.name, "attributes": item.attributes})
        captions.extend(item.texts)
        records.extend([record])
        pixel_hash = hashlib.blake2b(pixels.data, digest_size=8).digest()
        name_hash = hashlib.blake2b(item.name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        self.digest.update(pixel_hash + json.dumps([record, item.texts]).encode())
        self.names.append(int.from_bytes(name_hash, "little"))
        self.pixels.append(int.from_bytes(pixel_hash, "little"))
        self.content.append(content)
        self.official.append(splitting.UNDECIDED if item.split is None else SPLITS.index(item.split))
        group = item.attributes.get("class")
        self.group.append(-1 if group is None else self.group_ids.setdefault(group, len(self.group_ids)))
        self.shot.append(shot_number(item.attributes, self.shot_ids))
        self.caption_start.append(captions.count)

    def _finish(self, catalogue: Catalogue, num_items: int) -> None:
        problems = list(catalogue.problems)
        official = np.array(self.official, np.int8)
        twice = self._named_twice()
        official[twice] = splitting.LEFT_OUT
        pixels, content = np.array(self.pixels, np.uint64), np.array(self.content, np.uint64)
        splits = splitting.divide(official, pixels, content, np.array(self.shot, np.int32))
        leaks = int((splits == splitting.LEFT_OUT).sum()) - len(twice)
        if leaks:
            problems.append(f"{leaks} pictures left out of training: copies, or of the shots, of pictures held out")
        if self.num_bad:
            problems.append(f"{self.num_bad} bad pictures (first: {self.bad[0]})")
        splits.tofile(self.folder / "split.i8")
        np.array(self.group, np.int32).tofile(self.folder / "group.i32")
        np.array(self.caption_start, np.int64).tofile(self.folder / "caption_start.i64")
        self.digest.update(splits.tobytes())
        manifest = Manifest(
            format=FORMAT,
            catalogue=catalogue.name,
            size=self.size,
            num_pictures=len(splits),
            num_captions=self.caption_start[-1],
            fingerprint=self.digest.hexdigest(),
            problems=problems,
            bad=self.bad,
            num_bad=self.num_bad,
            num_items=num_items,
        )
        (self.folder / "meta.json").write_text(json.dumps(manifest._asdict(), indent=2), "utf-8")

    def _named_twice(self) -> NDArray[np.int64]:
        """Places of pictures whose name came before; each is counted as bad."""
        _, first = np.unique(np.array(self.names, np.uint64), return_index=True)
        twice = np.setdiff1d(np.arange(len(self.names)), first)
        records = TextFile(self.folder / "records.jsonl")
        for index in twice.tolist():
            name = json.loads(records[index])["name"]
            self._add_bad(f"{name}: named twice; put all captions of a picture in one list under texts")
        return twice
