"""Which values do several routes take, and how is a form of the pages asked whether they are right?"""

from __future__ import annotations

from typing import Annotated, Any

from django import forms
from pydantic import AfterValidator, Field

from bespoke.studio.api.errors import RefusedError

LARGEST_KEY = 2**63 - 1


def _writable(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a character that is none; write it again")
    return text


Text = Annotated[str, AfterValidator(_writable)]  # what every database can hold
Key = Annotated[int, Field(ge=1, le=LARGEST_KEY)]  # of rows that are numbered


def checked(form: forms.BaseForm) -> dict[str, Any]:
    """What a form makes of its values. Raises RefusedError, which names the first field that is wrong."""
    if not form.is_valid():
        field, told = next(iter(form.errors.items()))
        name = "" if field == "__all__" else str(field)
        raise RefusedError(400, f"{name}: {told[0]}" if name else str(told[0]), param=name or None)
    return dict(form.cleaned_data)
