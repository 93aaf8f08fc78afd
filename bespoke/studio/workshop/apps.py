"""How does Django know the workshop?"""

from __future__ import annotations

from django.apps import AppConfig


class WorkshopConfig(AppConfig):
    """Catalogues, training, evaluation, promotion."""

    name = "bespoke.studio.workshop"
    label = "workshop"
    default_auto_field = "django.db.models.BigAutoField"
