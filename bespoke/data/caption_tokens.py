"""How does a training step get tokens or vectors without encoding? All captions are encoded once, into files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bespoke.data.borrowed import BorrowedEncoder
from bespoke.data.cache_writer import Progress
from bespoke.data.captions import Tokenizer
from bespoke.data.front_end import FrontEnd, front_end_text
from bespoke.data.made_once import make_once
from bespoke.data.rows import RowFile
from bespoke.data.store import PairStore

_BLOCK = 4096  # captions encoded at a time; bounds the memory


class CaptionTokens:
    """Tokens [L] (of a borrowed encoder, vectors [F]) and an id of every caption of a store.

    Captions that read the same have the same id. progress: is told how many captions are done where that takes minutes.
    """

    def __init__(self, store: PairStore, front_end: FrontEnd, progress: Progress | None = None) -> None:
        self._row_of: RowFile | None = None
        if isinstance(front_end, BorrowedEncoder):
            folder = store.folder / f"vectors-{front_end_hash(front_end)}"
            make_once(folder, folder.is_dir, lambda part: _write_vectors(store, front_end, part, progress))
            self._rows = RowFile(folder / "vectors.f32", np.float32, (front_end.length,))
            self._row_of = RowFile(folder / "row_of.i64", np.int64)
        else:
            folder = store.folder / f"tokens-{front_end_hash(front_end)}"
            make_once(folder, folder.is_dir, lambda part: _write_tokens(store, front_end, part))
            self._rows = RowFile(folder / "tokens.i32", np.int32, (front_end.length,))
        self.ids = RowFile(folder / "ids.i64", np.int64)

    def take(self, captions: NDArray[np.int64]) -> NDArray[Any]:
        """Tokens [n, L] int64, or vectors [n, F] float32, of captions by their places [n] among all."""
        if self._row_of is not None:
            return self._rows.take(self._row_of.take(captions))
        return self._rows.take(captions).astype(np.int64)


def front_end_hash(front_end: FrontEnd) -> str:
    """A hash of everything that a tokenizer or borrowed encoder saves."""
    return hashlib.blake2b(front_end_text(front_end).encode(), digest_size=12).hexdigest()


def token_ids(tokens: Iterable[NDArray[np.integer[Any]]]) -> NDArray[np.int64]:
    """One number for each row of tokens: equal rows, equal numbers."""
    digests = (hashlib.blake2b(row.astype(np.int32).tobytes(), digest_size=8).digest() for row in tokens)
    return np.array([int.from_bytes(digest, "little", signed=True) for digest in digests], np.int64)


def caption_ids(front_end: FrontEnd, texts: Sequence[str], rows: NDArray[Any]) -> NDArray[np.int64]:
    """One number for each text: equal where texts read the same. rows [N, L]: what the front end made of them."""
    if isinstance(front_end, BorrowedEncoder):
        # A vector's last bits depend on the texts it was computed with.
        return token_ids(np.array(pieces) for pieces in front_end.pieces(texts))
    return token_ids(rows)


def _blocks(count: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK))


def _write_tokens(store: PairStore, tokenizer: Tokenizer, folder: Path) -> None:
    with (folder / "tokens.i32").open("wb") as tokens_file, (folder / "ids.i64").open("wb") as ids_file:
        for start, stop in _blocks(store.num_captions):
            tokens = tokenizer.encode(store.caption_slice(start, stop)).numpy().astype(np.int32)
            tokens_file.write(tokens.tobytes())
            ids_file.write(token_ids(tokens).tobytes())


def _write_vectors(store: PairStore, encoder: BorrowedEncoder, folder: Path, progress: Progress | None) -> None:
    """Each caption that reads differently is encoded once, and found by a row number for every caption."""
    ids = np.concatenate(
        [
            token_ids(np.array(pieces) for pieces in encoder.pieces(store.caption_slice(start, stop)))
            for start, stop in _blocks(store.num_captions)
        ]
    )
    _, first, kind = np.unique(ids, return_index=True, return_inverse=True)
    in_order = np.argsort(first)  # of their first captions, which are read from start to end
    (folder / "ids.i64").write_bytes(ids.tobytes())
    (folder / "row_of.i64").write_bytes(np.argsort(in_order)[kind].tobytes())
    with (folder / "vectors.f32").open("wb") as file:
        for start, stop in _blocks(len(first)):
            texts = [store.caption(int(caption)) for caption in first[in_order[start:stop]]]
            file.write(encoder.encode(texts).numpy().tobytes())
            if progress:
                progress(stop, len(first))
