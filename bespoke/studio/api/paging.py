"""How are long lists read? A page at a time; where the next begins is said by the last of this one, so none moves."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from ninja import Schema
from pydantic import Field

from bespoke.studio.api.errors import RefusedError

USUAL, MOST = 50, 200  # rows of a page
_Row = TypeVar("_Row")


class Paging(Schema):
    """Which part of a list."""

    limit: int = Field(USUAL, ge=1, le=MOST, description="How many, at most.")
    after: str = Field("", max_length=200, description="`next` of the page before; empty for the first.")


class Page(Schema, Generic[_Row]):
    """A part of a list."""

    items: list[_Row]
    next: str | None = Field(description="Give it as `after` to go on; null at the end.")

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Of OpenAPI's schema."""
        return f"PageOf{params[0].__name__}"


class Part(NamedTuple):
    """A page before it is told: what Page takes."""

    items: Sequence[Any]
    next: str | None
    total: None = None  # a pair would be taken for status and answer


def cut(found: QuerySet[Any], paging: Paging, *order: str) -> Part:
    """The part of `found` that is asked for, in this order of fields, all rising or all falling; the last is unique."""
    falling = order[0].startswith("-")
    names = [name.removeprefix("-") for name in order]
    found = found.order_by(*order)
    if paging.after:
        found = _narrowed(found, dict(zip(names, _opened(paging.after, len(names)), strict=True)), falling)
    rows = list(found[: paging.limit + 1])
    return _part(rows, paging, lambda row: [getattr(row, name) for name in names])


def cut_list(rows: Sequence[Any], paging: Paging, place: Callable[[Any], int]) -> Part:
    """The same of rows in memory, by a number that rises."""
    if paging.after:
        (last,) = _opened(paging.after, 1)
        if not isinstance(last, int):
            raise _not_ours()
        rows = [row for row in rows if place(row) > last]
    return _part(rows[: paging.limit + 1], paging, lambda row: [place(row)])


def _narrowed(found: QuerySet[Any], last: dict[str, Any], falling: bool) -> QuerySet[Any]:
    beyond, equal = Q(pk__in=[]), Q()
    for name, value in last.items():
        beyond |= equal & Q(**{f"{name}__{'lt' if falling else 'gt'}": value})
        equal &= Q(**{name: value})
    try:
        return found.filter(beyond)
    except (ValueError, TypeError, ValidationError) as error:
        raise _not_ours() from error


def _part(rows: Sequence[Any], paging: Paging, key: Callable[[Any], list[Any]]) -> Part:
    shown = rows[: paging.limit]
    if len(rows) <= paging.limit:
        return Part(shown, None)
    text = json.dumps(key(shown[-1]), default=_told)
    return Part(shown, base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


def _told(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _opened(text: str, length: int) -> list[Any]:
    try:
        values = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _not_ours() from error
    plain = isinstance(values, list) and all(type(value) in (int, str) for value in values)
    if not plain or len(values) != length or any("\0" in value for value in values if isinstance(value, str)):
        raise _not_ours()
    return list(values)


def _not_ours() -> RefusedError:
    return RefusedError(400, "after: not what a page gave as `next`; leave it out to begin anew", param="after")
