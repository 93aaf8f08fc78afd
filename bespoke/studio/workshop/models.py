"""What does the workshop remember? Catalogues and their versions, and the work that makes models of them."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models

from bespoke.studio.models import Leased, TrainedModel

OWNER = settings.AUTH_USER_MODEL


class Catalogue(models.Model):
    """Pictures with captions under one name, in versions."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.CharField(max_length=50, unique=True)  # of folders and of the models that come from it
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """By name."""

        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def newest(self) -> Version:
        """Every catalogue has a version: both are made at once."""
        return self.versions.order_by("-number")[0]


class Version(models.Model):
    """One state of a catalogue, in a folder of its own. Nothing in it changes any more once it was trained on."""

    catalogue = models.ForeignKey(Catalogue, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    folder = models.CharField(max_length=80, unique=True)  # under HOME/catalogues
    made_from = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(OWNER, models.PROTECT, related_name="+")
    num_pictures = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)  # hash of all names, captions, attributes and pictures
    frozen_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=["catalogue", "number"], name="one_version_of_a_number"),)

    def __str__(self) -> str:
        return f"{self.catalogue} (v{self.number})"

    @property
    def path(self) -> Path:
        return Path(settings.HOME.catalogues) / self.folder

    @property
    def report(self) -> Check | None:
        """The newest report, unless the version has changed since."""
        return self.checks.filter(state=Leased.State.DONE, fingerprint=self.fingerprint).order_by("created_at").last()


class Upload(Leased):
    """Files that were sent, on their way into a version."""

    owner = models.ForeignKey(OWNER, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)  # of the catalogue
    catalogue = models.ForeignKey(Catalogue, models.PROTECT, null=True, related_name="+")  # that it adds to
    problems = models.JSONField(default=list)  # of what was refused or left out: kind, name, detail
    num_problems = models.PositiveIntegerField(default=0)
    version = models.ForeignKey(Version, models.PROTECT, null=True, related_name="+")

    @property
    def path(self) -> Path:
        return Path(settings.HOME.uploads) / str(self.pk)


class Check(Leased):
    """A report of the catalogue doctor."""

    owner = models.ForeignKey(OWNER, models.PROTECT, related_name="+")
    version = models.ForeignKey(Version, models.PROTECT, related_name="checks")
    fingerprint = models.CharField(max_length=64)
    verdict = models.CharField(max_length=10, blank=True)

    @property
    def path(self) -> Path:
        return Path(settings.HOME.reports) / f"check-{self.pk}"


class Training(Leased):
    """A training of a model on a version, into a run of its own. Ended before its time is up, it can go on."""

    owner = models.ForeignKey(OWNER, models.PROTECT, related_name="+")
    version = models.ForeignKey(Version, models.PROTECT, related_name="trainings")
    base = models.ForeignKey(TrainedModel, models.PROTECT, null=True, related_name="+")
    preset = models.CharField(max_length=20, blank=True)  # empty: that of the machine, or of the base
    minutes = models.FloatField()
    run = models.CharField(max_length=80, unique=True)  # the folder under HOME/models, and the model's name
    share = models.FloatField(default=0)  # of the time that is spent, 0 to 1
    stopping = models.BooleanField(default=False)  # somebody asked for an end
    pid = models.PositiveIntegerField(null=True)  # of the process that was started last

    @property
    def path(self) -> Path:
        return Path(settings.HOME.models) / self.run

    @property
    def resumable(self) -> bool:
        return not self.open and self.share < 1


class Evaluation(Leased):
    """A measurement of a model against the real pictures of a version."""

    owner = models.ForeignKey(OWNER, models.PROTECT, related_name="+")
    model = models.ForeignKey(TrainedModel, models.PROTECT, related_name="evaluations")
    identity = models.CharField(max_length=12)  # of the weights
    version = models.ForeignKey(Version, models.PROTECT, related_name="+")
    split = models.CharField(max_length=10)
    verdict = models.CharField(max_length=10, blank=True)
    passed = models.BooleanField(null=True)  # all release gates

    @property
    def path(self) -> Path:
        return Path(settings.HOME.reports) / f"evaluation-{self.pk}"


class Promotion(models.Model):
    """That a model was made the one that is offered first, and why it may be."""

    model = models.ForeignKey(TrainedModel, models.PROTECT, related_name="promotions")
    identity = models.CharField(max_length=12)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(OWNER, models.PROTECT, related_name="+")
    evaluation = models.ForeignKey(Evaluation, models.PROTECT, null=True, related_name="+")  # that passed
    reason = models.TextField(blank=True)  # of an administrator, where none has passed
    back = models.BooleanField(default=False)  # a roll back

    class Meta:
        """Newest first."""

        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.model} {self.identity} at {self.at}"


class Comparison(models.Model):
    """Two models at the same texts and seeds. Its jobs are found by keys that follow from its own, see comparing.py."""

    id = models.UUIDField(primary_key=True)
    created_at = models.DateTimeField(auto_now_add=True)
    owner = models.ForeignKey(OWNER, models.PROTECT, related_name="+")
    first = models.ForeignKey(TrainedModel, models.PROTECT, related_name="+")
    second = models.ForeignKey(TrainedModel, models.PROTECT, related_name="+")
    texts = models.JSONField()
    seed = models.BigIntegerField()
    balance = models.FloatField()

    def __str__(self) -> str:
        return f"{self.first} and {self.second}"
