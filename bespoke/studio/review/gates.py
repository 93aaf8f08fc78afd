"""May a picture be approved at all? Three gates, asked when it is proposed and again when it is approved.

A gate that cannot tell is closed. Alignment comes from the model's own network, which was trained to raise it: passing
the gate says that the picture is not worse than nearly all real pairs are, never that it is good.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bespoke.studio.access import roles_of
from bespoke.studio.models import Picture
from bespoke.studio.policy.models import Rule
from bespoke.studio.policy.policy import judge
from bespoke.studio.review import nearness
from bespoke.studio.review.models import Calibration

Gates = dict[uuid.UUID, list[dict[str, Any]]]  # of pictures, by their keys
_Find = Callable[[Path, list[str]], dict[str, list[tuple[int, float]]]]


def calibration_of(picture: Picture) -> Calibration | None:
    """What counts for a picture's model and weights: what was measured or set last."""
    return _calibrations([picture.model_name])[picture.model_name]


def _calibrations(model_names: Iterable[str]) -> dict[str, Calibration | None]:
    found: dict[str, Calibration | None] = {}
    for whole in set(model_names):
        name, _, identity = whole.rpartition(" ")
        known = Calibration.objects.filter(model__name=name, identity=identity, state=Calibration.State.DONE)
        found[whole] = known.order_by("finished_at").last()
    return found


def ask(picture: Picture, calibration: Calibration | None) -> list[dict[str, Any]]:
    """All gates: name, passed, and numbers as they were measured; JSON can hold them."""
    return _ask([picture], {picture.model_name: calibration}, nearness.find_all)[picture.pk]


def ask_all(pictures: Sequence[Picture]) -> Gates:
    """The gates of many pictures by their keys; what is asked for all of them is asked once."""
    return _ask(pictures, _calibrations(picture.model_name for picture in pictures), nearness.find_all)


def show_all(pictures: Sequence[Picture]) -> Gates:
    """As `ask_all`, for pages that only show the gates: the search for copies is remembered."""
    return _ask(pictures, _calibrations(picture.model_name for picture in pictures), nearness.recall_all)


def _ask(pictures: Sequence[Picture], calibrations: dict[str, Calibration | None], find: _Find) -> Gates:
    rules = list(Rule.objects.all())
    owners = {picture.job.owner_id: picture.job.owner for picture in pictures}
    roles = {key: roles_of(owner) for key, owner in owners.items()}
    nearest = _nearest(pictures, calibrations, find)
    gates = {}
    for picture in pictures:
        calibration = calibrations[picture.model_name]
        copies = _copies(nearest.get(picture.pk), calibration)
        policy = _policy(picture.job.text, rules, roles[picture.job.owner_id])
        gates[picture.pk] = [_alignment(picture, calibration), copies, policy]
    return gates


def _nearest(
    pictures: Sequence[Picture], calibrations: dict[str, Calibration | None], find: _Find
) -> dict[uuid.UUID, list[tuple[int, float]]]:
    """Of each picture that can be compared, the nearest training pictures."""
    found: dict[uuid.UUID, list[tuple[int, float]]] = {}
    for name, calibration in calibrations.items():
        if calibration is not None and calibration.nearness is not None:
            here = {picture.file: picture.pk for picture in pictures if picture.model_name == name}
            known = find(calibration.path, list(here))
            found |= {here[file]: nearest for file, nearest in known.items()}
    return found


def _alignment(picture: Picture, calibration: Calibration | None) -> dict[str, Any]:
    limit = calibration.alignment if calibration else None
    passed = limit is not None and picture.alignment >= limit
    return {"name": "alignment", "passed": passed, "measured": picture.alignment, "limit": limit}


def _copies(nearest: list[tuple[int, float]] | None, calibration: Calibration | None) -> dict[str, Any]:
    gate: dict[str, Any] = {"name": "copies", "passed": False, "measured": None, "limit": None, "nearest": []}
    if calibration is None:
        return gate
    if calibration.nearness is None:
        return gate | {"passed": bool(calibration.waived), "waived": calibration.waived}
    if nearest is None:
        return gate
    told = [{"index": index, "distance": round(distance, 4)} for index, distance in nearest]
    gate |= {"measured": told[0]["distance"], "limit": calibration.nearness, "nearest": told}
    return gate | {"passed": nearest[0][1] >= calibration.nearness, "calibration": str(calibration.pk)}


def _policy(text: str, rules: Sequence[Rule], roles: frozenset[str]) -> dict[str, Any]:
    found = judge(text, rules, roles)
    blocked, warned = ([rule.words for rule in rules] for rules in (found.blocked, found.warned))
    return {"name": "policy", "passed": not blocked, "blocked": blocked, "warned": warned}
