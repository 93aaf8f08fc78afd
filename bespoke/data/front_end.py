"""What turns captions into numbers for the text encoders: pieces learned from the catalogue, or borrowed vectors?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from bespoke.data.borrowed import BorrowedEncoder
from bespoke.data.captions import Tokenizer
from bespoke.settings import ModelSettings

# Either has length, vocabulary_size, encode(texts) -> [N, length], unknown(text) and save(path).
FrontEnd = Tokenizer | BorrowedEncoder


def make_front_end(settings: ModelSettings, captions: Iterable[str], base: FrontEnd | None = None) -> FrontEnd:
    """What a model of these settings reads captions with; only a tokenizer learns from `captions`.

    base: of the model that this one starts from; a tokenizer then grows out of its tokenizer.
    Raises UserError where the encoder to borrow is not installed.
    """
    if settings.embeddings == "pretrained":
        return BorrowedEncoder()
    if isinstance(base, Tokenizer):
        return base.grow(captions, settings.vocabulary_size)
    return Tokenizer.train(captions, settings.vocabulary_size, settings.caption_length)


def load_front_end(settings: ModelSettings, folder: Path) -> FrontEnd:
    """What a model folder of these settings reads captions with.

    Raises UserError where its file is missing or damaged, or the encoder to borrow is not installed.
    """
    kind = BorrowedEncoder if settings.embeddings == "pretrained" else Tokenizer
    return kind.load(front_end_file(settings, folder))


def front_end_text(front_end: FrontEnd) -> str:
    """Everything that a front end saves, as a text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved.json"
        front_end.save(path)
        return path.read_text(encoding="utf-8")


def front_end_of(settings: ModelSettings, text: str) -> FrontEnd:
    """The front end that `front_end_text` gave the text of; raises as `load_front_end` does."""
    with tempfile.TemporaryDirectory() as folder:
        front_end_file(settings, Path(folder)).write_text(text, encoding="utf-8")
        return load_front_end(settings, Path(folder))


def front_end_file(settings: ModelSettings, folder: Path) -> Path:
    """The one file of a model folder that says how captions are read; `save` of the front end writes it."""
    return folder / ("borrowed_encoder.json" if settings.embeddings == "pretrained" else "tokenizer.json")
