"""How does Django know the review?"""

from __future__ import annotations

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Requests, rounds, proposals, gates, recalls."""

    name = "bespoke.studio.review"
    label = "review"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the workshop's worker calibrate, too."""
        from bespoke.studio.review.calibrations import Calibrate
        from bespoke.studio.workshop import work

        work.KINDS.append(Calibrate)
