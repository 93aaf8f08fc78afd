"""Text-to-image models cut to one catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bespoke.pipeline import Pipeline

__all__ = ["Pipeline"]


def __getattr__(name: str) -> object:
    # torch takes seconds to load: only for those who ask for it, not for `bespoke --help`.
    if name == "Pipeline":
        from bespoke.pipeline import Pipeline

        return Pipeline
    raise AttributeError(f"module 'bespoke' has no attribute {name!r}")
