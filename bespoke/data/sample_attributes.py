"""What can be said exactly about a picture of the built-in catalogue?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from bespoke.data.sample_colors import BACKGROUNDS, COLORS, LEAST_CONTRAST, contrast
from bespoke.data.sample_materials import LIGHTS, PATTERNS
from bespoke.data.sample_objects import BASE_KINDS, OBJECTS
from bespoke.errors import UserError


@dataclass(frozen=True)
class View:
    """From where the camera looks, in degrees; chance turns it by up to `slack` more."""

    yaw: float
    slack: float
    pitch: float


SIZES = {"small": 0.44, "medium": 0.58, "large": 0.74}  # longer side of the product, as a share of the picture's
POSITIONS = {"left": -1, "center": 0, "right": 1}
VIEWS = {"front": View(0, 8, 7), "angled": View(34, 9, 17), "above": View(14, 12, 40)}
PLAIN_ONE_COLOR = 0.5  # share of the plain products


@dataclass(frozen=True)
class Attributes:
    """One picture's truth; the names of the fields are the columns of metadata.jsonl."""

    object: str
    color: str
    second_color: str  # of the pattern and of a part such as the handle; "none" for some plain products
    pattern: str
    material: str
    size: str
    position: str
    view: str
    light: str  # where it comes from
    background: str


NAMES = tuple(field.name for field in fields(Attributes))


def random_attributes(rng: np.random.Generator, objects: Sequence[str]) -> Attributes:
    """Every value of every attribute comes up equally often, except that half of the plain products have one colour."""

    def one(values: Sequence[str]) -> str:
        return values[int(rng.integers(len(values)))]

    kind, color, pattern = one(objects), one(list(COLORS)), one(PATTERNS)
    second = one([other for other in COLORS if contrast(color, other) > LEAST_CONTRAST])
    one_color = pattern == "plain" and rng.random() < PLAIN_ONE_COLOR
    return Attributes(
        object=kind,
        color=color,
        second_color="none" if one_color else second,
        pattern=pattern,
        material=one(OBJECTS[kind].materials),
        size=one(list(SIZES)),
        position=one(list(POSITIONS)),
        view=one(list(VIEWS)),
        light=one(list(LIGHTS)),
        background=one(list(BACKGROUNDS)),
    )


def other_values(attributes: Attributes, name: str) -> list[str]:
    """The values that this one attribute could be changed to while all others stay as they are."""
    if name not in NAMES:
        raise UserError(f"attribute {name!r}: expected one of {', '.join(NAMES)}; choose one of them")
    second, kind = attributes.second_color, attributes.object
    tables: dict[str, Sequence[str]] = {
        "object": [other for other in BASE_KINDS if attributes.material in OBJECTS[other].materials],
        "color": [other for other in COLORS if second == "none" or contrast(other, second) > LEAST_CONTRAST],
        "second_color": [
            *(other for other in COLORS if contrast(attributes.color, other) > LEAST_CONTRAST),
            *(["none"] if attributes.pattern == "plain" else []),
        ],
        "pattern": PATTERNS if second != "none" else ("plain",),
        "material": OBJECTS[kind].materials,
        "size": list(SIZES),
        "position": list(POSITIONS),
        "view": list(VIEWS),
        "light": list(LIGHTS),
        "background": list(BACKGROUNDS),
    }
    return [value for value in tables[name] if value != getattr(attributes, name)]


def changed(attributes: Attributes, name: str, value: str) -> Attributes:
    """The same with one attribute changed: the known target of an edit. Raises UserError for what cannot be drawn."""
    allowed = other_values(attributes, name)
    if value not in allowed:
        raise UserError(f"{name}={value!r}: expected one of {', '.join(allowed)} for this picture; choose one of them")
    return replace(attributes, **{name: value})
