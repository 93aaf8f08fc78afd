"""How does Django know the door?"""

from __future__ import annotations

from django.apps import AppConfig


class DoorConfig(AppConfig):
    """Log-in, and the brake on guessing passwords."""

    name = "bespoke.studio.door"
    label = "door"
    default_auto_field = "django.db.models.BigAutoField"
