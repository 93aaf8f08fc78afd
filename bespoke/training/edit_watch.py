"""What is looked at while an editor learns? The same pictures and changes of text every time."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from bespoke.config import Config
from bespoke.data.batches import PairBatches
from bespoke.data.captions import Tokenizer
from bespoke.data.front_end import FrontEnd
from bespoke.data.item import Split
from bespoke.data.levels import as_image, to_levels, to_signed
from bespoke.data.store import PairStore
from bespoke.method.editor import change_of
from bespoke.pipeline import Pipeline
from bespoke.precision import autocast
from bespoke.training.journal import save_sheet

NUM_PAIRS = 64
NUM_SHOWN = 8


class EditWatch:
    """Fixed pairs of the validation split, each with a text in which a word was swapped."""

    def __init__(self, store: PairStore, front_end: FrontEnd, config: Config, device: torch.device) -> None:
        held_out: Split = "validation" if len(store.indices("validation")) else "train"  # tiny catalogues have none
        batches = PairBatches(store, held_out, front_end, seed=1, batch_size=NUM_PAIRS, word_swaps=1.0)
        self.pairs, self.device = batches.at(0), device
        self.front_end = front_end

    @torch.no_grad()
    def _edited(self, pipeline: Pipeline) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Pictures before and after, masks, and the texts' alignment embeddings before and after."""
        networks, pairs = pipeline.networks, self.pairs
        assert networks.editor is not None
        noise = torch.randn(NUM_PAIRS, networks.generator.num_noise, generator=torch.Generator().manual_seed(0))
        x = to_signed(pairs.pictures.to(self.device))
        old, new = pairs.captions.to(self.device), pairs.mismatched.to(self.device)
        with autocast(self.device):
            change = change_of(networks.generator, networks.text_encoder, noise.to(self.device), new, old)
            made = networks.editor(x, change)
        return x, made.pictures.clamp(-1, 1), made.mask, change.old.sentence, change.new.sentence

    @torch.no_grad()
    def numbers(self, pipeline: Pipeline) -> dict[str, float]:
        """How often the model's own discriminator prefers the new text, and how much changes.

        They come from the networks in training and must not be used to choose between models or to report quality.
        """
        x, edited, mask, old, new = self._edited(pipeline)
        with autocast(self.device):
            seen = pipeline.networks.discriminator(edited).embedding
        prefers = F.cosine_similarity(seen, new) > F.cosine_similarity(seen, old)
        return {
            "edit_prefers_new": float(prefers.double().mean()),
            "edit_mask": float(mask.mean()),
            "edit_change": float((edited - x).abs().mean()),
        }

    def sheet(self, pipeline: Pipeline, path: Path) -> Path:
        """A column a picture: as it was, edited, where. The texts stand beside it in captions.txt, two lines each."""
        x, edited, mask, _, _ = self._edited(pipeline)
        shown = (x, edited, 2 * mask.expand(-1, 3, -1, -1) - 1)
        save_sheet(path, [[as_image(to_levels(picture)) for picture in row[:NUM_SHOWN]] for row in shown])
        if isinstance(self.front_end, Tokenizer):  # vectors cannot be read
            texts = zip(self.pairs.captions[:NUM_SHOWN], self.pairs.mismatched[:NUM_SHOWN], strict=True)
            lines = (f"{self.front_end.decode(old)}\n-> {self.front_end.decode(new)}\n" for old, new in texts)
            path.with_name("captions.txt").write_text("".join(lines), encoding="utf-8", errors="replace")
        return path
