"""How does a benchmark train? As the command does, and called again it goes on with what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bespoke.commands.train import train
from bespoke.data.columns import Columns
from bespoke.training.plan import CONFIG


def trained(catalogue: Path, run: Path, *, images: int, base: str | None, overrides: Sequence[str]) -> bool:
    """Begin a run, or go on with one that was begun; False where it was interrupted. Raises UserError."""
    going_on = (run / CONFIG).is_file()
    return train(
        str(catalogue),
        run,
        preset=None,
        minutes=None,
        images=None if going_on else str(images),
        base=None if going_on else base,
        resume=going_on,
        overrides=() if going_on else overrides,
        skip_bad=False,
        columns=Columns(),
        dry_run=False,
    )
