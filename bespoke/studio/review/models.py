"""What does the review remember? What was wished for, in which rounds it was drawn, what was said of each picture."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models

from bespoke.studio.models import Job, Leased, Picture, TrainedModel
from bespoke.studio.review.reasons import REASONS
from bespoke.studio.review.states import PROPOSED, STATES
from bespoke.studio.workshop.models import Version

USER = settings.AUTH_USER_MODEL


class Request(models.Model):
    """A wish for one publishable picture, from its first order on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    begun_at = models.DateTimeField()  # the order of its first round
    owner = models.ForeignKey(USER, models.PROTECT, related_name="+")
    product_line = models.CharField(max_length=100, blank=True, db_index=True)

    def __str__(self) -> str:
        return f"request {self.id}"


class Round(models.Model):
    """One order of pictures for a request."""

    request = models.ForeignKey(Request, models.PROTECT, related_name="rounds")
    number = models.PositiveIntegerField()
    job = models.OneToOneField(Job, models.PROTECT, related_name="round")
    revises = models.ForeignKey("Proposal", models.PROTECT, null=True, related_name="revisions")

    class Meta:
        """One after the other."""

        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=["request", "number"], name="one_round_of_a_number"),)

    def __str__(self) -> str:
        return f"round {self.number} of {self.request_id}"


class Proposal(models.Model):
    """One picture on its way; states.py says which way."""

    picture = models.OneToOneField(Picture, models.PROTECT, related_name="proposal")
    round = models.ForeignKey(Round, models.PROTECT, related_name="proposals")
    state = models.CharField(max_length=10, default=PROPOSED, choices=[(state, state) for state in STATES])
    turn = models.PositiveIntegerField(default=0)  # how often it has moved: who decides says what they have seen
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    assigned_to = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)  # approve, revise or reject
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=20, blank=True, choices=tuple(REASONS.items()))
    note = models.CharField(max_length=1000, blank=True)
    approved_at = models.DateTimeField(null=True)  # stays, whatever comes later
    withdrawn_at = models.DateTimeField(null=True)
    overridden = models.BooleanField(default=False)  # approved though a gate was closed
    gates = models.JSONField(default=list)  # as gates.py found them, last

    class Meta:
        """Read by state, by reviewer and by day of decision."""

        indexes = (
            models.Index(fields=["state", "id"], name="proposal_by_state"),
            models.Index(fields=["assigned_to", "state", "id"], name="proposal_by_reviewer"),
            models.Index(fields=["decided_at"], name="proposal_by_decision"),
        )

    def __str__(self) -> str:
        return f"proposal {self.pk} {self.state}"

    @property
    def passed(self) -> bool:
        """Whether all gates were open when they were asked last."""
        return bool(self.gates) and all(gate["passed"] for gate in self.gates)

    @property
    def copied(self) -> dict[str, Any]:
        """What the gate against copies found."""
        return next((gate for gate in self.gates if gate["name"] == "copies"), {})


class Calibration(Leased):
    """What is usual for one model's real pictures: measured on the pairs it was trained with, or set by hand."""

    model = models.ForeignKey(TrainedModel, models.PROTECT, related_name="calibrations")
    identity = models.CharField(max_length=12)  # of the weights; with others it says nothing
    owner = models.ForeignKey(USER, models.PROTECT, related_name="+")
    version = models.ForeignKey(Version, models.PROTECT, null=True, related_name="+")  # None: set by hand
    alignment = models.FloatField(null=True)  # the least that passes
    nearness = models.FloatField(null=True)  # below it a picture is a near copy; None: cannot be told
    num_pairs = models.PositiveIntegerField(default=0)  # real pairs that were scored
    num_training = models.PositiveIntegerField(default=0)  # pictures that copies are looked for among
    held_out = models.BooleanField(default=True)  # the pairs were kept out of training
    waived = models.CharField(max_length=500, blank=True)  # why copies need not be looked for

    @property
    def path(self) -> Path:
        return Path(settings.HOME.reports) / f"calibration-{self.pk}"


class Recall(models.Model):
    """Pictures that must not be used any more."""

    at = models.DateTimeField()
    by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)

    def __str__(self) -> str:
        return f"recall {self.pk}"


class Recalled(models.Model):
    """One picture of a recall."""

    picture = models.OneToOneField(Picture, models.PROTECT, related_name="recalled")
    recall = models.ForeignKey(Recall, models.PROTECT, related_name="pictures")

    def __str__(self) -> str:
        return f"{self.picture_id} by {self.recall_id}"
