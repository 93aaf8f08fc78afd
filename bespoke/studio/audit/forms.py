"""Which rows of the log does somebody want to see?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bespoke.studio.audit.actions import ACTIONS
from bespoke.studio.audit.models import Entry


class FilterForm(forms.Form):
    """Person, action, subject and days; what is left empty does not narrow."""

    actor = forms.ModelChoiceField(
        User.objects.order_by("username"), label=_("Person"), required=False, empty_label=_("Everybody")
    )
    action = forms.ChoiceField(label=_("Action"), required=False)
    subject = forms.CharField(
        label=_("Subject"),
        required=False,
        max_length=200,
        help_text=_("As it stands in the list."),
    )
    since = forms.DateField(label=_("From day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["action"].choices = [("", _("Everything")), *ACTIONS.items()]

    def narrow(self, entries: QuerySet[Entry]) -> QuerySet[Entry]:
        """The rows that are asked for. Of a valid form."""
        asked = self.cleaned_data
        if asked["actor"]:
            entries = entries.filter(actor_id=asked["actor"].pk)
        if asked["action"]:
            entries = entries.filter(action=asked["action"])
        if asked["subject"]:
            entries = entries.filter(subject=asked["subject"])
        if asked["since"]:
            entries = entries.filter(at__gte=_midnight(asked["since"]))
        if asked["until"]:
            entries = entries.filter(at__lt=_midnight(asked["until"]) + timedelta(days=1))
        return entries


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
