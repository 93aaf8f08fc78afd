"""May a picture be approved at all? Three gates, asked when it is proposed and again when it is approved.

A gate that cannot tell is closed. Alignment comes from the model's own network, which was trained to raise it: passing
the gate says that the picture is not worse than nearly all real pairs are, never that it is good.
"""

from __future__ import annotations

from typing import Any

from bespoke.errors import UserError
from bespoke.studio.models import Picture
from bespoke.studio.policy.policy import look_at
from bespoke.studio.review import nearness
from bespoke.studio.review.models import Calibration


def calibration_of(picture: Picture) -> Calibration | None:
    """What counts for a picture's model and weights: what was measured or set last."""
    name, _, identity = picture.model_name.rpartition(" ")
    known = Calibration.objects.filter(model__name=name, identity=identity, state=Calibration.State.DONE)
    return known.order_by("finished_at").last()


def ask(picture: Picture, calibration: Calibration | None) -> list[dict[str, Any]]:
    """All gates: name, passed, and numbers as they were measured; JSON can hold them."""
    return [_alignment(picture, calibration), _copies(picture, calibration), _policy(picture)]


def _alignment(picture: Picture, calibration: Calibration | None) -> dict[str, Any]:
    limit = calibration.alignment if calibration else None
    passed = limit is not None and picture.alignment >= limit
    return {"name": "alignment", "passed": passed, "measured": picture.alignment, "limit": limit}


def _copies(picture: Picture, calibration: Calibration | None) -> dict[str, Any]:
    gate: dict[str, Any] = {"name": "copies", "passed": False, "measured": None, "limit": None, "nearest": []}
    if calibration is None:
        return gate
    if calibration.nearness is None:
        return gate | {"passed": bool(calibration.waived), "waived": calibration.waived}
    try:
        nearest = nearness.find(calibration.path, picture.file)
    except UserError:
        return gate
    told = [{"index": index, "distance": round(distance, 4)} for index, distance in nearest]
    gate |= {"measured": told[0]["distance"], "limit": calibration.nearness, "nearest": told}
    return gate | {"passed": nearest[0][1] >= calibration.nearness, "calibration": str(calibration.pk)}


def _policy(picture: Picture) -> dict[str, Any]:
    found = look_at(picture.job.text, picture.job.owner)
    blocked, warned = ([rule.words for rule in rules] for rules in (found.blocked, found.warned))
    return {"name": "policy", "passed": not blocked, "blocked": blocked, "warned": warned}
