"""How does a whole product list become pictures? Its rows are read, all of them, and then each is a job of the queue.

So a list is resumed after a kill as every job is. Jobs of lists wait until nobody waits for a picture.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from bespoke.studio import jobs
from bespoke.studio.access import roles_of
from bespoke.studio.audit import record
from bespoke.studio.jobs import CANCELLED, QueueFullError
from bespoke.studio.limits import LONGEST_TEXT, MOST_LISTS, text_problem
from bespoke.studio.models import Batch, Job, TrainedModel
from bespoke.studio.opening import UnusableError, ask_decoder
from bespoke.studio.policy.models import Rule
from bespoke.studio.policy.policy import judge
from bespoke.studio.workshop.asked import Asked
from bespoke.studio.workshop.limits import TABLE_SUFFIXES

Row = tuple[int, str, dict[str, str]]  # line, text, the other cells


class Wrong(NamedTuple):
    """A row that cannot be drawn, and why, in the language of the request."""

    line: int
    text: str
    told: str


class Progress(NamedTuple):
    """How far a list is, in rows."""

    total: int
    done: int
    failed: int
    cancelled: int
    waiting: int  # or being drawn

    @property
    def over(self) -> int:
        return self.total - self.waiting


def read(sent: Any, asked: Asked, user: Any) -> tuple[list[Row], list[Wrong]]:
    """The rows of an uploaded table that can be drawn, and those that cannot. Raises UnusableError, BusyError."""
    suffix = Path(sent.name).suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise UnusableError("bad_table")
    with tempfile.TemporaryDirectory(prefix="bespoke-") as folder:
        source, target = Path(folder) / f"table{suffix}", Path(folder) / "rows"
        with source.open("wb") as out:
            shutil.copyfileobj(sent, out)
        ask_decoder("texts", str(source), str(target), asked._asdict())
        with target.open(encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines]
    rules, roles = list(Rule.objects.all()), roles_of(user)
    rows: list[Row] = []
    wrong: list[Wrong] = []
    for line, texts, cells in found:
        text = texts[0].strip() if texts else ""
        if told := _problem(text, rules, roles):
            wrong.append(Wrong(line, text[:200], told))
        else:
            rows.append((line, text, cells))
    return rows, wrong


def _problem(text: str, rules: Sequence[Rule], roles: frozenset[str]) -> str:
    if not text:
        return _("no text")
    if len(text) > LONGEST_TEXT:
        return _("more than %(most)d characters") % {"most": LONGEST_TEXT}
    if text_problem(text):
        return _("holds a character that is none")
    if blocked := judge(text, rules, roles).blocked:
        return _("our rules do not allow: %(words)s") % {"words": ", ".join(rule.words for rule in blocked)}
    return ""


@transaction.atomic
def order(
    key: uuid.UUID,
    user: Any,
    name: str,
    rows: Sequence[Row],
    *,
    model: TrainedModel,
    num_images: int,
    seed: int | None,
    **asked: Any,
) -> Batch:
    """Put all rows into the queue; sent twice with one `key` it is one list. Raises QueueFullError.

    seed: of the first picture; every picture has the next, as `bespoke generate` does it.
    """
    if found := Batch.objects.filter(pk=key, owner=user).first():
        return found
    if Batch.objects.filter(owner=user, jobs__state=Job.State.WAITING).distinct().count() >= MOST_LISTS:
        raise QueueFullError
    made = Batch.objects.create(pk=key, owner=user, name=name, rows=list(rows))
    first = random.SystemRandom().randrange(2**31) if seed is None else seed
    of_all = {"owner": user, "model": model, "batch": made, "num_images": num_images, **asked}
    Job.objects.bulk_create(
        [Job(line=row[0], text=row[1], seed=first + n * num_images, **of_all) for n, row in enumerate(rows)],
        batch_size=200,
    )
    told = {"model": model.name, "identity": model.identity, "pictures": len(rows) * num_images}
    record(user, "list.ordered", made, rows=len(rows), **told)
    return made


@transaction.atomic
def cancel(batch: Batch, user: Any) -> int:
    """Let what still waits not be drawn; returns how many rows. Raises PermissionDenied for a stranger's list."""
    if batch.owner_id != user.pk and "administrator" not in roles_of(user):
        raise PermissionDenied
    if number := jobs.cancel(batch.jobs.all()):
        Batch.objects.filter(pk=batch.pk).update(cancelled_at=timezone.now())
        record(user, "list.cancelled", batch, rows=number)
    return number


def progress(batch: Batch) -> Progress:
    """How far a list is."""
    counts: Counter[str] = Counter()
    for state, error, number in (
        Job.objects.filter(batch=batch).order_by().values_list("state", "error").annotate(number=Count("pk"))
    ):
        counts[CANCELLED if error == CANCELLED else state] += number
    waiting = counts[Job.State.WAITING] + counts[Job.State.RUNNING]
    return Progress(sum(counts.values()), counts[Job.State.DONE], counts[Job.State.FAILED], counts[CANCELLED], waiting)
