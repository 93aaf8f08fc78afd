"""How does Django know the figures?"""

from __future__ import annotations

from django.apps import AppConfig


class KpiConfig(AppConfig):
    """Key figures, counted from reviews."""

    name = "bespoke.studio.kpi"
    label = "kpi"
    default_auto_field = "django.db.models.BigAutoField"
