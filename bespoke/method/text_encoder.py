"""How does a caption become two embeddings? One for realism, one for alignment.

The two encoders share nothing. What makes them different is who teaches them (joint_loss.py): realism learns from the
generator's losses only; alignment from matching real pictures with their text only, on top of what colours and words
say of each other in closed form (canonical.py). When drawing begins, realism may start as a copy of alignment, which
knows words by then. The one variant between two encoders and a shared one is RealismHead.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from bespoke.method import layers
from bespoke.method.canonical import CanonicalWords


class TextEmbedding(NamedTuple):
    """What one encoder says of N captions."""

    sentence: Tensor  # [N, E] float32
    words: Tensor  # [N, L, E] float32, arbitrary where mask is False
    mask: Tensor  # [N, L] bool, True where a token stands

    def detach(self) -> TextEmbedding:
        return TextEmbedding(self.sentence.detach(), self.words.detach(), self.mask)


class DualTextEmbedding(NamedTuple):
    """The two embeddings of N captions (arXiv 2502.01507)."""

    realism: TextEmbedding  # S_G, generative
    alignment: TextEmbedding  # S_D, contrastive


class TextEncoder(nn.Module):
    """Bidirectional GRU over learned token vectors; the sentence is attention-pooled from the words."""

    def __init__(
        self,
        *,
        vocabulary_size: int,
        token_width: int = 128,
        embedding_width: int = 256,  # E
        pad_id: int = 0,
        canonical_width: int = 0,  # canonical directions that the sentence starts from; 0: none
    ) -> None:
        super().__init__()
        self.pad_id = pad_id
        self.token = nn.Embedding(vocabulary_size, token_width, padding_idx=pad_id)
        self.recur = nn.GRU(token_width, embedding_width // 2, batch_first=True, bidirectional=True)
        self.attend = nn.Linear(embedding_width, 1, bias=False)
        self.word_norm = nn.LayerNorm(embedding_width)
        self.sentence_norm = nn.LayerNorm(embedding_width)
        self.canonical = CanonicalWords(vocabulary_size, canonical_width, embedding_width) if canonical_width else None

    def forward(self, tokens: Tensor) -> TextEmbedding:
        """[N, L] int64, at least one token a caption -> TextEmbedding.

        Computed in float32 whatever the precision around it: a recurrence gains nothing from bfloat16 on a CPU.
        """
        mask = tokens != self.pad_id
        with torch.autocast(tokens.device.type, enabled=False):
            packed = nn.utils.rnn.pack_padded_sequence(
                self.token(tokens), mask.sum(1).cpu(), batch_first=True, enforce_sorted=False
            )
            states, _ = nn.utils.rnn.pad_packed_sequence(
                self.recur(packed)[0], batch_first=True, total_length=tokens.shape[1]
            )  # [N, L, E]
            weight = self.attend(states).masked_fill(~mask[..., None], float("-inf")).softmax(1)
            sentence = (weight * states).sum(1)  # [N, E]
            if self.canonical is not None:
                sentence = sentence + self.canonical(tokens)
            return TextEmbedding(self.sentence_norm(sentence), self.word_norm(states), mask)


class RealismHead(nn.Module):
    """Realism as a head on the alignment embedding: a small network for the sentence and one for every word.

    Half the weights of a second encoder, and a start that already knows words; but what alignment has dropped is gone.
    The alignment embedding is a constant here: the generator's losses teach the head alone.
    """

    def __init__(self, *, embedding_width: int) -> None:
        super().__init__()
        self.sentence, self.words = (
            nn.Sequential(
                nn.Linear(embedding_width, 2 * embedding_width),
                nn.LeakyReLU(layers.SLOPE),
                nn.Linear(2 * embedding_width, embedding_width),
                nn.LayerNorm(embedding_width),
            )
            for _ in range(2)
        )

    def forward(self, alignment: TextEmbedding) -> TextEmbedding:
        """S_D and w_D -> S_G and w_G, of the same shapes."""
        sentence, words, mask = alignment.detach()
        with torch.autocast(sentence.device.type, enabled=False):
            return TextEmbedding(self.sentence(sentence), self.words(words), mask)


class BorrowedTextEncoder(nn.Module):
    """A text encoder from elsewhere, used as it is: one given vector a caption, nothing to learn."""

    def __init__(self, *, embedding_width: int) -> None:
        super().__init__()
        self.embedding_width = embedding_width

    def forward(self, vectors: Tensor) -> TextEmbedding:
        """[N, E] float -> TextEmbedding whose only word is the sentence."""
        sentence = F.layer_norm(vectors.float(), (self.embedding_width,))
        return TextEmbedding(sentence, sentence[:, None], torch.ones_like(vectors[:, :1], dtype=torch.bool))


class DualTextEncoder(nn.Module):
    """Captions -> DualTextEmbedding. Given one encoder twice, it is the paper's losing ablation: a shared embedding."""

    def __init__(self, realism: nn.Module, alignment: nn.Module) -> None:
        super().__init__()
        self.realism = realism
        self.alignment = alignment

    @property
    def is_shared(self) -> bool:
        return self.realism is self.alignment

    def forward(self, captions: Tensor) -> DualTextEmbedding:
        """[N, L] tokens (or [N, E] vectors for a borrowed encoder) -> DualTextEmbedding."""
        alignment = self.alignment(captions)
        return DualTextEmbedding(self.read_realism(captions, alignment), alignment)

    def start_realism(self) -> None:
        """Put S_G where S_D stands. Raises RuntimeError where the two encoders differ in form."""
        self.realism.load_state_dict(self.alignment.state_dict())

    def read_realism(self, captions: Tensor, alignment: TextEmbedding) -> TextEmbedding:
        """S_G and w_G of captions whose alignment embedding is known."""
        if self.is_shared:
            return alignment
        known = alignment if isinstance(self.realism, RealismHead) else captions
        realism: TextEmbedding = self.realism(known)
        return realism
