from __future__ import annotations

import io

import numpy as np
import pytest

from bespoke.data.split import LEFT_OUT, TEST, TRAIN, UNDECIDED, VALIDATION, content_key, divide


def keys(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)


def share(splits: np.ndarray, side: int) -> float:
    return float((splits == side).mean())


def test_without_official_splits_five_percent_validate_and_ten_test() -> None:
    splits = divide(np.full(20_000, UNDECIDED, np.int8), np.arange(20_000, dtype=np.uint64), keys(20_000))
    assert share(splits, VALIDATION) == pytest.approx(0.05, abs=0.005)
    assert share(splits, TEST) == pytest.approx(0.10, abs=0.007)
    assert share(splits, LEFT_OUT) == 0


def test_official_test_pictures_stay_and_training_gives_five_percent_to_validation() -> None:
    official = np.repeat(np.array([TRAIN, TEST], np.int8), 10_000)
    splits = divide(official, np.arange(20_000, dtype=np.uint64), keys(20_000))
    assert (splits[10_000:] == TEST).all()
    assert share(splits[:10_000], VALIDATION) == pytest.approx(0.05, abs=0.007)
    assert not (splits[:10_000] == TEST).any()


def test_an_official_validation_split_is_not_added_to() -> None:
    official = np.repeat(np.array([TRAIN, VALIDATION], np.int8), 100)
    assert np.array_equal(divide(official, np.arange(200, dtype=np.uint64), keys(200)), official)


def test_official_training_pictures_never_become_test_pictures() -> None:
    official = np.repeat(np.array([TRAIN, UNDECIDED], np.int8), 500)
    splits = divide(official, np.arange(1000, dtype=np.uint64), keys(1000))
    assert not (splits[:500] == TEST).any()
    assert (splits[500:] == TEST).any()


@pytest.mark.parametrize("side", [TRAIN, UNDECIDED])
def test_identical_pictures_never_stand_on_two_sides(side: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 300, 3000).astype(np.uint64)  # ten copies of each
    splits = divide(np.full(3000, side, np.int8), pixels, keys(3000))  # copies with other file contents
    assert {VALIDATION, TRAIN} <= set(splits.tolist())
    for picture in range(300):
        assert len(set(splits[pixels == picture].tolist())) == 1


def test_copies_of_official_test_pictures_leave_training() -> None:
    official = np.array([TRAIN] * 30 + [TEST] * 30, np.int8)
    pixels = np.concatenate([np.arange(30), np.arange(20, 50)]).astype(np.uint64)  # ten in both
    splits = divide(official, pixels, keys(60))
    assert (splits[20:30] == LEFT_OUT).all()
    assert (splits[30:] == TEST).all()
    assert not (splits[:20] == LEFT_OUT).any()


def test_every_side_gets_a_picture_from_ten_on() -> None:
    for seed in range(50):
        splits = divide(np.full(10, UNDECIDED, np.int8), np.arange(10, dtype=np.uint64), keys(10, seed))
        assert {TRAIN, VALIDATION, TEST} <= set(splits.tolist())


def test_fewer_than_ten_different_pictures_are_all_for_training() -> None:
    pixels = np.arange(90, dtype=np.uint64) % 9
    assert (divide(np.full(90, UNDECIDED, np.int8), pixels, keys(90)) == TRAIN).all()


def test_the_split_of_a_picture_does_not_depend_on_order_or_company() -> None:
    content, pixels = keys(1000), np.arange(1000, dtype=np.uint64)
    splits = divide(np.full(1000, UNDECIDED, np.int8), pixels, content)
    order = np.random.default_rng(2).permutation(1000)[:700]
    assert np.array_equal(divide(np.full(700, UNDECIDED, np.int8), pixels[order], content[order]), splits[order])


def test_the_content_key_depends_on_the_bytes_alone() -> None:
    assert content_key(io.BytesIO(b"rose")) == content_key(io.BytesIO(b"rose")) != content_key(io.BytesIO(b"tulip"))


def test_pictures_of_one_shot_never_stand_on_two_sides_nor_do_copies_of_them() -> None:
    pixels, content = keys(900), keys(900, seed=1)
    shots = np.repeat(np.arange(300, dtype=np.int32), 3)
    shots[600:] = -1
    pixels[300] = pixels[700]  # a copy of a picture that is of no shot
    pixels[3] = pixels[9]  # which joins two shots
    splits = divide(np.full(900, UNDECIDED, np.int8), pixels, content, shots)
    for shot in range(200):
        assert len(set(splits[shots == shot].tolist())) == 1
    assert splits[300] == splits[700]
    assert len(set(splits[[3, 4, 5, 9, 10, 11]].tolist())) == 1
    assert share(splits, TEST) == pytest.approx(0.1, abs=0.04)
    none = np.full(900, -1, np.int32)
    usual = divide(np.full(900, UNDECIDED, np.int8), pixels, content)
    assert (divide(np.full(900, UNDECIDED, np.int8), pixels, content, none) == usual).all()


def test_who_shares_a_shot_with_an_official_test_picture_leaves_training() -> None:
    official = np.array([TEST, TRAIN, TRAIN, TRAIN], np.int8)
    splits = divide(official, keys(4), keys(4, seed=1), np.array([5, 5, 6, 6], np.int32))
    assert splits.tolist() == [TEST, LEFT_OUT, TRAIN, TRAIN]
