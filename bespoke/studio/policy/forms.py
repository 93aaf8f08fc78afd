"""What does an administrator fill in for a rule?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bespoke.studio.access import ROLES
from bespoke.studio.policy.models import Rule
from bespoke.studio.policy.words import plain

LONGEST_WORDS = 200


class RuleForm(forms.Form):
    """A new rule."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Rule.Kind.choices)
    words = forms.CharField(
        label=_("Word or words"),
        max_length=LONGEST_WORDS,
        required=False,
        help_text=_("In any language; case, width and kana do not matter. Empty with a disclaimer: for every picture."),
    )
    sentence = forms.CharField(
        label=_("Sentence"),
        max_length=500,
        required=False,
        help_text=_("The disclaimer itself; with words, why they are on the list."),
    )
    roles = forms.MultipleChoiceField(
        label=_("Only for"),
        choices=tuple(ROLES.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: for everybody."),
    )

    def clean(self) -> dict[str, Any]:
        asked = dict(super().clean() or {})
        disclaimer = asked.get("kind") == Rule.Kind.DISCLAIMER
        if disclaimer and not asked.get("sentence"):
            self.add_error("sentence", _("Say what goes with the pictures."))
        words = plain(asked.get("words", ""))
        if (not words and not disclaimer) or (asked.get("words") and not words):
            self.add_error("words", _("Say which word."))
        if len(words) > LONGEST_WORDS:
            self.add_error("words", _("Shorter, please."))
        return asked
