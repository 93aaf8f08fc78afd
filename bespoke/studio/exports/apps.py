"""How does Django know the exports?"""

from __future__ import annotations

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    """Approved pictures on their way out, each recorded."""

    name = "bespoke.studio.exports"
    label = "exports"
    default_auto_field = "django.db.models.BigAutoField"
