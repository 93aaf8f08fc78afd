"""How is a lead time told? In minutes below an hour, in hours above."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def lead(hours: float | None) -> str:
    """Hours, as people say them; a dash where there are none."""
    if hours is None:
        return "–"
    if hours < 1:
        return _("%(number)s min") % {"number": number_format(round(60 * hours), 0)}
    return _("%(number)s h") % {"number": number_format(round(hours, 1), 1)}
