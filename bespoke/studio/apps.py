"""How does Django know the studio?"""

from __future__ import annotations

from django.apps import AppConfig


class StudioConfig(AppConfig):
    """The only app of ours."""

    name = "bespoke.studio"
    label = "studio"
    default_auto_field = "django.db.models.BigAutoField"
