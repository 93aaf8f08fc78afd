"""What must somebody tell us to count cost? What work costs here, and what others would take for it."""

from __future__ import annotations

from django.db import models


class Rates(models.Model):
    """Prices of one product line; the one without a name counts for all that have none of their own."""

    product_line = models.CharField(max_length=100, unique=True, blank=True)
    currency = models.CharField(max_length=8)
    bought_picture = models.FloatField()  # what an outsourced picture costs
    bought_revision = models.FloatField()  # and each time it is sent back
    own_round = models.FloatField()  # people's work of one round here
    own_picture = models.FloatField()  # machines' work of one drawn picture

    class Meta:
        """The general one first."""

        ordering = ("product_line",)

    def __str__(self) -> str:
        return self.product_line or "all"
