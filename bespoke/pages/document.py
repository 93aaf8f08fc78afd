"""How does a report look? One HTML page that needs no other file and asks for none."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape
from typing import Literal

from PIL import Image

from bespoke.pages.style import STYLE
from bespoke.pages.texts import Language, Text, fill

# The page may load nothing at all: not even a caption that held a tag could make it.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def document(title: str, body: str, language: Language) -> str:
    """The whole page; `title` and `body` are HTML already."""
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def image(data: bytes, kind: Literal["jpeg", "png"]) -> str:
    """A picture that lies in the page itself."""
    return f'<img alt="" src="data:image/{kind};base64,{base64.b64encode(data).decode("ascii")}">'


def picture_of(pixels: Image.Image) -> str:
    """The same of pixels that are no file yet, as PNG."""
    file = io.BytesIO()
    pixels.save(file, "PNG")
    return image(file.getvalue(), "png")


class Writer:
    """What reports are put together from, in one language; whatever came out of a catalogue must be escaped."""

    def __init__(self, language: Language, texts: Mapping[str, Text]) -> None:
        self.language = language
        self.texts = texts

    def text(self, key: str, /, **values: int | str) -> str:
        return escape(self.plain(key, **values))

    def plain(self, key: str, /, **values: int | str) -> str:
        """Not escaped, for what is no HTML."""
        return fill(self.texts[key], self.language, **values)

    def heading(self, key: str, note: str = "") -> str:
        return f"<h2>{self.text(key)}</h2>" + (f'<p class="soft">{self.text(note)}</p>' if note else "")

    def two(self, cards: Iterable[str], kind: str = "") -> str:
        """Cards beside each other where the page is wide enough."""
        inner = "".join(f'<div class="card">{card}</div>' for card in cards)
        return f'<section class="two {kind}">{inner}</section>'
