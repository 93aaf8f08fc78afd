"""What does a studio remember? Models, jobs, pictures, tokens, and which workers are alive."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from bespoke.studio.access import roles_of

BASE = "base-products"  # the folder of the model that comes with Bespoke, see first.py


class _Models(models.QuerySet["TrainedModel"]):
    def open_to(self, user: Any) -> _Models:
        """What a user may draw with, the model that was promoted last first."""
        usable = self.filter(registered_at__isnull=False, problem="")
        if "administrator" not in roles_of(user):
            theirs = TrainedModel.users.through.objects.filter(user_id=user.pk)
            usable = usable.filter(Q(limited=False) | Q(pk__in=theirs.values("trainedmodel_id")))
        return usable.order_by(F("promoted_at").desc(nulls_last=True), "name")


class TrainedModel(models.Model):
    """A folder under HOME/models that holds a model; to draw with once an administrator has registered it."""

    name = models.CharField(max_length=100, unique=True)  # of the folder; how the API calls it
    identity = models.CharField(max_length=12, blank=True)  # hash of the weights that were found
    image_size = models.PositiveIntegerField(default=0)
    edits = models.BooleanField(default=False)  # whether it was taught to edit pictures
    problem = models.TextField(blank=True)  # why it cannot be used
    stamp = models.CharField(max_length=40)  # of the file that was read; another stamp, another look
    found_at = models.DateTimeField(auto_now_add=True)
    registered_at = models.DateTimeField(null=True)
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    promoted_at = models.DateTimeField(null=True)  # of all, the one that was promoted last is offered first
    limited = models.BooleanField(default=False)  # to these users and administrators
    users = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")

    objects = _Models.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def usable(self) -> bool:
        return self.registered_at is not None and not self.problem

    @property
    def is_base(self) -> bool:
        return self.name == BASE


class Leased(models.Model):
    """Work that waits for a worker. The row itself is the queue: see jobs.py."""

    class State(models.TextChoices):
        """The life of a job."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True)  # of the worker that has it now
    lease_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    turns: tuple[Q, ...] = (Q(),)  # of what waits: work of the first goes before all of the next

    class Meta:
        """The queue reads by state and age."""

        abstract = True
        ordering = ("created_at", "id")
        indexes = (models.Index(fields=["state", "created_at"]),)

    def __str__(self) -> str:
        return f"{self.id} {self.state}"

    @property
    def open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)


class Batch(models.Model):
    """A list of texts that was ordered at once; each of its rows is a job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)  # of the file
    rows = models.JSONField()  # [line, text, {column: cell}] of each, as they were sent
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name

    @property
    def cells(self) -> dict[int, dict[str, Any]]:
        """Of each line, what it says besides its text, and the number of the line."""
        return {line: {**cells, "line": line} for line, _, cells in self.rows}


class Job(Leased):
    """An order for pictures of one text."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="jobs")
    model = models.ForeignKey(TrainedModel, models.PROTECT, related_name="jobs")
    text = models.CharField(max_length=1000)
    num_images = models.PositiveSmallIntegerField()
    balance = models.FloatField()
    seed = models.BigIntegerField()  # of the first picture; known from the start, so that a second try is the same
    best_of = models.PositiveSmallIntegerField()
    trial = models.BooleanField(default=False)  # drawn to compare models, not to be used
    unknown_words = models.JSONField(default=list)
    varies = models.ForeignKey("Picture", models.PROTECT, null=True, related_name="variations")  # is drawn anew
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, related_name="jobs")
    line = models.PositiveIntegerField(null=True)  # of the list, as its reader counts

    turns = (Q(batch=None), Q(batch__isnull=False))  # nobody waits for somebody's list

    @property
    def results(self) -> models.QuerySet[Picture]:
        """The pictures in the order of their seeds."""
        return self.pictures.order_by("number")

    @property
    def placeholders(self) -> range:
        """One for each picture that is still to come."""
        return range(self.num_images)


class Edit(models.Model):
    """Which picture a job changes by its text, in place of drawing one. Files are names in the storage."""

    job = models.OneToOneField(Job, models.PROTECT, primary_key=True, related_name="edit")
    file = models.CharField(max_length=200)  # the picture; of the gallery, or made anew from what was sent
    sha256 = models.CharField(max_length=64)  # of the file as it was sent or drawn
    source = models.CharField(max_length=1000, blank=True)  # what the picture shows now, where that was told
    strength = models.FloatField()
    mask = models.CharField(max_length=200, blank=True)  # of the picture's size: white may change
    new_words = models.JSONField(default=list)  # of the new text that the source lacks
    old_words = models.JSONField(default=list)  # the other way round

    def __str__(self) -> str:
        return f"edit {self.job_id}"


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

    @property
    def mask_file(self) -> str:
        """In the storage, where an edit has changed the picture: black is not at all."""
        return f"{self.file.removesuffix('.png')}-mask.png"


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

    class Kind(models.TextChoices):
        """What a worker does."""

        ARTIST = "artist"  # draws
        WORKSHOP = "workshop"  # takes catalogues in, checks, trains, evaluates

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ARTIST)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.id} {self.seen_at}"
