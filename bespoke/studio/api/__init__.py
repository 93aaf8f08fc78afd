"""How do programs use the studio? As OpenAI's image API under /v1/, and everything that the pages do under /api/."""

from __future__ import annotations

from typing import Any

ADDRESSES = ("/v1/", "/api/")  # what is under them is for programs, errors included


def error(status: int, message: str, *, param: str = "", code: str = "") -> dict[str, Any]:
    """An error as JSON: what is wrong and what to do, the field that is wrong, and a word for programs."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param or None, "code": code or None}}
