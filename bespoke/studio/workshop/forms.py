"""What do people fill in in the workshop, and what is wrong with it?"""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from bespoke.config import PRESETS
from bespoke.data.pictures import SUFFIXES
from bespoke.data.split import LEAST
from bespoke.errors import UserError
from bespoke.studio.limits import LARGEST_SEED, LONGEST_TEXT, text_problem
from bespoke.studio.models import TrainedModel
from bespoke.studio.workshop import evaluating
from bespoke.studio.workshop.asked import Asked
from bespoke.studio.workshop.comparing import MOST_TEXTS
from bespoke.studio.workshop.limits import TABLE_SUFFIXES
from bespoke.studio.workshop.models import Catalogue, Version
from bespoke.studio.workshop.training import MINUTES


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class _FilesField(forms.FileField):
    """Many files at once."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        given = data if isinstance(data, (list, tuple)) else [data] if data else []
        if self.required and not given:
            raise ValidationError(self.error_messages["required"], code="required")
        return list(given)


class UploadForm(forms.Form):
    """Pictures with a table of captions; what is in them is looked at later."""

    name = forms.CharField(label=_("Name of the catalogue"), max_length=100, help_text=_("Such as: Mugs, autumn."))
    pictures = _FilesField(
        label=_("Picture files"),
        help_text=_("JPEG, PNG or WebP: many files at once, or one or more zips."),
        widget=_Files(attrs={"accept": ",".join([*SUFFIXES, ".zip", *TABLE_SUFFIXES])}),
    )
    table = _FilesField(
        label=_("Spreadsheet"),
        required=False,
        help_text=_("CSV (UTF-8 or Shift_JIS), Excel or JSONL: a file name and a caption a row. May be in the zip."),
        widget=forms.FileInput(attrs={"accept": ",".join(TABLE_SUFFIXES)}),
    )
    skip_bad = forms.BooleanField(
        label=_("Leave out what cannot be used"),
        required=False,
        help_text=_("Otherwise one broken picture, or one without a row, stops everything, and you are told which."),
    )
    file_column = forms.CharField(label=_("Column of file names"), max_length=100, required=False)
    text_column = forms.CharField(
        label=_("Column of captions"), max_length=100, required=False, help_text=_("Empty: they are guessed.")
    )
    template = forms.CharField(
        label=_("Or a caption from several columns"),
        max_length=300,
        required=False,
        help_text=_("Names of columns in braces: {color} {type}"),
    )

    def __init__(self, adds_to: Catalogue | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if adds_to is not None:
            del self.fields["name"]

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if Catalogue.objects.filter(name=name).exists():
            raise ValidationError(_("There is a catalogue of this name; add to it there, or choose another name."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        try:
            self.asked().columns()
        except UserError:
            told = _("Names of columns in braces are expected, and not a column of captions as well.")
            self.add_error("template", told)
        return cleaned

    def asked(self) -> Asked:
        """How the files are to be read."""
        given = {name: value for name, value in self.cleaned_data.items() if name in Asked._fields and value}
        return Asked(**given)


class TrainForm(forms.Form):
    """A training: how long, from what, and how large."""

    time = forms.ChoiceField(
        label=_("Time"),
        choices=[(key, label) for key, (_minutes, label, _told) in MINUTES.items()],
        widget=forms.RadioSelect,
        initial="look",
        required=False,
    )
    base = forms.ModelChoiceField(
        TrainedModel.objects.none(),
        label=_("Start from"),
        required=False,
        empty_label=_("Nothing: learn everything from this catalogue"),
        help_text=_("A model of a similar, larger catalogue helps where there are few pictures."),
    )
    preset = forms.ChoiceField(
        label=_("Preset"),
        required=False,
        choices=[("", _("That of this machine")), *((name, name) for name in PRESETS)],
    )
    minutes = forms.FloatField(label=_("Other time, in minutes"), min_value=0.1, max_value=7 * 24 * 60, required=False)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["base"].queryset = TrainedModel.objects.open_to(user)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if cleaned.get("base") and cleaned.get("preset"):
            self.add_error("preset", _("A model keeps the form of what it starts from; choose one of the two."))
        return cleaned

    @property
    def asked(self) -> dict[str, Any]:
        """What `training.start` takes."""
        cleaned = self.cleaned_data
        minutes = cleaned["minutes"] or MINUTES[cleaned["time"] or "look"][0]
        return {"minutes": float(minutes), "base": cleaned["base"], "preset": cleaned["preset"]}


class EvaluateForm(forms.Form):
    """A measurement: on which pictures."""

    version = forms.ModelChoiceField(Version.objects.none(), label=_("Catalogue"), empty_label=None)
    split = forms.ChoiceField(
        label=_("Pictures to judge by"),
        choices=[
            ("validation", _("Kept out to choose between models")),
            ("test", _("Kept out for the final report")),
            ("held-out", _("All that were kept out (for small catalogues)")),
            ("train", _("Those it learned from (does not count)")),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = Version.objects.select_related("catalogue").order_by("catalogue__name", "-number")
        self.fields["version"].queryset = versions

    def clean(self) -> dict[str, Any]:
        """Refuses what the evaluation itself would, before anybody waits for it."""
        cleaned: dict[str, Any] = super().clean()
        if "version" in cleaned and "split" in cleaned:
            count = evaluating.num_pictures(cleaned["version"], cleaned["split"])
            if count is not None and count < LEAST:
                told = _("%(count)d pictures; at least %(least)d are needed. Choose others, or add pictures.")
                self.add_error("split", told % {"count": count, "least": LEAST})
        return cleaned


class CompareForm(forms.Form):
    """Two models, and what they are to draw."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    first = forms.ModelChoiceField(TrainedModel.objects.none(), label=_("Model A"), empty_label=None)
    second = forms.ModelChoiceField(TrainedModel.objects.none(), label=_("Model B"), empty_label=None)
    texts = forms.CharField(
        label=_("What to draw"), widget=forms.Textarea(attrs={"rows": 5}), help_text=_("One text a line, up to 8.")
    )
    balance = forms.FloatField(label=_("Balance"), min_value=0, max_value=1, initial=0.5)
    seed = forms.IntegerField(label=_("Seed"), min_value=0, max_value=LARGEST_SEED - MOST_TEXTS, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whole = TrainedModel.objects.filter(problem="").exclude(identity="").order_by("name")
        self.fields["first"].queryset = self.fields["second"].queryset = whole

    def clean_texts(self) -> list[str]:
        texts = list(dict.fromkeys(filter(None, map(str.strip, str(self.cleaned_data["texts"]).splitlines()))))
        if not texts or len(texts) > MOST_TEXTS or any(map(text_problem, texts)):
            raise ValidationError(
                _("Between 1 and %(most)d texts of up to %(long)d characters are expected, one a line."),
                params={"most": MOST_TEXTS, "long": LONGEST_TEXT},
            )
        return texts


class PromoteForm(forms.Form):
    """Why a model is promoted that has not passed."""

    reason = forms.CharField(
        label=_("Reason to promote it all the same"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class AudienceForm(forms.Form):
    """Who may use a model."""

    limited = forms.BooleanField(label=_("Only these people, and administrators"), required=False)
    users = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        label=_("People"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
