"""What do people fill in, and what is wrong with it?"""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from bespoke.errors import UserError
from bespoke.studio.access import ROLES, set_role
from bespoke.studio.limits import (
    LARGEST_SEED,
    LONGEST_TEXT,
    MOST_CANDIDATES,
    MOST_IMAGES,
    MOST_LIST_BYTES,
    USUAL_STRENGTH,
    text_problem,
)
from bespoke.studio.models import Edit, Picture, TrainedModel
from bespoke.studio.review.models import Proposal
from bespoke.studio.review.review import to_revise
from bespoke.studio.workshop.asked import Asked
from bespoke.studio.workshop.limits import TABLE_SUFFIXES


def _slider(label: Any, initial: float) -> forms.FloatField:
    bar = forms.NumberInput(attrs={"type": "range", "step": "0.05"})
    return forms.FloatField(label=label, min_value=0, max_value=1, initial=initial, widget=bar)


class _Models(forms.ModelChoiceField):
    """The models that somebody may draw with."""

    def __init__(self, **given: Any) -> None:
        super().__init__(TrainedModel.objects.none(), label=_("Model"), empty_label=None, **given)

    def label_from_instance(self, model: TrainedModel) -> str:
        return _("%(name)s (comes with Bespoke)") % {"name": model.name} if model.is_base else model.name


class TextForm(forms.Form):
    """A text, and the model and seed to draw it with."""

    model = _Models()
    text = forms.CharField(
        label=_("What to draw"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3, "autofocus": True})
    )
    seed = forms.IntegerField(
        label=_("Seed"),
        min_value=0,
        max_value=LARGEST_SEED,
        required=False,
        help_text=_("The same seed gives the same pictures. Empty: chance decides."),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].queryset = TrainedModel.objects.open_to(user)

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"]).strip()
        if text_problem(text):
            raise ValidationError(_("This text cannot be drawn; write it again."))
        return text


class OrderForm(TextForm):
    """What every order says."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)  # sent twice, it is still one order
    num_images = forms.IntegerField(label=_("Pictures"), min_value=1, max_value=MOST_IMAGES, initial=4)
    revises = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20)  # key of a proposal

    def clean_revises(self) -> Proposal | None:
        asked = self.cleaned_data["revises"]
        if not asked:
            return None
        if (found := to_revise(asked, self.cleaned_data.get("key"))) is None:
            raise ValidationError(_("Another round has begun meanwhile."))
        return found


class CreateForm(OrderForm):
    """An order for pictures that are drawn."""

    balance = _slider(_("Balance"), 0.5)
    best_of = forms.IntegerField(
        label=_("Best of"),
        min_value=1,
        max_value=MOST_CANDIDATES,
        initial=1,
        help_text=_("So many tries for each picture; the one closest to the text is kept."),
    )


class BatchForm(CreateForm):
    """An order for the pictures of a whole list."""

    table = forms.FileField(
        label=_("Spreadsheet"),
        widget=forms.FileInput(attrs={"accept": ",".join(TABLE_SUFFIXES)}),
        help_text=_("CSV (UTF-8 or Shift_JIS), Excel or JSONL: a text a row. Other columns come back with the export."),
    )
    text_column = forms.CharField(
        label=_("Column of texts"), max_length=100, required=False, help_text=_("Empty: it is guessed.")
    )
    template = forms.CharField(
        label=_("Or a text from several columns"),
        max_length=300,
        required=False,
        help_text=_("Names of columns in braces: {color} {type}"),
    )
    skip_bad = forms.BooleanField(
        label=_("Leave out what cannot be used"),
        required=False,
        help_text=_("Otherwise one wrong row stops everything, and you are told which."),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        del self.fields["text"], self.fields["revises"]
        self.fields["num_images"].label, self.fields["num_images"].initial = _("Pictures a row"), 1

    def clean_table(self) -> Any:
        sent = self.cleaned_data["table"]
        if sent.size > MOST_LIST_BYTES:
            raise ValidationError(_("too large: at most %(megabytes)d MB") % {"megabytes": MOST_LIST_BYTES // 2**20})
        return sent

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        try:
            self.asked().columns()
        except UserError:
            told = _("Names of columns in braces are expected, and not a column of texts as well.")
            self.add_error("template", told)
        return cleaned

    def asked(self) -> Asked:
        """How the file is to be read."""
        given = {name: self.cleaned_data.get(name, "") for name in ("text_column", "template")}
        return Asked(**given)


class EditForm(OrderForm):
    """An order to change a picture by its text: one that is sent, that of an earlier edit, or one of the gallery."""

    image = forms.FileField(
        label=_("Another picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    again = forms.ModelChoiceField(Edit.objects, required=False, widget=forms.HiddenInput)
    picture = forms.ModelChoiceField(Picture.objects, required=False, widget=forms.HiddenInput)
    source = forms.CharField(
        label=_("What it shows now"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Only what the two texts differ in changes. Empty: the model guesses."),
    )
    strength = _slider(_("Strength"), USUAL_STRENGTH)
    mask = forms.FileField(
        label=_("Mask as a file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/webp"}),
        help_text=_("In place of painting: what is white or transparent may change."),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["model"].queryset = self.fields["model"].queryset.filter(edits=True)
        self.fields["text"].label = _("What it should show")
        del self.fields["text"].widget.attrs["autofocus"]  # it would scroll the picture out of sight
        self.fields["num_images"].initial = 2

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean()
        if not any(given.get(name) for name in ("image", "again", "picture")) and "image" not in self.errors:
            self.add_error("image", _("Choose a picture."))
        if given.get("source") and given.get("text") == given["source"].strip():
            self.add_error("text", _("Both texts are the same. Change the words that should show."))
        if text_problem(given.get("source") or "-"):
            self.add_error("source", _("This text cannot be read; write it again."))
        return given


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
