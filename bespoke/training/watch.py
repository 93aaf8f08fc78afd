"""What is looked at while training goes on? The same captions and pairs every time, drawn by the averaged model."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from bespoke.config import Config
from bespoke.data.batches import Batch, PairBatches
from bespoke.data.front_end import FrontEnd
from bespoke.data.item import Split
from bespoke.data.store import PairStore
from bespoke.pipeline import Pipeline
from bespoke.training.journal import save_sheet
from bespoke.training.step import loss_weights
from bespoke.training.validation import health

NUM_CAPTIONS = 8
BALANCES = (0.0, 0.5, 1.0)
NUM_PAIRS = 128
FEWEST_CAPTIONS = 24  # different ones; with fewer, even healthy embeddings look collapsed and alike
NEED_VARIETY = {"effective_rank_realism", "effective_rank_alignment", "cka"}
FEWEST_PICTURES = 12  # kept out; fewer say nothing of pictures it has not seen
NEED_HELD_OUT = {"sign_accuracy_validation", "top1_validation"}


class Watch:
    """Fixed pairs of the training and the validation split, and fixed captions of the latter."""

    def __init__(self, store: PairStore, front_end: FrontEnd, config: Config, device: torch.device) -> None:
        def pairs(split: Split) -> Batch:
            return PairBatches(store, split, front_end, seed=1, batch_size=NUM_PAIRS).at(0)

        held_out: Split = "validation" if len(store.indices("validation")) else "train"  # tiny catalogues have none
        self.train, self.held_out, self.device = pairs("train"), pairs(held_out), device
        self.weights = loss_weights(config.loss)
        self.says_nothing: set[str] = set()
        if len(self.held_out.caption_ids.unique()) < FEWEST_CAPTIONS:
            self.says_nothing |= NEED_VARIETY
        if len(store.indices("validation")) < FEWEST_PICTURES:
            self.says_nothing |= NEED_HELD_OUT
        indices = store.indices(held_out)
        chosen = indices[:: max(1, len(indices) // NUM_CAPTIONS)][:NUM_CAPTIONS]
        self.captions = [store.captions(int(i))[0] for i in chosen]
        self.real = [Image.fromarray(picture.transpose(1, 2, 0)) for picture in store.take(chosen)]

    def numbers(self, pipeline: Pipeline) -> dict[str, float]:
        """The model's own signals of health; see validation.py for what they must not be used for."""
        numbers = health(pipeline.networks, self.train, self.held_out, self.weights, self.device)
        return {name: value for name, value in numbers.items() if name not in self.says_nothing}

    def sheet(self, pipeline: Pipeline, path: Path) -> Path:
        """A column a caption, a row a balance (0, 0.5, 1), real pictures below; always the same seeds.

        The captions stand beside it in captions.txt, one a line.
        """
        rows = [pipeline(self.captions, balance=balance, seed=0).images for balance in BALANCES]
        save_sheet(path, [*rows, self.real])
        lines = "".join(" ".join(caption.split()) + "\n" for caption in self.captions)
        path.with_name("captions.txt").write_text(lines, encoding="utf-8", errors="replace")
        return path
