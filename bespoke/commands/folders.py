"""Where may a command write? Into a new folder or an empty one: nothing that is there is written over."""

from __future__ import annotations

from pathlib import Path

from bespoke.errors import UserError


def claim_folder(folder: Path) -> Path:
    """Make `folder`, or take it if it is empty. Raises UserError where it holds files or cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        first = next(folder.iterdir(), None)
    except OSError as error:
        raise UserError(f"{folder}: pictures cannot be written there ({error.strerror}); name another --out") from error
    if first is not None:
        raise UserError(f"{folder}: not empty (first: {first.name}), nothing is overwritten; name another --out")
    return folder


def free_name(folder: Path) -> Path:
    """`folder`, or where something of that name exists: folder-2, folder-3, ..."""
    candidate, number = folder, 1
    while candidate.exists():
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate
