"""What is kept of a run for people? metrics.jsonl, TensorBoard events, sample sheets, the model card."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from bespoke.config import Config
from bespoke.data.borrowed import PACKAGE
from bespoke.data.borrowed_eyes import PACKAGE as EYES
from bespoke.data.store import PairStore
from bespoke.training.plan import Base

READS_WITH = {
    "dual": "dual text embeddings (arXiv 2502.01507)",
    "head": "a text embedding for alignment and one for realism that is a head on it (a variant of arXiv 2502.01507)",
    "shared": "one text embedding taught by both losses (a baseline to dual embeddings, arXiv 2502.01507)",
    "frozen": "one text embedding learned before the generator (a baseline to dual embeddings, arXiv 2502.01507)",
    "pretrained": f"text vectors of {PACKAGE} (a baseline to dual embeddings, arXiv 2502.01507) and, but for them",
}


EDITS = "- It edits pictures by their text:"


class Journal:
    """Numbers of a run by step; what a run computes again, resumed or rolled back, replaces what it had written."""

    def __init__(self, run: Path, *, from_step: int, from_images: int) -> None:
        self.path = run / "metrics.jsonl"
        self._events = str(run / "tensorboard")
        self._writer: SummaryWriter | None = None
        self.rewind(from_step, from_images)

    def rewind(self, step: int, images: int) -> None:
        """Forget what was written after `step`, at which `images` pictures had been shown."""
        self.close()
        if self.path.exists():
            # As bytes: a line that a crash or an editor has damaged may be no UTF-8.
            lines = [line for line in self.path.read_bytes().splitlines() if _step(line) <= step]
            part = self.path.with_name(".metrics.jsonl.part")
            part.write_bytes(b"".join(line + b"\n" for line in lines))
            part.replace(self.path)
        # Events are placed by pictures shown, so that runs of different batch sizes compare.
        self._writer = SummaryWriter(self._events, purge_step=images + 1)

    def write(self, step: int, images: int, seconds: float, numbers: Mapping[str, float]) -> None:
        """One line and one event each. images: pictures shown so far; seconds: training time so far."""
        assert self._writer is not None
        row: dict[str, float | None] = {"step": step, "images": images, "seconds": round(seconds, 1)}
        row |= {name: round(value, 6) if math.isfinite(value) else None for name, value in numbers.items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, images)

    def close(self) -> None:
        """Finish the events file; `rewind` opens another."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _step(line: bytes) -> int:
    """The step of a line; a line that cannot be read, as a crash cuts it off, counts as later than all."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 2**62


def save_sheet(path: Path, rows: Sequence[Sequence[Image.Image]]) -> None:
    """Pictures side by side: a column a caption, a row a balance (or the real pictures)."""
    pixels = np.concatenate([np.concatenate([np.asarray(image) for image in row], 1) for row in rows], 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_card(
    path: Path, config: Config, store: PairStore, images: int, seconds: float, finished: bool, base: Base | None = None
) -> None:
    """The model card: what this model is, what it was made from, and what nobody has measured yet."""
    state = "spent its whole budget" if finished else "was stopped before its budget was spent; it can be resumed"
    origin = f"from the model {base.identity}" if base else "from scratch"
    eyes = f"- A second discriminator, no part of the model, looked through EfficientNet-Lite0 of ImageNet ({EYES})."
    lines = [
        "# Model card",
        "",
        f"A text-to-image model with {READS_WITH[config.model.embeddings]}, trained {origin} with Bespoke.",
        "",
        f"- Training {state}.",
        f"- Catalogue: {store.manifest.catalogue}, {len(store)} pictures, {store.num_captions} captions "
        f"(fingerprint {store.fingerprint[:12]}).",
        f"- Pictures shown: {images:,} in {seconds / 60:.1f} minutes; preset {config.preset}, seed {config.seed}.",
        f"- Pictures are {config.model.image_size}x{config.model.image_size} and machine-made; each is marked as such.",
        *[eyes] * bool(config.loss.projected),
        "- Quality has not been measured by this run. The numbers in metrics.jsonl come from the networks in training "
        "and must not be reported as quality.",
        "- It draws what its catalogue shows: no lettering, no logos, no exact identity of a product.",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def note_editing(path: Path, images: int, seconds: float) -> None:
    """Add to the model card that the model edits, in place of what an earlier teaching added."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    lines = [line for line in lines if not line.startswith(EDITS)]
    while lines and not lines[-1]:
        lines.pop()
    lines.append(f"{EDITS} taught on {images:,} pictures in {seconds / 60:.1f} minutes; run `bespoke evaluate --edit`.")
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
