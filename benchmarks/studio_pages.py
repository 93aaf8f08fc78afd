"""How long does the studio's server take for a page, with 10,000 pictures and 100,000 rows of audit log?

    .venv/bin/python benchmarks/studio_pages.py [--pictures 10000] [--audit 100000] [--repeats 40] [--database URL]

Fills a database of its own and asks each page through Django's test client: routing, access, queries and templates,
without the network. Prints wall-clock time and the processor's time of this process, which other work on the machine
does not change (SQLite runs in this process, PostgreSQL does not). Expected: the 95th percentile of every page under
100 ms on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bespoke.studio.home import DATABASE, HOME, Home

LIMIT_MS = 100.0
LINES = ("mugs", "vases", "bowls", "lamps", "")
STATES = {"approved": 50, "revise": 20, "rejected": 8, "withdrawn": 2, "proposed": 15, "in_review": 5}  # of 100
DECIDED = ("approved", "revise", "rejected")
TEXTS = ("a red cup with a handle", "a blue vase", "青いカップ、丸い形", "a tall lamp of brass", "a bowl with dots")


def fill(num_pictures: int, num_audit: int) -> None:
    """People, models, orders, pictures, reviews, exports and a log, a year of them."""
    from django.contrib.auth.models import User

    from bespoke.studio.access import ROLES, set_role
    from bespoke.studio.kpi.models import Rates

    chance = random.Random(0)
    people = {role: User.objects.create_user(role) for role in ROLES}
    for role, user in people.items():
        set_role(user, role)
    pictures, rounds = order(num_pictures // 4, people, chance)
    export(review(pictures, rounds, people, chance), people["reviewer"])
    for line in ("", "mugs"):
        prices = {"bought_picture": 4000, "bought_revision": 1500, "own_round": 300, "own_picture": 1}
        Rates.objects.create(product_line=line, currency="JPY", **prices)
    write_log(num_audit, [user.pk for user in people.values()])


def order(num_orders: int, people: dict[str, Any], chance: random.Random) -> tuple[list[Any], list[Any]]:
    """Models, and orders of four pictures each: the pictures, and the round that each order is."""
    from django.utils import timezone

    from bespoke.studio.models import Job, Picture, TrainedModel
    from bespoke.studio.review import calibrations
    from bespoke.studio.review.models import Request, Round

    now = timezone.now()
    shape = {"stamp": "1", "image_size": 64, "registered_at": now, "registered_by": None}
    models = [TrainedModel.objects.create(name=f"model-{n}", identity=f"{n:012x}", **shape) for n in range(8)]
    for model in models:
        calibrations.set_by_hand(model, people["administrator"], alignment=0.2, waived="a benchmark")
    jobs, pictures, wishes = [], [], []
    for number in range(num_orders):
        at = now - timedelta(days=365 * (1 - number / num_orders), seconds=60)
        text, model = f"{chance.choice(TEXTS)} {number % 500}", chance.choice(models)
        asked = {"num_images": 4, "balance": 0.5, "seed": number, "best_of": 1, "state": "done", "finished_at": at}
        jobs.append(job := Job(owner=people["creator"], model=model, text=text, **asked))
        wishes.append(Request(begun_at=at, owner=people["creator"], product_line=chance.choice(LINES)))
        for place in range(4):
            made = Picture(job=job, number=place, file=f"{job.pk}/{place}.png", sha256="0" * 64, seed=number + place)
            made.alignment, made.model_name = chance.uniform(-0.2, 0.9), f"{model.name} {model.identity}"
            pictures.append(made)
    Job.objects.bulk_create(jobs, batch_size=500)
    Request.objects.bulk_create(wishes, batch_size=500)
    rounds = [Round(request=wish, number=1, job=job) for wish, job in zip(wishes, jobs, strict=True)]
    Round.objects.bulk_create(rounds, batch_size=500)
    Picture.objects.bulk_create(pictures, batch_size=500)
    return pictures, rounds


def review(pictures: list[Any], rounds: list[Any], people: dict[str, Any], chance: random.Random) -> list[Any]:
    """A proposal for every picture, in one state or another."""
    from bespoke.studio.review.models import Proposal

    proposals = []
    for number, picture in enumerate(pictures):
        round_ = rounds[number // 4]
        begun, (state,) = round_.request.begun_at, chance.choices([*STATES], [*STATES.values()])
        each = Proposal(picture=picture, round=round_, state=state, proposed_at=begun, proposed_by=people["creator"])
        each.turn = 2
        if state in DECIDED:
            each.decided_at = begun + timedelta(hours=chance.uniform(1, 90))
            each.decided_by = each.assigned_to = people["reviewer"]
        if state == "approved":
            each.approved_at = each.decided_at
        elif state == "in_review":
            each.assigned_to = people["reviewer"]
        elif state in DECIDED:
            each.reason, each.note = "color", "more red"
        each.gates = [
            {"name": "alignment", "passed": True, "measured": picture.alignment, "limit": 0.2},
            {"name": "copies", "passed": True, "measured": None, "limit": None, "nearest": [], "waived": "a benchmark"},
            {"name": "policy", "passed": True, "blocked": [], "warned": []},
        ]
        proposals.append(each)
    Proposal.objects.bulk_create(proposals, batch_size=500)
    return proposals


def export(proposals: list[Any], reviewer: Any) -> None:
    """The first thousand that were approved, one by one."""
    from bespoke.studio.exports.models import Export, Exported

    approved = [proposal for proposal in proposals if proposal.state == "approved"][:1000]
    told = {"by": reviewer, "purpose": "shop", "sha256": "0" * 64}
    exports = Export.objects.bulk_create([Export(at=each.decided_at, **told) for each in approved], batch_size=500)
    pairs = zip(exports, approved, strict=True)
    Exported.objects.bulk_create([Exported(export=e, picture=p.picture, sha256="0" * 64) for e, p in pairs])


def write_log(num_rows: int, people: list[int]) -> None:
    """A log that holds, written as `record` would, only faster."""
    from django.conf import settings
    from django.db import models, transaction
    from django.utils import timezone

    from bespoke.studio.audit import chain
    from bespoke.studio.audit.actions import ACTIONS
    from bespoke.studio.audit.models import Entry, Head

    chance, now, actions = random.Random(1), timezone.now(), [action for action in ACTIONS if action != chain.ROTATED]
    with transaction.atomic():
        head, rows = Head.objects.get(), []
        for number in range(head.last + 1, num_rows + 1):
            at = now - timedelta(days=365 * (1 - number / num_rows))
            subject = f"proposal {number % 9000}"
            entry = Entry(number=number, at=at, actor_id=chance.choice(people), action=chance.choice(actions))
            entry.subject, entry.details = subject, '{"passed": true}'
            fields = [getattr(entry, name) for name in chain.SEALED]
            entry.seal = head.seal = chain._seal_row(settings.AUDIT_KEY, *fields, before=head.seal)
            head.last = number
            rows.append(entry)
        models.QuerySet(Entry).bulk_create(rows, batch_size=500)
        head.own_seal = chain._seal_head(settings.AUDIT_KEY, head)
        head.save()


def measure(repeats: int) -> list[tuple[str, str, float, float]]:
    """Role, page, 95th percentiles of wall-clock and of processor time in milliseconds."""
    from django.contrib.auth.models import User
    from django.test import Client

    from bespoke.studio.models import Picture
    from bespoke.studio.review.models import Proposal

    some = list(Proposal.objects.order_by("?")[:repeats].values_list("pk", flat=True))
    shown = list(Picture.objects.order_by("?")[:repeats].values_list("pk", flat=True))
    job = Picture.objects.first().job_id
    asked = {
        "reviewer": [
            "/review",
            "/review?list=mine",
            "/review?list=approved",
            "/review?list=closed&after=5000",
            "/review?list=open&line=mugs",
            "/exports",
            "/review/{proposal}",
        ],
        "creator": ["/create", "/gallery", "/jobs/{job}", "/review?list=revise", "/kpi"],
        "administrator": [
            "/audit",
            "/audit?action=review.approve",
            "/audit?subject=proposal 77",
            "/audit?before=50000",
            "/audit?actor=1&since=2026-01-01",
            "/kpi?weeks=26",
            "/kpi?weeks=52",
            "/pictures/{picture}",
            "/pictures/{picture}/recall?by=model",
            "/gates",
            "/policy",
            "/people",
        ],
    }
    rows = []
    for role, pages in asked.items():
        client = Client()
        client.force_login(User.objects.get(username=role))
        for page in pages:
            times, busy = [], []
            for number in range(repeats + 2):
                place = page.format(proposal=some[number % len(some)], picture=shown[number % len(shown)], job=job)
                began, work = time.perf_counter(), time.process_time()
                answer = client.get(place)
                times.append(1000 * (time.perf_counter() - began))
                busy.append(1000 * (time.process_time() - work))
                assert answer.status_code == 200, (place, answer.status_code)
            # The first two compile templates.
            rows.append((role, page, *(sorted(each[2:])[int(0.95 * (repeats - 1))] for each in (times, busy))))
    return rows


def main() -> int:
    """Fill, measure, print; 1 where a page is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--audit", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--database", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Home(Path(folder)).prepare()
        os.environ |= {HOME: folder, DATABASE: given.database, "DJANGO_SETTINGS_MODULE": "bespoke.studio.settings"}
        import django
        from django.conf import settings

        settings.LOGGING_CONFIG = None
        settings.ALLOWED_HOSTS.append("testserver")
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from bespoke.studio.audit.chain import verify

        call_command("migrate", verbosity=0)
        fill(given.pictures, given.audit)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        rows = measure(given.repeats)
        for role, page, late, busy in rows:
            mark = "  <--" if late > LIMIT_MS else ""
            print(f"{role:14} {page:38} p95 {late:6.1f} ms, of the processor {busy:6.1f} ms{mark}")
        began = time.perf_counter()
        found, took = verify(), time.perf_counter() - began
        print(f"the whole log of {found.holding} rows checked in {took:.1f} s: {found.problem or 'holds'}")
        connection.close()
    return int(any(late > LIMIT_MS for _role, _page, late, _busy in rows))


if __name__ == "__main__":
    raise SystemExit(main())
