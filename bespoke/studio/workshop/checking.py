"""What does the doctor say of a version?"""

from __future__ import annotations

from typing import Any

from bespoke.studio.workshop import reports
from bespoke.studio.workshop.models import Version
from bespoke.studio.workshop.told import tell_advice


def report(version: Version) -> dict[str, Any]:
    """The report on a version as it stands, in the language of whoever asks; empty where there is none."""
    found = version.report
    data = reports.as_data(found.path) if found else {}
    for line in data.get("advice", ()):
        line["text"] = tell_advice(line["key"], line["text"])
    return data
