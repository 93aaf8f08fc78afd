"""Why is a picture sent back? One table, so that reasons can be counted."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

REASONS = {
    "text": _("Does not fit the text"),
    "unnatural": _("Looks unnatural or broken"),
    "detail": _("A detail is wrong"),
    "color": _("A color is wrong"),
    "quality": _("Not sharp or clean enough"),
    "copy": _("Too close to an existing picture"),
    "policy": _("Against our rules"),
    "other": _("Something else"),
}
