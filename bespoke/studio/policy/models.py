"""What do the lists hold? One rule a row."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Rule(models.Model):
    """A word that is blocked or warned of, or a sentence that goes with pictures."""

    class Kind(models.TextChoices):
        """What a rule does."""

        BLOCKED = "blocked", _("Blocked: cannot be ordered or exported")
        WARNED = "warned", _("Warned: may be ordered, and everybody is told")
        DISCLAIMER = "disclaimer", _("Disclaimer: goes with every export")

    kind = models.CharField(max_length=10, choices=Kind)
    words = models.CharField(max_length=200, blank=True)  # as `plain` gives them; of a disclaimer: empty is always
    sentence = models.CharField(max_length=500, blank=True)  # of a disclaimer; else why, for whoever is told
    roles = models.JSONField(default=list)  # whose orders and exports it is about; none named: everybody's
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        """By kind, then as words sort."""

        ordering = ("kind", "words", "pk")

    def __str__(self) -> str:
        return f"{self.kind} {self.words}"
