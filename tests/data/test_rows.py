from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from bespoke.data.rows import RowFile, TextFile, TextWriter


def test_rows_come_back_in_the_order_asked_for(tmp_path: Path) -> None:
    rows = np.arange(24, dtype=np.int32).reshape(4, 2, 3)
    rows.tofile(tmp_path / "x")
    file = RowFile(tmp_path / "x", np.int32, (2, 3))
    assert len(file) == 4
    assert np.array_equal(file.take(np.array([3, 0, 3])), rows[[3, 0, 3]])
    assert np.array_equal(file.slice(1, 3), rows[1:3])
    assert np.array_equal(file.memmap(), rows)
    assert file.take(np.array([], np.int64)).shape == (0, 2, 3)


@pytest.mark.parametrize("index", [-1, 4])
def test_a_row_outside_the_file_is_an_error(tmp_path: Path, index: int) -> None:
    np.arange(4).tofile(tmp_path / "x")
    with pytest.raises(IndexError, match="x has 4 rows"):
        RowFile(tmp_path / "x", np.int64).take(np.array([index]))


STATM = Path("/proc/self/statm")


@pytest.mark.skipif(not STATM.exists(), reason="tells its resident memory on Linux only")
def test_reading_a_whole_file_row_by_row_leaves_memory_as_it_was(tmp_path: Path) -> None:
    def resident() -> int:
        return int(STATM.read_text().split()[1]) * resource.getpagesize()

    with (tmp_path / "x").open("wb") as file:
        file.truncate(200 << 20)  # holes: nothing is written to disk
    rows = RowFile(tmp_path / "x", np.uint8, (1 << 20,))
    rows.take(np.array([0]))
    before = resident()
    for index in range(len(rows)):
        rows.take(np.array([index]))
    assert resident() - before < 40 << 20


def test_texts_of_any_kind_come_back_as_they_were(tmp_path: Path) -> None:
    texts = ["a vase", "", "赤い花瓶", "line\nbreak", "\U0001f339", "lone \udc80 surrogate"]
    with TextWriter(tmp_path / "x.txt") as writer:
        writer.extend(texts[:2])
        writer.extend(texts[2:])
    file = TextFile(tmp_path / "x.txt")
    assert [file[number] for number in range(len(file))] == texts
    assert file.slice(1, 4) == texts[1:4]
    assert file.slice(2, 2) == []
    with pytest.raises(IndexError):
        file.slice(5, 7)
