"""How does Django know the policy?"""

from __future__ import annotations

from django.apps import AppConfig


class PolicyConfig(AppConfig):
    """Blocked and warned words, and required disclaimers."""

    name = "bespoke.studio.policy"
    label = "policy"
    default_auto_field = "django.db.models.BigAutoField"
