"""Which gates would a picture pass? For every page that shows pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template

from bespoke.studio.models import Picture
from bespoke.studio.review import gates

register = template.Library()


@register.simple_tag
def judged(pictures: Iterable[Picture]) -> list[Picture]:
    """The pictures, each with its `gates`, and the names of those that are `closed`.

    Of a model without limits nothing can be told, so there `closed` holds no more than the rules.
    """
    shown = list(pictures)
    found = gates.show_all(shown)
    for picture in shown:
        picture.gates, picture.told = found[picture.pk], found[picture.pk][0]["limit"] is not None
        names = [gate["name"] for gate in picture.gates if not gate["passed"]]
        picture.closed = names if picture.told else [name for name in names if name == "policy"]
    return shown


@register.simple_tag
def gates_of(picture: Picture) -> list[dict[str, Any]]:
    """The gates of one picture, as they stand today."""
    return gates.show_all([picture])[picture.pk]
