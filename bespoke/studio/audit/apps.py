"""How does Django know the audit log?"""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Who did what, sealed row by row."""

    name = "bespoke.studio.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
