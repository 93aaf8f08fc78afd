"""How do we keep more rows than fit in memory? Flat files of equal rows, and of texts with their offsets.

Rows are read with pread, not through a memory map: pages of a map that was touched all over count as this process'
memory, so that training would seem to grow with the catalogue.
"""

from __future__ import annotations

import itertools
import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def _open(owner: object, path: Path) -> int:
    """Open a file for as long as `owner` lives."""
    descriptor = os.open(path, os.O_RDONLY)
    weakref.finalize(owner, os.close, descriptor)
    return descriptor


class RowFile:
    """Rows of one dtype and shape in a file, read by index."""

    def __init__(self, path: Path, dtype: DTypeLike, shape: tuple[int, ...] = ()) -> None:
        self.path = path
        self.dtype = np.dtype(dtype)
        self.shape = shape
        self.row_bytes = self.dtype.itemsize * int(np.prod(shape))
        self._file = _open(self, path)
        self.num_rows = os.fstat(self._file).st_size // self.row_bytes

    def __len__(self) -> int:
        return self.num_rows

    def take(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        """Copy the rows at `indices` [N] into a new array [N, *shape]; raises IndexError outside the file."""
        if len(indices) and (indices.min() < 0 or indices.max() >= self.num_rows):
            raise IndexError(f"{self.path.name} has {self.num_rows} rows, asked for {indices.min()}..{indices.max()}")
        rows = np.empty((len(indices), *self.shape), self.dtype)
        buffer = rows.reshape(-1).view(np.uint8).data
        width = self.row_bytes
        for place, index in enumerate(indices.tolist()):
            if os.preadv(self._file, [buffer[place * width : (place + 1) * width]], index * width) != width:
                raise OSError(f"{self.path}: row {index} is cut off; delete the folder, it is made again")
        return rows

    def slice(self, start: int, stop: int) -> NDArray[Any]:
        """Copy the rows from `start` to before `stop`."""
        data = os.pread(self._file, (stop - start) * self.row_bytes, start * self.row_bytes)
        return np.frombuffer(data, self.dtype).reshape(stop - start, *self.shape)

    def memmap(self) -> np.memmap[Any, Any]:
        """All rows as a read-only memory map [N, *shape], for reading through in order."""
        return np.memmap(self.path, self.dtype, "r", shape=(self.num_rows, *self.shape))


class TextFile:
    """Texts of any length in one UTF-8 file, found by their offsets."""

    def __init__(self, path: Path) -> None:
        self._text = _open(self, path)
        self._offsets = RowFile(offsets_path(path), np.int64)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: int) -> str:
        return self.slice(index, index + 1)[0]

    def slice(self, start: int, stop: int) -> list[str]:
        """The texts from `start` to before `stop`."""
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"{len(self)} texts, asked for {start}..{stop}")
        offsets = self._offsets.slice(start, stop + 1).tolist()
        data = os.pread(self._text, offsets[-1] - offsets[0], offsets[0])
        return [
            data[begin - offsets[0] : end - offsets[0]].decode("utf-8", "surrogatepass")
            for begin, end in itertools.pairwise(offsets)
        ]


class TextWriter:
    """Appends texts to a TextFile in the making."""

    def __init__(self, path: Path) -> None:
        self._text = path.open("wb")
        self._offsets = offsets_path(path).open("wb")
        self._position = 0
        self.count = 0
        self._mark()

    def _mark(self) -> None:
        self._offsets.write(np.int64(self._position).tobytes())

    def extend(self, texts: Iterable[str]) -> None:
        """Append texts in order."""
        for text in texts:
            self._position += self._text.write(text.encode("utf-8", "surrogatepass"))
            self._mark()
            self.count += 1

    def __enter__(self) -> TextWriter:
        return self

    def __exit__(self, *_: object) -> None:
        """Write out what is buffered; raises OSError where the disk is full."""
        with self._offsets, self._text:
            pass


def offsets_path(path: Path) -> Path:
    """Where the offsets of a text file lie."""
    return path.with_suffix(".offsets")
