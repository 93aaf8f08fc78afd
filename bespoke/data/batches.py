"""What does training see at a given step? A batch that depends on seed and step alone.

Nothing is remembered from step to step, so a resumed run sees what the uninterrupted one would have seen, and many
processes cut the same global batch into slices.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bespoke.data.cache_writer import Progress
from bespoke.data.caption_tokens import CaptionTokens, caption_ids
from bespoke.data.captions import Tokenizer, swap_word
from bespoke.data.front_end import FrontEnd
from bespoke.data.item import Split
from bespoke.data.lexicon import SIDES
from bespoke.data.store import PairStore
from bespoke.errors import UserError

_TRIES = 8  # draws of a mismatched caption before it becomes the empty one
_EPOCH, _STEP, _SWAP, _TWIN = 1, 2, 3, 4  # what a random stream is for


class Batch(NamedTuple):
    """N pictures with their captions: tokens, or [N, F] float32 vectors of a borrowed encoder."""

    pictures: Tensor  # [N, 3, S, S] uint8 RGB
    captions: Tensor  # [N, L] int64, one of the picture's own
    other_captions: Tensor  # [N, L] int64, another of them; the same where there is only one
    mismatched: Tensor  # [N, L] int64, a caption that is not the picture's, never equal to `captions`
    caption_ids: Tensor  # [N] int64, equal for captions that read the same (before word dropout)
    groups: Tensor  # [N] int64, the picture's class, -1 where it has none
    sided: Tensor  # [N] bool, the caption speaks of left or right: mirrored, the picture would belie it
    empty: Tensor  # [N, L] int64, the empty caption in every row
    # Another picture of the same shot, and the caption of it that stands where the picture's own did.
    twins: Tensor  # [N, 3, S, S] uint8; [N, 0] unless asked for
    twin_captions: Tensor  # [N, L] int64
    has_twin: Tensor  # [N] bool, False where there is none, or all its captions read like the picture's own


class PairBatches:
    """Batches of one split, each a pure function of (seed, step)."""

    def __init__(
        self,
        store: PairStore,
        split: Split,
        front_end: FrontEnd,
        *,
        seed: int,
        batch_size: int,  # over all processes
        word_dropout: float = 0.0,  # share of tokens that become <unk>; vectors have no words to drop
        word_swaps: float = 0.25,  # share of mismatched captions made by swapping one word of the right caption
        twins: bool = False,  # whether pictures of the same shot are asked for
        progress: Progress | None = None,  # is told of captions that are encoded first
    ) -> None:
        self.store = store
        self.front_end = front_end
        self.seed = seed % 2**64
        self.batch_size = batch_size
        self.word_dropout = word_dropout
        self.word_swaps = word_swaps
        self.indices = store.indices(split)
        if not len(self.indices):
            raise UserError(f"{store.manifest.catalogue}: no pictures for {split}; give a catalogue with more pictures")
        self._captions = CaptionTokens(store, front_end, progress)
        self._epochs: dict[int, NDArray[np.int64]] = {}
        self._sort_by_group()
        self._twins = Twins(store.shots[self.indices]) if twins else None

    def __len__(self) -> int:
        """Number of pictures of the split."""
        return len(self.indices)

    def at(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of a step: of process `rank` of `world`, its contiguous slice of the global batch."""
        if self.batch_size % world:
            raise UserError(f"batch_size={self.batch_size}: expected a multiple of the {world} processes; change one")
        rows = slice(rank * self.batch_size // world, (rank + 1) * self.batch_size // world)
        rng = np.random.default_rng([self.seed, _STEP, step])
        # Everything is drawn for the global batch and sliced afterwards, so that `world` changes nothing.
        positions = self._positions(step)
        caption, other = self._own_captions(positions, rng)
        twin = self._twins_of(step, positions)
        caption, its = self._told_apart(positions, twin, caption)
        foreign = self._foreign_captions(positions, rng)
        swapped = rng.random(self.batch_size) < self.word_swaps
        dropped = rng.random((3, self.batch_size, self.front_end.length)) < self.word_dropout
        index, ids = self.indices[positions[rows]], self._captions.ids.take(caption[rows])
        right, second = self._captions.take(caption[rows]), self._captions.take(other[rows])
        wrong = self._wrong_captions(index, foreign[rows])
        swap_rows = np.flatnonzero(swapped[rows])
        self._swap_words(wrong, swap_rows, index, caption[rows], (step, rows.start))
        right_seen, wrong_seen = self._drop(right, dropped[0, rows]), self._drop(wrong, dropped[2, rows])
        # Dropout may hide just what makes the difference; such a pair is shown as it is.
        same = (right_seen == wrong_seen).all(axis=1)
        right_seen[same], wrong_seen[same] = right[same], wrong[same]
        return Batch(
            pictures=torch.from_numpy(self.store.take(index)),
            captions=torch.from_numpy(right_seen),
            other_captions=torch.from_numpy(self._drop(second, dropped[1, rows])),
            mismatched=torch.from_numpy(wrong_seen),
            caption_ids=torch.from_numpy(ids),
            groups=torch.from_numpy(self.store.group[index].astype(np.int64)),
            sided=torch.tensor([bool(SIDES.search(self.store.caption(int(place)))) for place in caption[rows]]),
            empty=torch.from_numpy(self._empty).expand(len(index), -1),
            **self._shown_beside(twin[rows], its[rows], right),
        )

    def _twins_of(self, step: int, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places in `indices` of other pictures of the same shots; a picture's own where it has none."""
        if self._twins is None:
            return positions
        return self._twins.of(positions, np.random.default_rng([self.seed, _TWIN, step]).random(len(positions)))

    def _told_apart(
        self, positions: NDArray[np.int64], twin: NDArray[np.int64], caption: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`caption`, or the next one of the picture that does not read like the twin's, and the twin's in its place."""
        if self._twins is None:
            return caption, caption
        start, first = (self.store.caption_start[self.indices[each]] for each in (positions, twin))
        count, its_count = (self.store.caption_start[self.indices[each] + 1] for each in (positions, twin))
        count, its_count = count - start, its_count - first
        place, has = caption - start, twin != positions
        for _ in range(int(count.max())):
            same = self._captions.ids.take(start + place) == self._captions.ids.take(first + place % its_count)
            place = np.where(has & same, (place + 1) % count, place)
        return start + place, first + place % its_count

    def _shown_beside(self, twin: NDArray[np.int64], its: NDArray[np.int64], right: NDArray[Any]) -> dict[str, Tensor]:
        """The fields that tell of other pictures of its shots; right: tokens of its own captions."""
        if self._twins is None:
            none = torch.zeros(len(right), dtype=torch.bool)
            return {"twins": torch.empty(len(right), 0), "twin_captions": torch.from_numpy(right), "has_twin": none}
        tokens = self._captions.take(its)
        return {
            "twins": torch.from_numpy(self.store.take(self.indices[twin])),
            "twin_captions": torch.from_numpy(tokens),
            "has_twin": torch.from_numpy((tokens != right).any(1)),
        }

    def _positions(self, step: int) -> NDArray[np.int64]:
        """Places in `indices` of the global batch: epoch after epoch, each in an order of its own."""
        count = len(self.indices)
        places = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs = places // count
        wanted = range(int(epochs[0]), int(epochs[-1]) + 1)
        self._epochs = {epoch: self._epochs[epoch] if epoch in self._epochs else self._order(epoch) for epoch in wanted}
        return np.concatenate([self._epochs[epoch][places[epochs == epoch] % count] for epoch in wanted])

    def _order(self, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng([self.seed, _EPOCH, epoch]).permutation(len(self.indices))

    def _own_captions(
        self, positions: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Draw two captions of each picture, different ones where there are two: places among all captions."""
        start = self.store.caption_start[self.indices[positions]]
        count = self.store.caption_start[self.indices[positions] + 1] - start
        first, second = rng.random((2, len(positions)))
        chosen = (first * count).astype(np.int64)
        shift = 1 + (second * (count - 1)).astype(np.int64)
        return start + chosen, start + (chosen + shift) % count

    def _sort_by_group(self) -> None:
        """Bring pictures of one group together, so that one of another group is drawn without trying."""
        group = self.store.group[self.indices].astype(np.int64)
        self._by_group = np.argsort(group, kind="stable")
        ordered = group[self._by_group]
        if ordered[0] == ordered[-1]:  # one group, or none at all: a picture is foreign to all others
            self._by_group = np.arange(len(group))
            ordered = self._by_group
        self._group_start = np.empty(len(group), np.int64)
        self._group_count = np.empty(len(group), np.int64)
        self._group_start[self._by_group] = np.searchsorted(ordered, ordered, "left")
        self._group_count[self._by_group] = np.searchsorted(ordered, ordered, "right")
        self._group_count -= self._group_start

    def _foreign_captions(self, positions: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw captions of pictures of other groups: places among all captions, [N, tries]."""
        picture, caption = rng.random((2, len(positions), _TRIES))
        start, count = self._group_start[positions, None], self._group_count[positions, None]
        strangers = len(self.indices) - count
        place = (picture * strangers).astype(np.int64)
        place += np.where(place >= start, count, 0)
        place %= len(self.indices)  # a picture that is alone can only meet itself
        index = self.indices[self._by_group[place]]
        first = self.store.caption_start[index]
        return first + (caption * (self.store.caption_start[index + 1] - first)).astype(np.int64)

    def _own_ids(self, index: int) -> set[int]:
        """Ids of all captions of a picture: none of them is a mismatch for it."""
        start, stop = self.store.caption_start[index : index + 2]
        return set(self._captions.ids.slice(int(start), int(stop)).tolist())

    def _wrong_captions(self, index: NDArray[np.int64], foreign: NDArray[np.int64]) -> NDArray[Any]:
        """The first foreign caption [n, L] that is not also one of the picture's; else the empty caption."""
        wrong = self._captions.take(foreign[:, 0])
        ids = self._captions.ids.take(foreign[:, 0])
        for row, picture in enumerate(index.tolist()):
            own = self._own_ids(picture)
            if int(ids[row]) not in own:
                continue
            more = self._captions.ids.take(foreign[row]).tolist()
            fits = [place for place, number in zip(foreign[row], more, strict=True) if number not in own]
            wrong[row] = self._captions.take(np.array(fits[:1]))[0] if fits else self._empty
        return wrong

    def _swap_words(
        self,
        wrong: NDArray[Any],
        rows: NDArray[np.intp],
        index: NDArray[np.int64],
        caption: NDArray[np.int64],
        stream: tuple[int, int],  # step and the slice's first row in the global batch
    ) -> None:
        """Put the right caption with one word swapped into `rows` of `wrong`, where it has a word to swap."""
        step, first = stream
        texts, places = [], []
        for row in rows.tolist():
            rng = np.random.default_rng([self.seed, _SWAP, step, first + row])
            text = swap_word(self.store.caption(int(caption[row])), rng)
            if text is not None:
                texts.append(text)
                places.append(row)
        if not texts:
            return
        encoded = self.front_end.encode(texts).numpy()
        for row, swapped, number in zip(places, encoded, caption_ids(self.front_end, texts, encoded), strict=True):
            # A swap behind the last token that fits changes nothing, and one may hit another true caption.
            if int(number) not in self._own_ids(int(index[row])):
                wrong[row] = swapped

    @cached_property
    def _empty(self) -> NDArray[Any]:
        """What the empty caption becomes, [L]."""
        empty: NDArray[Any] = self.front_end.encode([""])[0].numpy()
        return empty

    def _drop(self, captions: NDArray[Any], dropped: NDArray[np.bool_]) -> NDArray[Any]:
        """Replace tokens by <unk> where `dropped` [n, L] says so; padding, the empty caption and vectors stay."""
        if not isinstance(self.front_end, Tokenizer):
            return captions
        words = (captions != self.front_end.pad_id) & (captions != self.front_end.null_id)
        return np.where(dropped & words, self.front_end.unk_id, captions)


class Twins:
    """Finds another picture of the same shot."""

    def __init__(self, shots: NDArray[np.int64]) -> None:
        """shots: [N], the same number for pictures of one shot, -1 where a picture is of none."""
        self._order = np.argsort(shots, kind="stable")
        ordered = shots[self._order]
        self._rank = np.empty(len(shots), np.int64)
        self._rank[self._order] = np.arange(len(shots))
        self._start = np.searchsorted(ordered, shots, "left")
        self._count = np.where(shots < 0, 1, np.searchsorted(ordered, shots, "right") - self._start)

    def of(self, places: NDArray[np.int64], chance: NDArray[np.float64]) -> NDArray[np.int64]:
        """Places [n] of others, its own where a picture has none; chance: [n] in [0, 1)."""
        others = self._count[places] - 1
        start, rank = self._start[places], self._rank[places]
        chosen = start + (rank - start + 1 + (chance * others).astype(np.int64)) % np.maximum(others + 1, 1)
        return self._order[np.where(others > 0, chosen, rank)]
