"""What do people fill in, and what is wrong with it?"""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from bespoke.studio.access import ROLES, set_role
from bespoke.studio.limits import LARGEST_SEED, LONGEST_TEXT, MOST_CANDIDATES, MOST_IMAGES, text_problem
from bespoke.studio.models import TrainedModel


class CreateForm(forms.Form):
    """An order for pictures."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)  # sent twice, it is still one order
    model = forms.ModelChoiceField(
        TrainedModel.objects.filter(registered_at__isnull=False, problem=""), label=_("Model"), empty_label=None
    )
    text = forms.CharField(
        label=_("What to draw"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3, "autofocus": True})
    )
    balance = forms.FloatField(
        label=_("Balance"),
        min_value=0,
        max_value=1,
        initial=0.5,
        widget=forms.NumberInput(attrs={"type": "range", "step": "0.05"}),
    )
    num_images = forms.IntegerField(label=_("Pictures"), min_value=1, max_value=MOST_IMAGES, initial=4)
    seed = forms.IntegerField(
        label=_("Seed"),
        min_value=0,
        max_value=LARGEST_SEED,
        required=False,
        help_text=_("The same seed gives the same pictures. Empty: chance decides."),
    )
    best_of = forms.IntegerField(
        label=_("Best of"),
        min_value=1,
        max_value=MOST_CANDIDATES,
        initial=1,
        help_text=_("So many tries for each picture; the one closest to the text is kept."),
    )

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"]).strip()
        if text_problem(text):
            raise ValidationError(_("This text cannot be drawn; write it again."))
        return text


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What will use it, so that you know later what to revoke.")
    )


class PersonForm(BaseUserCreationForm):
    """Somebody who may come in."""

    role = forms.ChoiceField(label=_("Role"), choices=tuple(ROLES.items()), initial="creator")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs |= {"autofocus": False, "autocomplete": "off"}
        self.fields["username"].help_text = self.fields["password2"].help_text = ""
        self.fields["password1"].help_text = _("At least 10 characters, and no word that many use.")

    class Meta:
        """Django's own user, without what we do not ask for."""

        model = User
        fields = ("username",)

    def save(self, commit: bool = True) -> Any:
        user = super().save(commit=commit)
        set_role(user, self.cleaned_data["role"])
        return user


class RoleForm(forms.Form):
    """Another role, or no way in any more."""

    role = forms.ChoiceField(label=_("Role"), choices=(*ROLES.items(), ("", _("No access"))), required=False)
