"""What is kept of an attempt to log in? As much as the brake needs, for as long as it needs it."""

from __future__ import annotations

from django.db import models


class Attempt(models.Model):
    """One attempt that has not succeeded. The name is hashed: people type passwords into the wrong field."""

    at = models.DateTimeField(db_index=True)
    name = models.CharField(max_length=64)
    address = models.CharField(max_length=45)

    class Meta:
        """Asked for by name and by address, the latest first."""

        indexes = (
            models.Index(fields=["name", "-at"], name="attempt_by_name"),
            models.Index(fields=["address", "-at"], name="attempt_by_address"),
        )

    def __str__(self) -> str:
        return f"{self.at}"
