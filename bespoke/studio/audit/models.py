"""What is kept of a deed? A row that nobody changes any more, and beside all rows one that says where they end."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(TypeError):
    """Somebody tried to change or delete what is only ever added to."""


class _Appended(models.QuerySet["Entry"]):
    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("rows of the audit log are neither changed nor deleted")

    update = delete = bulk_update = bulk_create = update_or_create = _refuse


class Entry(models.Model):
    """One deed. People are kept by number, not by name: a name can be erased elsewhere, a row here never."""

    number = models.BigIntegerField(primary_key=True)  # 1, 2, 3, ... without a gap
    at = models.DateTimeField(db_index=True)
    actor_id = models.BigIntegerField(null=True)  # a user's number; None: the studio itself, or a stranger
    action = models.CharField(max_length=40)  # of actions.py
    subject = models.CharField(max_length=200)  # kind and key, such as "picture 6f1c..."
    details = models.TextField()  # JSON as it was sealed, to the byte
    seal = models.CharField(max_length=64)

    objects = _Appended.as_manager()

    class Meta:
        """Newest first, by each of the filters."""

        ordering = ("-number",)
        indexes = tuple(
            models.Index(fields=[field, "-number"], name=f"audit_by_{name}")
            for field, name in (("actor_id", "actor"), ("action", "action"), ("subject", "subject"))
        )

    def __str__(self) -> str:
        return f"{self.number} {self.action} {self.subject}"

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.details)
        return found

    def save(self, **_: Any) -> NoReturn:
        """Raises: rows are made by chain.py alone."""
        raise AppendOnlyError("rows of the audit log are made by audit.record")

    def delete(self, **_: Any) -> NoReturn:
        """Raises."""
        raise AppendOnlyError("rows of the audit log are not deleted")


class Head(models.Model):
    """Where the log ends. Whoever adds to it holds this row, so that writers come one after the other."""

    last = models.BigIntegerField(default=0)  # number of the newest row
    seal = models.CharField(max_length=64, blank=True)  # of that row
    own_seal = models.CharField(max_length=64, blank=True)  # over both, so that cutting off the end shows

    def __str__(self) -> str:
        return f"the log ends at {self.last}"
