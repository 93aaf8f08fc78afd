"""What does a caption say that a shop system wrote as HTML? The words between its tags."""

from __future__ import annotations

import re
from html import unescape

# Elements that shops' editors write. Other words between angle brackets may well be meant: "size <M>".
_ELEMENTS = """
    a abbr article b big blockquote body br button center code col colgroup dd del div dl dt em figcaption figure font
    footer h1 h2 h3 h4 h5 h6 head header hr html i iframe img input ins label li link main meta nav object ol p param
    picture pre s section small source span strike strong sub sup table tbody td tfoot th thead title tr tt u ul video
    """.split()  # noqa: SIM905
# Those that stand within a line: what they end, goes on.
_WITHIN = set("a abbr b big code del em font i ins label s small span strike strong sub sup tt u".split())  # noqa: SIM905
_TAG = re.compile(rf"</?({'|'.join(_ELEMENTS)})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_NO_WORDS = re.compile(r"<!--.*?-->|<(style|script)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(r"&(?:[a-z][a-z0-9]+|#\d+|#x[0-9a-f]+);", re.IGNORECASE)


def as_words(text: str) -> str:
    """A caption without the tags of HTML and with its characters in place of their names; others stay as they are."""
    if "<" in text and (_TAG.search(text) or _NO_WORDS.search(text)):
        text = _NO_WORDS.sub(" ", text)
        text = " ".join(_TAG.sub(lambda tag: "" if tag[1].lower() in _WITHIN else " ", text).split())
    return _NAMED.sub(lambda name: unescape(name[0]), text).strip() if "&" in text else text
