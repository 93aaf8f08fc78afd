"""How is a report shown that was made of strangers' words? As a page that may do nothing, or by its data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import get_language

# No script, no form, nothing from anywhere, not even from here: the page holds its pictures and its style itself.
_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
_FIRST = "en"  # its files have no language in their names


def _file(folder: Path, name: str) -> Path:
    language = get_language() or _FIRST
    return folder / (name if language == _FIRST else name.replace(".", f".{language}.", 1))


def as_page(folder: Path) -> HttpResponse:
    """The report in the language of whoever asks."""
    try:
        html = _file(folder, "report.html").read_bytes()
    except FileNotFoundError as error:
        raise Http404 from error
    return HttpResponse(html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})


def as_data(folder: Path) -> dict[str, Any]:
    """What it says, in the language of whoever asks; nothing where it is gone."""
    try:
        found: dict[str, Any] = json.loads(_file(folder, "report.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return found
