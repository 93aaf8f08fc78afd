"""What does somebody choose or tell about figures?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

WEEKS = (13, 26, 52)
_MONEY = {
    "min_value": 0,
    "max_value": 10**9,
    "widget": forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
}


class RatesForm(forms.Form):
    """Prices of a product line."""

    product_line = forms.CharField(
        label=_("Product line"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"list": "product-lines"}),
        help_text=_("Empty: for all that have no prices of their own."),
    )
    currency = forms.CharField(label=_("Currency"), max_length=8, initial="JPY")
    bought_picture = forms.FloatField(label=_("Outsourced: one picture"), **_MONEY)
    bought_revision = forms.FloatField(label=_("Outsourced: one revision"), **_MONEY)
    own_round = forms.FloatField(label=_("Here: work of one round"), **_MONEY)
    own_picture = forms.FloatField(label=_("Here: machine time of one picture"), **_MONEY)


class PeriodForm(forms.Form):
    """Which decisions are counted."""

    weeks = forms.TypedChoiceField(
        label=_("Weeks"),
        coerce=int,
        empty_value=WEEKS[0],
        required=False,
        choices=[(number, number) for number in WEEKS],
    )
    line = forms.ChoiceField(label=_("Product line"), required=False)
    model = forms.ChoiceField(label=_("Model"), required=False)

    def __init__(self, lines: list[str], models: list[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["line"].choices = [("", _("All")), *((line, line) for line in lines)]
        self.fields["model"].choices = [("", _("All")), *((model, model) for model in models)]
