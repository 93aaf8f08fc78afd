"""What does a studio remember? Models, jobs, pictures, tokens, and which workers are alive."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models


class TrainedModel(models.Model):
    """A folder under HOME/models that holds a model; to draw with once an administrator has registered it."""

    name = models.CharField(max_length=100, unique=True)  # of the folder; how the API calls it
    identity = models.CharField(max_length=12, blank=True)  # hash of the weights that were found
    image_size = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)  # why it cannot be used
    stamp = models.CharField(max_length=40)  # of the file that was read; another stamp, another look
    found_at = models.DateTimeField(auto_now_add=True)
    registered_at = models.DateTimeField(null=True)
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return self.name

    @property
    def usable(self) -> bool:
        return self.registered_at is not None and not self.problem


class Job(models.Model):
    """An order for pictures of one text. The row itself is the queue: see jobs.py."""

    class State(models.TextChoices):
        """The life of a job."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="jobs")
    model = models.ForeignKey(TrainedModel, models.PROTECT, related_name="jobs")
    text = models.CharField(max_length=1000)
    num_images = models.PositiveSmallIntegerField()
    balance = models.FloatField()
    seed = models.BigIntegerField()  # of the first picture; known from the start, so that a second try is the same
    best_of = models.PositiveSmallIntegerField()

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True)  # of the worker that draws it now
    lease_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    unknown_words = models.JSONField(default=list)

    class Meta:
        """The queue reads by state and age."""

        ordering = ("created_at", "id")
        indexes = (models.Index(fields=["state", "created_at"]),)

    def __str__(self) -> str:
        return f"{self.id} {self.state}"

    @property
    def open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def results(self) -> models.QuerySet[Picture]:
        """The pictures in the order of their seeds."""
        return self.pictures.order_by("number")

    @property
    def placeholders(self) -> range:
        """One for each picture that is still to come."""
        return range(self.num_images)


class Picture(models.Model):
    """One result: a marked PNG in the storage and how to make it again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)
    job = models.ForeignKey(Job, models.PROTECT, related_name="pictures")
    number = models.PositiveSmallIntegerField()
    file = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    seed = models.BigIntegerField()
    alignment = models.FloatField()
    model_name = models.CharField(max_length=150)  # name and identity, as the picture's own mark says

    class Meta:
        """However often a job is drawn, each of its pictures stands here once."""

        ordering = ("-created_at", "job", "number")
        constraints = (models.UniqueConstraint(fields=["job", "number"], name="one_result_per_job"),)
        indexes = (models.Index(fields=["-created_at"]),)

    def __str__(self) -> str:
        return f"{self.job_id} {self.number}"


class Token(models.Model):
    """Lets a program speak for a user. What it is stays with the user; here is a hash of it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=12)  # its beginning, to tell tokens apart
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.hint}... of {self.owner}"


class Worker(models.Model):
    """A worker process and when it was last seen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.id} {self.seen_at}"
