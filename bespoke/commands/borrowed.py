"""Is what a config borrows there? Asked before anything is begun or trained."""

from __future__ import annotations

from collections.abc import Iterable

from bespoke.config import Config


def check_borrowed(configs: Iterable[Config]) -> None:
    """Raise UserError where a package is missing whose weights one of the configs asks for."""
    # Both load torch: only where they are needed.
    for config in configs:
        if config.model.embeddings == "pretrained":
            from bespoke.data.borrowed import BorrowedEncoder

            BorrowedEncoder()
        if config.loss.projected and config.editing is None:
            from bespoke.data.borrowed_eyes import borrowed_eyes

            borrowed_eyes()
