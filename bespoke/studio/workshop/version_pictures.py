"""Which pictures of a version does somebody want to see?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bespoke.studio.workshop import reports
from bespoke.studio.workshop.models import Check, Version
from bespoke.studio.workshop.version_files import FILE, ORIGINAL, TEXTS, Row, read_rows

LONGEST_SEARCH = 200


def search(version: Version, wanted: str = "", finding: str = "") -> list[tuple[int, Row]]:
    """Numbers from 1 on and rows of the pictures whose captions and name hold every word; `finding`: of the doctor."""
    rows = list(enumerate(read_rows(version.path), 1))
    if finding:
        meant = _named_in(version, finding)
        rows = [(number, row) for number, row in rows if row[FILE] in meant]
    if words := wanted[:LONGEST_SEARCH].casefold().split():
        rows = [(number, row) for number, row in rows if all(word in _searched(row) for word in words)]
    return rows


def _searched(row: dict[str, Any]) -> str:
    return "\n".join([*row[TEXTS], row[ORIGINAL]]).casefold()


def _named_in(version: Version, kind: str) -> frozenset[str]:
    """The pictures of a finding of the doctor; of an older report, too: one mends them one after another."""
    last = version.checks.filter(state=Check.State.DONE).order_by("created_at").last()
    data = reports.as_data(last.path) if last else {}
    found = (finding for finding in data.get("findings", ()) if finding["kind"] == kind)
    return frozenset(each["file_name"] for finding in found for group in finding["groups"] for each in group)


def file_of(version: Version, name: str) -> Path | None:
    """The file of a picture, by its name in the version's table; no other file can be named."""
    return version.path / name if any(row[FILE] == name for row in read_rows(version.path)) else None
