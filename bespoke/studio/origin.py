"""Where does an edited picture come from? As it is written into its files; apart, so that who asks needs no torch."""

from __future__ import annotations

from typing import Any

from bespoke.provenance import COMPOSITE, TRAINED_ALGORITHMIC_MEDIA
from bespoke.studio.exports.models import Exported
from bespoke.studio.models import Edit, Job, Picture


def origin(edit: Edit) -> dict[str, Any]:
    """From what an edited picture came, as it is written into files."""
    return {"edited_from": edit.sha256, "source": edit.source or None, "strength": edit.strength}


def source_type(job: Job) -> str:
    """What the pictures of a job are in IPTC's words: composites where a picture that was sent in is below them.

    What a sent file says of itself is not believed, but one that this studio has made is known by its hash.
    """
    while (edit := Edit.objects.filter(job=job).first()) is not None:
        before = Picture.objects.filter(sha256=edit.sha256).exclude(sha256="").select_related("job").first()
        if before is None:
            left = Exported.objects.filter(sha256=edit.sha256).exclude(sha256="").select_related("picture__job").first()
            before = left.picture if left else None
        if before is None:
            return COMPOSITE
        job = before.job
    return TRAINED_ALGORITHMIC_MEDIA
