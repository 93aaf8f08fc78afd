"""What do the lists say of a text? Asked when pictures are ordered, reviewed and exported."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from django.db import transaction

from bespoke.studio.access import roles_of
from bespoke.studio.audit import record
from bespoke.studio.policy.models import Rule
from bespoke.studio.policy.words import holds, plain


class Findings(NamedTuple):
    """The rules that a text meets."""

    blocked: list[Rule]
    warned: list[Rule]
    disclaimers: list[Rule]


class BlockedError(Exception):
    """A text that somebody of this role may not use."""

    def __init__(self, rules: list[Rule]) -> None:
        super().__init__(", ".join(rule.words for rule in rules))
        self.rules, self.words = rules, [rule.words for rule in rules]


def look_at(text: str, user: Any) -> Findings:
    """The rules that are about this user and this text."""
    return judge(text, Rule.objects.all(), roles_of(user))


def judge(text: str, rules: Collection[Rule], roles: Collection[str]) -> Findings:
    """The rules among `rules` that are about one of `roles` and this text."""
    seen = plain(text)
    met = [
        rule
        for rule in rules
        if (not rule.roles or set(rule.roles) & set(roles)) and (not rule.words or holds(seen, rule.words))
    ]
    return Findings(*([rule for rule in met if rule.kind == kind] for kind in Rule.Kind.values))


def refuse_blocked(text: str, user: Any) -> None:
    """Raises BlockedError where the text holds a word that is blocked for this user."""
    if blocked := look_at(text, user).blocked:
        raise BlockedError(blocked)


@transaction.atomic
def add(user: Any, *, kind: str, words: str, sentence: str, roles: Collection[str]) -> Rule:
    """Put a rule on the lists."""
    rule = Rule(kind=kind, words=plain(words), sentence=sentence, roles=sorted(roles), made_by=user)
    rule.save()
    record(user, "policy.added", rule, kind=kind, words=rule.words, sentence=sentence, roles=rule.roles)
    return rule


@transaction.atomic
def remove(user: Any, rule: Rule) -> None:
    """Take a rule off the lists."""
    record(user, "policy.removed", rule, kind=rule.kind, words=rule.words, sentence=rule.sentence, roles=rule.roles)
    rule.delete()
