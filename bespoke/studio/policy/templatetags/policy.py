"""Which words of a text are to be looked at twice? For every page that shows the text."""

from __future__ import annotations

from typing import Any

from django import template

from bespoke.studio.policy.policy import look_at

register = template.Library()


@register.simple_tag
def warned_words(text: str, user: Any) -> list[str]:
    """Words of the text that the lists warn this user of."""
    return [rule.words for rule in look_at(text, user).warned]
