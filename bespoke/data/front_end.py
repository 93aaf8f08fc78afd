"""What turns captions into numbers for the text encoders: pieces learned from the catalogue, or borrowed vectors?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bespoke.config import ModelSettings
from bespoke.data.borrowed import BorrowedEncoder
from bespoke.data.captions import Tokenizer

# Either has length, vocabulary_size, encode(texts) -> [N, length], unknown(text) and save(path).
FrontEnd = Tokenizer | BorrowedEncoder


def make_front_end(settings: ModelSettings, captions: Iterable[str]) -> FrontEnd:
    """What a model of these settings reads captions with; only a tokenizer learns from `captions`.

    Raises UserError where the encoder to borrow is not installed.
    """
    if settings.embeddings == "pretrained":
        return BorrowedEncoder()
    return Tokenizer.train(captions, settings.vocabulary_size, settings.caption_length)


def load_front_end(settings: ModelSettings, folder: Path) -> FrontEnd:
    """What a model folder of these settings reads captions with.

    Raises UserError where its file is missing or damaged, or the encoder to borrow is not installed.
    """
    kind = BorrowedEncoder if settings.embeddings == "pretrained" else Tokenizer
    return kind.load(front_end_file(settings, folder))


def front_end_file(settings: ModelSettings, folder: Path) -> Path:
    """The one file of a model folder that says how captions are read; `save` of the front end writes it."""
    return folder / ("borrowed_encoder.json" if settings.embeddings == "pretrained" else "tokenizer.json")
