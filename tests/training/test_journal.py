from __future__ import annotations

import json
from pathlib import Path

from bespoke.training.journal import Journal


def rows(run: Path) -> list[dict[str, float | None]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]


def test_what_is_computed_again_replaces_what_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, from_step=0, from_images=0)
    for step in (1, 2, 3):
        journal.write(step, 10 * step, 1.0, {"loss": step / 2})
    journal.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "im')  # a crash
    journal = Journal(tmp_path, from_step=2, from_images=20)
    journal.write(3, 30, 1.0, {"loss": 9})
    journal.rewind(1, 10)
    journal.write(2, 20, 1.0, {"loss": 8})
    journal.close()
    assert [(row["step"], row["images"], row["loss"]) for row in rows(tmp_path)] == [(1, 10, 0.5), (2, 20, 8)]
    assert any((tmp_path / "tensorboard").iterdir())


def test_a_line_that_is_no_text_is_left_out_and_the_others_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path, from_step=0, from_images=0)
    journal.write(1, 10, 1.0, {"loss": 0.5})
    journal.close()
    with (tmp_path / "metrics.jsonl").open("ab") as file:
        file.write(b'\xff\xfe{"step": 1}\n[3]\n')
    Journal(tmp_path, from_step=1, from_images=10).close()
    assert [row["step"] for row in rows(tmp_path)] == [1]


def test_numbers_that_are_not_finite_are_written_as_null(tmp_path: Path) -> None:
    journal = Journal(tmp_path, from_step=0, from_images=0)
    journal.write(1, 10, 1.0, {"cka": float("nan"), "sensitivity": float("inf")})
    journal.close()
    assert rows(tmp_path) == [{"step": 1, "images": 10, "seconds": 1.0, "cka": None, "sensitivity": None}]
