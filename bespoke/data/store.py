"""Where do decoded pictures and captions lie, so that training needs neither decoding nor memory?

`prepare` decodes a catalogue once into a folder of flat files, made whole in one rename; `PairStore` reads it.
A process killed at any moment leaves either no cache or a whole one; its half-written folder is cleared by the next.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bespoke.data.cache_writer import FORMAT, Manifest, Progress, write_cache
from bespoke.data.catalogue import Catalogue
from bespoke.data.item import SPLITS, Part, Split, shot_number
from bespoke.data.made_once import make_once
from bespoke.data.rows import RowFile, TextFile
from bespoke.errors import UserError


class PairStore:
    """Pictures of one size with their captions, attributes, groups and splits, read from a cache folder.

    Resident memory is some 20 bytes a picture; everything else stays in files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = Manifest(**json.loads((folder / "meta.json").read_text("utf-8")))
        self.size = self.manifest.size
        self.num_captions = self.manifest.num_captions
        self.fingerprint = self.manifest.fingerprint
        self.problems = self.manifest.problems
        self._pictures = RowFile(folder / "pictures.u8", np.uint8, (3, self.size, self.size))
        self._captions = TextFile(folder / "captions.txt")
        self._records = TextFile(folder / "records.jsonl")
        self.caption_start: NDArray[np.int64] = np.fromfile(folder / "caption_start.i64", np.int64)
        self.group: NDArray[np.int32] = np.fromfile(folder / "group.i32", np.int32)
        self._split: NDArray[np.int8] = np.fromfile(folder / "split.i8", np.int8)

    def __len__(self) -> int:
        return self.manifest.num_pictures

    @cached_property
    def pictures(self) -> np.memmap[Any, Any]:
        """All pictures [N, 3, S, S] uint8 RGB as a read-only memory map; for random access use take()."""
        return self._pictures.memmap()

    def take(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Copy pictures at `indices` [n] into memory: [n, 3, S, S] uint8 RGB."""
        return self._pictures.take(indices)

    def captions(self, index: int) -> list[str]:
        """The captions of one picture."""
        return self._captions.slice(int(self.caption_start[index]), int(self.caption_start[index + 1]))

    def caption(self, index: int) -> str:
        """One caption by its place among all `num_captions`; those of picture i begin at caption_start[i]."""
        return self._captions[index]

    def caption_slice(self, start: int, stop: int) -> list[str]:
        """Captions by their place among all, for reading through in blocks."""
        return self._captions.slice(start, stop)

    def name(self, index: int) -> str:
        """The picture's name in its catalogue."""
        return str(json.loads(self._records[index])["name"])

    def attributes(self, index: int) -> dict[str, str]:
        """The picture's attributes, such as class or color."""
        return dict(json.loads(self._records[index])["attributes"])

    @cached_property
    def shots(self) -> NDArray[np.int64]:
        """[N], the same number for pictures of one shot, -1 where a picture names none."""
        numbers: dict[str, int] = {}
        return np.array([shot_number(self.attributes(index), numbers) for index in range(len(self))], np.int64)

    def indices(self, part: Part) -> NDArray[np.int64]:
        """Places of the pictures of a split, or of validation and test together, ascending; empty where it is."""
        splits: tuple[Split, ...] = ("validation", "test") if part == "held-out" else (part,)
        return np.flatnonzero(np.isin(self._split, [SPLITS.index(split) for split in splits])).astype(np.int64)


def cache_folder() -> Path:
    """Where caches lie unless told otherwise: $BESPOKE_CACHE or ~/.cache/bespoke."""
    chosen = os.environ.get("BESPOKE_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "bespoke"


def _open(folder: Path) -> PairStore | None:
    """Open a finished cache folder; None where there is none, or its files do not have the sizes they should."""
    try:
        store = PairStore(folder)
    except (OSError, ValueError, TypeError):
        return None
    num = len(store)
    whole = (
        store.manifest.format == FORMAT
        and len(store.group) == len(store._split) == len(store._pictures) == len(store._records) == num
        and len(store.caption_start) == num + 1
        and len(store._captions) == store.num_captions == store.caption_start[-1]
    )
    return store if whole else None


def _check_bad(store: PairStore, *, skip_bad: bool) -> PairStore:
    """Return the store, or raise UserError with the first bad picture unless these may be skipped."""
    if store.manifest.num_bad and not skip_bad:
        raise UserError(
            f"{store.manifest.bad[0]} ({store.manifest.num_bad} bad of {store.manifest.num_items} pictures; "
            "pass --skip-bad to leave all of them out)"
        )
    return store


def prepare(
    catalogue: Catalogue,
    size: int,
    cache: Path | None = None,
    *,
    skip_bad: bool = False,
    progress: Progress | None = None,
) -> PairStore:
    """Decode a catalogue to `size` x `size` pixels once, and open the result; a second call decodes nothing.

    Raises UserError for the first bad picture (broken, missing, without caption, named twice) unless `skip_bad`, and
    where the cache cannot be written. Several processes may call it at once: one works, the others wait.
    """
    root = cache_folder() if cache is None else cache
    key = hashlib.blake2b(f"{FORMAT} {size} {catalogue.fingerprint()}".encode(), digest_size=12).hexdigest()
    folder = root / f"{catalogue.name}-{size}-{key}"
    make_once(
        folder,
        is_whole=lambda: _open(folder) is not None,
        write=lambda part: write_cache(catalogue, size, part, progress),
    )
    store = _open(folder)
    assert store is not None, f"{folder} was written but cannot be read"
    return _check_bad(store, skip_bad=skip_bad)
