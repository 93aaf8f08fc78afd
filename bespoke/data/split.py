"""Which picture is for training, which for choosing, which for judging?

Official splits are kept. Everything else is decided by the picture's content, so it is the same on every machine and
in whatever order, and identical pictures never end up on two sides.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bespoke.data.item import Part

LEFT_OUT, TRAIN, VALIDATION, TEST, UNDECIDED = -1, 0, 1, 2, 3  # the first three as in item.SPLITS
VALIDATION_SHARE = 0.05
TEST_SHARE = 0.10  # only where no official test pictures exist
MIN_PICTURES_TO_DIVIDE = 10  # different ones; with fewer, all are for training
LEAST = 50  # pictures to ask a model about; below, an interval is as wide as the scale it lies on


def content_key(stream: io.BytesIO | io.BufferedReader) -> int:
    """A uniform 64-bit number made from a picture file's bytes: the same at every size it is decoded to."""
    digest = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=8))
    return int.from_bytes(digest.digest(), "little")


def divide(
    official: NDArray[np.int8],
    pixels: NDArray[np.uint64],
    content: NDArray[np.uint64],
    shots: NDArray[np.int32] | None = None,
) -> NDArray[np.int8]:
    """Decide the split of each picture: [N] int8 of TRAIN, VALIDATION, TEST or LEFT_OUT.

    `official` [N] is a split or UNDECIDED, `pixels` [N] a hash of the decoded picture, `content` [N] its content key,
    `shots` [N] the same number for pictures of one shot, -1 where it is none. A picture that stands on two official
    sides, or of which another of the same shot does, is left out of the side from which it would leak.
    """
    splits = official.copy()
    has_validation, has_test = bool((official == VALIDATION).any()), bool((official == TEST).any())
    open_to_choice = official == UNDECIDED
    if not has_validation:
        open_to_choice |= official == TRAIN
    splits[open_to_choice] = TRAIN

    # One key a group of identical pictures, or of one shot: the smallest, so that order does not matter.
    _, group = np.unique(pixels, return_inverse=True)
    if shots is not None:
        group = _joined(group, shots)
    group_key = np.full(group.max() + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(group_key, group, content)
    if shots is not None:
        of_shots = np.unique(group[shots >= 0])
        group_key[of_shots] = _mixed(group_key[of_shots])

    free = np.unique(group[open_to_choice])
    if len(free) >= MIN_PICTURES_TO_DIVIDE:
        shares = [(VALIDATION, 0.0 if has_validation else VALIDATION_SHARE)]
        test_allowed = not has_test and bool((official[open_to_choice] == UNDECIDED).any())
        shares.append((TEST, TEST_SHARE if test_allowed else 0.0))
        group_split = _draw(group_key[free], shares)
        lookup = np.full(len(group_key), TRAIN, np.int8)
        lookup[free] = group_split
        chosen = lookup[group]
        chosen[(official == TRAIN) & (chosen == TEST)] = TRAIN  # official training pictures are never for judging
        splits[open_to_choice] = chosen[open_to_choice]
    return _without_leaks(splits, group)


def _joined(group: NDArray[np.intp], shots: NDArray[np.int32]) -> NDArray[np.intp]:
    """Groups that share a shot become one: [N] numbers from 0 on without gaps."""
    has = shots >= 0
    while has.any():
        first = np.full(shots.max() + 1, len(group))
        np.minimum.at(first, shots[has], group[has])  # of each shot, the smallest of its groups
        renamed = np.arange(group.max() + 1)
        np.minimum.at(renamed, group[has], first[shots[has]])
        if (renamed == np.arange(len(renamed))).all():
            break
        _, group = np.unique(renamed[group], return_inverse=True)
    return group


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Uniform again: the smallest of several keys is small. (The finaliser of SplitMix64, Steele et al. 2014.)"""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(keys ^ (keys >> np.uint64(31)))


def part_to_ask(counts: Mapping[str, int]) -> Part:
    """What to ask a model about unless somebody chose: validation; where that is too small, all that was kept out.

    counts: pictures by split.
    """
    enough = counts["validation"] >= LEAST or counts["validation"] + counts["test"] < LEAST
    return "validation" if enough else "held-out"


def _draw(keys: NDArray[np.uint64], shares: list[tuple[int, float]]) -> NDArray[np.int8]:
    """Give each key its side by where it falls in [0, 1); a side that stays empty gets the smallest key left."""
    place = keys.astype(np.float64) / 2.0**64
    sides = np.full(len(keys), TRAIN, np.int8)
    start = 0.0
    for side, share in shares:
        sides[(place >= start) & (place < start + share)] = side
        start += share
    for side, share in shares:
        if share and not (sides == side).any():
            left = np.flatnonzero(sides == TRAIN)
            sides[left[np.argmin(keys[left])]] = side
    return sides


def _without_leaks(splits: NDArray[np.int8], group: NDArray[np.intp]) -> NDArray[np.int8]:
    """Leave out training copies of validation and test pictures, and validation copies of test pictures."""
    in_test = np.zeros(group.max() + 1, bool)
    in_validation = in_test.copy()
    in_test[group[splits == TEST]] = True
    in_validation[group[splits == VALIDATION]] = True
    leaks = ((splits == TRAIN) & (in_test | in_validation)[group]) | ((splits == VALIDATION) & in_test[group])
    return np.where(leaks, np.int8(LEFT_OUT), splits).astype(np.int8)
