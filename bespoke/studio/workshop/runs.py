"""How far is a training, and how does it look? Read from its run's folder; loads neither Django nor torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from bespoke.errors import UserError
from bespoke.training.alarms import Alarm, ringing
from bespoke.training.plan import CONFIG, claimed

METRICS, SAMPLES, CARD = "metrics.jsonl", "samples", "MODEL_CARD.md"
_VALIDATED = '"caption_sensitivity"'  # stands in the lines that a validation writes


class Progress(NamedTuple):
    """What is known of a run at this moment."""

    images: int  # shown so far
    seconds: float  # of training
    validations: list[dict[str, Any]]  # rows of metrics.jsonl, in order
    terms: list[dict[str, Any]]  # the other rows: losses

    @property
    def alarms(self) -> list[Alarm]:
        """Those that ring at the newest validation."""
        if not self.validations:
            return []
        known = {name: float("nan") if value is None else value for name, value in self.validations[-1].items()}
        return ringing(known)

    def share(self, minutes: float) -> float:
        """How much of a budget of so many minutes is spent, 0 to 1."""
        return min(1.0, self.seconds / (60 * minutes))


def read_progress(run: Path) -> Progress:
    """All that metrics.jsonl says; a line that is being written is not there yet."""
    progress = Progress(0, 0.0, [], [])
    try:
        lines = (run / METRICS).read_text("utf-8").splitlines()
    except OSError:
        return progress
    for line in lines:
        try:
            row = json.loads(line)
            images, seconds = int(row["images"]), float(row["seconds"])
        except (ValueError, KeyError, TypeError):
            continue
        (progress.validations if _VALIDATED in line else progress.terms).append(row)
        progress = progress._replace(images=images, seconds=max(seconds, progress.seconds))
    return progress


def newest_sheet(run: Path) -> Path | None:
    """The sample sheet that was written last."""
    return max((run / SAMPLES).glob("*.png"), default=None)


def sheet_captions(run: Path) -> list[str]:
    """What the columns of the sheets show."""
    try:
        return (run / SAMPLES / "captions.txt").read_text("utf-8").splitlines()
    except OSError:
        return []


def card_lines(run: Path) -> list[tuple[str, str]]:
    """The model card as kinds and texts: title, part, item, row, text. No HTML in it means anything."""
    try:
        lines = (run / CARD).read_text("utf-8", "replace")[:20_000].splitlines()
    except OSError:
        return []
    kinds = (("# ", "title"), ("## ", "part"), ("- ", "item"), ("|", "row"))
    told: list[tuple[str, str]] = []
    apart = True  # what follows begins anew
    for line in map(str.strip, lines):
        mark, kind = next(((mark, kind) for mark, kind in kinds if line.startswith(mark)), ("", "text"))
        text = line.removeprefix(mark)
        if kind == "row":
            text = " · ".join(filter(None, map(str.strip, text.split("|"))))
        if not text.strip("-: ·"):  # an empty line, or the rule below the heading of a table
            apart = True
        elif kind == "text" and not apart:
            told[-1] = (told[-1][0], f"{told[-1][1]} {text}")
        else:
            told.append((kind, text))
            apart = kind not in ("text", "item")
    return told


def is_begun(run: Path) -> bool:
    """Whether there is something to resume."""
    return (run / CONFIG).is_file()


def is_taken(run: Path) -> bool:
    """Whether some process is training into it."""
    if not run.is_dir():
        return False
    try:
        with claimed(run):
            return False
    except UserError:
        return True
