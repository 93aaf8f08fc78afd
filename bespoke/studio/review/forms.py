"""What do creators, reviewers and administrators fill in about a picture?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bespoke.studio.review.reasons import REASONS
from bespoke.studio.workshop.models import Version


class ProposeForm(forms.Form):
    """For what a picture is wished."""

    product_line = forms.CharField(
        label=_("Product line"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"list": "product-lines"}),
        help_text=_("Figures are counted by it."),
    )


class DecideForm(forms.Form):
    """What a reviewer says."""

    turn = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    reason = forms.ChoiceField(label=_("Reason"), choices=[("", _("Choose one")), *REASONS.items()], required=False)
    note = forms.CharField(
        label=_("Note"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What should be different. Needed to ask for a revision or to reject."),
    )
    override = forms.CharField(
        label=_("Why it may pass a closed gate"),
        max_length=500,
        required=False,
        help_text=_("It stands in the audit log with your name."),
    )


class LimitForm(forms.Form):
    """What an administrator says of a model that was not trained here."""

    alignment = forms.FloatField(
        label=_("Least alignment"),
        min_value=-1,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
        help_text=_("From -1 to 1, as below each picture."),
    )
    waived = forms.CharField(
        label=_("Why copies need not be looked for"),
        max_length=500,
        required=False,
        help_text=_("Empty: pictures of this model pass only by an administrator's word."),
    )


class MeasureForm(forms.Form):
    """On which catalogue a model was trained, where the studio does not know."""

    version = forms.TypedChoiceField(label=_("Trained on"), coerce=int)

    def __init__(self, versions: Sequence[Version], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].choices = [(version.pk, str(version)) for version in versions]


class RecallForm(forms.Form):
    """What else is withdrawn with a picture, and why."""

    by = forms.ChoiceField(
        label=_("Which"),
        choices=(
            ("picture", _("This picture only")),
            ("made", _("It and all that was made from it")),
            ("both", _("All of this model and this text")),
            ("text", _("All of this text, of every model")),
            ("model", _("All of this model, of every text")),
        ),
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("It stands in the audit log with your name.")
    )
