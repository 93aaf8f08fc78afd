"""How do programs keep the lists of words and disclaimers?"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from bespoke.studio.api.errors import answers
from bespoke.studio.api.fields import Text, checked
from bespoke.studio.policy.forms import RuleForm
from bespoke.studio.policy.models import Rule as Row
from bespoke.studio.policy.policy import add, remove

router = Router(tags=["policy"])
Role = Literal["viewer", "creator", "reviewer", "administrator"]


class NewRule(Schema):
    """A word that is blocked or warned of, or a sentence that goes with pictures."""

    kind: Literal["blocked", "warned", "disclaimer"]
    words: Text = Field("", max_length=200, description="In any language; empty with a disclaimer: every picture.")
    sentence: Text = Field("", max_length=500, description="The disclaimer itself; with words, why they are listed.")
    roles: list[Role] = Field([], max_length=4, description="Whose orders and exports it is about; empty: everybody's.")


class Rule(NewRule):
    """A rule on the lists; its words as they are compared."""

    id: int
    made_at: datetime
    made_by: str = Field(alias="made_by.username")


@router.get("/policy", response=answers(list[Rule]), url_name="policy")
def list_rules(request: HttpRequest) -> list[Row]:
    """All rules, by kind and word."""
    return list(Row.objects.select_related("made_by"))


@router.post("/policy", response=answers(Rule), url_name="policy")
def make_rule(request: HttpRequest, rule: NewRule) -> Row:
    """Put a rule on the lists; it counts at once."""
    return add(request.user, **checked(RuleForm(rule.dict())))


@router.delete("/policy/{int:key}", response=answers(None, 204), url_name="policy-rule")
def remove_rule(request: HttpRequest, key: int) -> Status:
    """Take a rule off."""
    remove(request.user, get_object_or_404(Row, pk=key))
    return Status(204, None)
