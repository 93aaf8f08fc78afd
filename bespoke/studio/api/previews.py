"""What does a model say to a text before anything is ordered? As the page Create shows it while somebody types."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from bespoke.studio.api.errors import answers, patience
from bespoke.studio.api.fields import Text, checked
from bespoke.studio.api.jobs import usable
from bespoke.studio.forms import TextForm
from bespoke.studio.limits import LARGEST_SEED, LONGEST_TEXT
from bespoke.studio.policy.policy import look_at
from bespoke.studio.previews import asking

router = Router(tags=["previews"])
_AWAY = "No worker answers: it starts, or has just died. Orders are drawn all the same."


class Typed(Schema):
    """A text that is not ordered yet."""

    model: Text = Field(max_length=100, description="The name of a registered model.")
    text: Text = Field(max_length=LONGEST_TEXT, description="What to draw.")


class Sketch(Typed):
    """What to preview."""

    seed: int | None = Field(None, ge=0, le=LARGEST_SEED, description=f"Without it, {asking.SEED}.")


class Preview(Schema):
    """The text at one balance."""

    balance: float
    b64_png: str = Field(description="A PNG in base64; it says that a model made it, and that it is a preview.")


class Previews(Schema):
    """The same text and seed at several balances."""

    seed: int
    unknown_words: list[str] = Field(description="Words of the text that the model has never seen.")
    pictures: list[Preview] = Field(description="From balance 0 to 1.")


class Words(Schema):
    """Which words of a text somebody should know of before they order."""

    unknown_words: list[str] = Field(description="Words that the model has never seen.")
    blocked_words: list[str] = Field(description="Words of rules that refuse an order.")
    warned_words: list[str] = Field(description="Words of rules that warn.")


@router.post(
    "/previews",
    response=answers(Previews),
    url_name="previews",
    openapi_extra=patience(f"More than {asking.MOST_PREVIEWS} a minute, or too many people at once.", _AWAY),
)
def make_previews(request: HttpRequest, sketch: Sketch) -> Previews:
    """Draw a text at five balances, each as an order of this seed begins. Nothing is kept: no job, no picture."""
    asked = checked(TextForm(request.user, _typed(request, sketch)))
    strip = asking.preview(request.user, asked["model"], asked["text"], asked["seed"])
    pictures = [Preview(balance=balance, b64_png=png) for balance, png in strip.pictures]
    return Previews(seed=strip.seed, unknown_words=strip.unknown, pictures=pictures)


@router.post(
    "/words",
    response=answers(Words),
    url_name="words",
    openapi_extra=patience(f"More than {asking.MOST_WORDS} a minute, or too many people at once.", _AWAY),
)
def look_at_words(request: HttpRequest, typed: Typed) -> Words:
    """Words of a text that the model does not know, or that the rules block or warn of."""
    asked = checked(TextForm(request.user, _typed(request, typed)))
    found = look_at(asked["text"], request.user)
    answer = asking.ask(request.user, asked["model"], asked["text"])
    return Words(
        unknown_words=answer["unknown"],
        blocked_words=[rule.words for rule in found.blocked],
        warned_words=[rule.words for rule in found.warned],
    )


def _typed(request: HttpRequest, typed: Typed) -> dict[str, Any]:
    """As the form of the page takes it. Raises RefusedError."""
    return typed.dict() | {"model": usable(request, typed.model).pk}
