"""What is kept of an export? Who took which pictures where, and hashes by which a file is known again."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from bespoke.studio.models import Picture


class Export(models.Model):
    """One file that left the studio."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    at = models.DateTimeField(db_index=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=200)  # where the pictures go
    sha256 = models.CharField(max_length=64)
    disclaimers = models.JSONField(default=list)  # that went with it

    class Meta:
        """Newest first."""

        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"export {self.id}"


class Exported(models.Model):
    """One picture of an export."""

    export = models.ForeignKey(Export, models.CASCADE, related_name="pictures")
    picture = models.ForeignKey(Picture, models.PROTECT, related_name="exports")
    sha256 = models.CharField(max_length=64)  # of the file as it left

    def __str__(self) -> str:
        return f"{self.picture_id} in {self.export_id}"
