"""Does any request break the API? Thousands that its OpenAPI description allows, and thousands that it forbids.

    .venv/bin/python benchmarks/fuzz_api.py [--cases 20000] [--seed 0] [--only NAME] [--database URL]

Fills a studio of its own with one of everything, and calls every operation of /v1 and /api in this process, as an
administrator, with cases that schemathesis makes; half of them name a thing that there is. Each case is taken back, so
none depends on another. Prints how many were answered with which status. Leaves with 1 where one was answered with 5xx,
but for 503 with Retry-After, which /v1 answers where nobody draws. Expected: none; 20,000 cases take some 10 minutes.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bespoke.studio.home import DATABASE, HOME, Home

SPACES = ("v1", "api")
# What bodies name, where there is such a thing; else most would be refused for their names alone.
NAMED = {"model": "mugs", "first": "mugs", "second": "mugs", "base": "mugs", "identity": "abc", "version": 1}


def fill() -> dict[str, list[Any]]:
    """One of everything; keys that addresses can name, by the first part of the address."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.utils import timezone
    from PIL import Image

    from bespoke.studio.access import set_role
    from bespoke.studio.models import TrainedModel
    from bespoke.studio.review import calibrations
    from bespoke.studio.workshop.models import Catalogue, Check, Comparison, Evaluation, Training, Upload, Version
    from bespoke.studio.workshop.version_files import write_rows

    user = User.objects.create_user("ada")
    set_role(user, "administrator")
    folder = settings.HOME.catalogues / "cups-v1"
    folder.mkdir()
    rows = []
    for number, color in enumerate(("red", "green", "blue"), 1):
        name = f"{number:06d}-{number:016x}.png"
        Image.new("RGB", (40, 40), color).save(folder / name)
        rows.append({"file_name": name, "texts": [f"a {color} cup"], "original_name": f"{color}.png"})
    catalogue = Catalogue.objects.create(name="Cups", slug="cups")
    told = {"catalogue": catalogue, "number": 1, "folder": folder.name, "created_by": user, "num_pictures": 3}
    version = Version.objects.create(**told, fingerprint=write_rows(folder, rows))
    shape = {"stamp": "1", "image_size": 32, "registered_at": timezone.now(), "edits": True}
    model = TrainedModel.objects.create(name="mugs", identity="abc", **shape)
    calibrations.set_by_hand(model, user, alignment=0.2, waived="a benchmark")
    of = {"owner": user, "version": version}
    Check.objects.create(**of, fingerprint=version.fingerprint)
    training = Training.objects.create(**of, minutes=15, run="cups-v1")
    evaluation = Evaluation.objects.create(**of, model=model, identity="abc", split="validation")
    upload = Upload.objects.create(owner=user, name="Plates", problems=[["broken", "a.png", ""]], num_problems=1)
    asked = {"texts": ["a cup"], "seed": 1, "balance": 0.5}
    comparison = Comparison.objects.create(pk=uuid.uuid4(), owner=user, first=model, second=model, **asked)
    keys = {"catalogues": catalogue, "versions": version, "models": model, "trainings": training, "uploads": upload}
    keys |= {"evaluations": evaluation, "comparisons": comparison}
    return {name: [str(row.pk)] for name, row in keys.items()} | fill_review(user, model)


def fill_review(user: Any, model: Any) -> dict[str, list[Any]]:
    """Orders, pictures in several states of review, an export and a rule."""
    from bespoke.studio import batches, jobs
    from bespoke.studio.exports.exports import export
    from bespoke.studio.models import Job
    from bespoke.studio.policy.policy import add
    from bespoke.studio.review.review import move, propose

    asked = {"num_images": 3, "balance": 0.7, "seed": 7, "best_of": 1}
    waiting = [jobs.enqueue(owner=user, model=model, text="a blue cup", **asked)]
    job = Job.objects.create(owner=user, model=model, text="a red cup", state="running", lease=uuid.uuid4(), **asked)
    jobs.finish(job, [drawn(job, number) for number in range(3)], ["zebra"])
    proposals = propose(list(job.results), user, "mugs")
    for proposal, names in zip(proposals, (["take", "approve"], ["take"], []), strict=True):
        for turn, name in enumerate(names):
            move(proposal.pk, name, user, turn=turn)
    export([proposals[0].pk], user, "shop")
    table = [(1, "a red cup", {}), (2, "a blue cup", {})]
    of_all = {"model": model, "num_images": 1, "seed": 1, "balance": 0.5, "best_of": 1}
    batch = batches.order(uuid.uuid4(), user, "cups.csv", table, **of_all)
    rule = add(user, kind="warned", words="cup", sentence="look twice", roles=[])
    return {
        "lists": [str(batch.pk)],
        "jobs": [str(each.pk) for each in (*waiting, job)],
        "pictures": [str(picture.pk) for picture in job.results],
        "reviews": [str(proposal.pk) for proposal in proposals],
        "policy": [str(rule.pk)],
    }


def drawn(job: Any, number: int) -> Any:
    """A picture as a worker leaves it."""
    import hashlib

    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from PIL import Image

    from bespoke.provenance import mark
    from bespoke.studio.models import Picture

    name = f"{job.model.name} {job.model.identity}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.png"
        mark(Image.new("RGB", (32, 32), (200, number, 0)), file, prompt=job.text, seed=7, balance=0.7, model=name)
        content = file.read_bytes()
    stored = default_storage.save(f"{job.pk}/{number}.png", ContentFile(content))
    told = {"sha256": hashlib.sha256(content).hexdigest(), "seed": 7 + number, "model_name": name}
    return Picture(job=job, number=number, file=stored, alignment=0.3, **told)


def operations(app: Any, token: str, only: str) -> Iterator[Any]:
    """All operations of both descriptions, or those whose address holds `only`."""
    import schemathesis

    for space in SPACES:
        headers = {"Authorization": f"Bearer {token}"}
        found = schemathesis.openapi.from_wsgi(f"/{space}/openapi.json", app, headers=headers)
        for result in found.get_all_operations():
            operation = result.ok()
            if only in operation.label:
                yield operation


def attack(operation: Any, num_cases: int, keys: dict[str, list[Any]], token: str, seed: int) -> Iterator[Any]:
    """Answers to cases of one operation: the case, and the status; 0 for 503 with Retry-After."""
    import hypothesis
    from django.db import transaction
    from hypothesis import strategies as st
    from schemathesis import GenerationMode

    known = keys.get(operation.path.split("/")[2], [])
    answered: list[Any] = []

    def call(case: Any, chosen: int) -> None:
        if "key" in case.path_parameters and known and chosen < 4:
            case.path_parameters["key"] = known[chosen % len(known)]
        if isinstance(case.body, dict) and chosen % 2:
            case.body.update({name: value for name, value in NAMED.items() if name in case.body})
        with transaction.atomic():
            answer = case.call(headers={"Authorization": f"Bearer {token}"})
            transaction.set_rollback(True)
        patient = answer.status_code == 503 and "retry-after" in answer.headers
        answered.append((case, 0 if patient else answer.status_code))

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        cases = operation.as_strategy(generation_mode=mode)
        usual = {"database": None, "deadline": None, "phases": [hypothesis.Phase.generate]}
        told = hypothesis.settings(
            max_examples=max(1, num_cases // 2), suppress_health_check=list(hypothesis.HealthCheck), **usual
        )
        run = told(hypothesis.seed(seed)(hypothesis.given(case=cases, chosen=st.integers(0, 7))(call)))
        try:
            run()
        except hypothesis.errors.Unsatisfiable:  # an operation that takes nothing has no wrong cases
            continue
    yield from answered


def main() -> None:
    """Prints one line an operation; leaves with 1 where something broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", default="", help="of an empty PostgreSQL, in place of SQLite")
    parser.add_argument("--only", default="", help="operations whose method and address hold this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        home.prepare()
        os.environ |= {
            HOME: str(home.folder),
            DATABASE: options.database,
            "DJANGO_SETTINGS_MODULE": "bespoke.studio.settings",
        }
        import django

        django.setup()
        logging.disable(logging.ERROR)
        from django.conf import settings
        from django.contrib.auth.models import User
        from django.core.management import call_command
        from django.core.signals import request_finished, request_started
        from django.core.wsgi import get_wsgi_application
        from django.db import close_old_connections, transaction

        from bespoke.studio.api import openai
        from bespoke.studio.tokens import make_token

        for signal in (request_started, request_finished):  # all is one transaction, which must not be closed
            signal.disconnect(close_old_connections)
        settings.ALLOWED_HOSTS = ["*"]
        openai.WAIT_SECONDS = 0.01
        call_command("migrate", interactive=False, verbosity=0)
        statuses: Counter[int] = Counter()
        broken: dict[str, Any] = {}
        with transaction.atomic():
            keys = fill()
            token = make_token(User.objects.get(), "benchmark")
            found = list(operations(get_wsgi_application(), token, options.only))
            for operation in found:
                answers = list(attack(operation, options.cases // len(found), keys, token, options.seed))
                counted = Counter(status for _case, status in answers)
                statuses += counted
                shown = ", ".join(f"{status or '503 to come back'}: {n}" for status, n in sorted(counted.items()))
                print(f"{operation.label}: {shown}", flush=True)
                for case, status in answers:
                    if status >= 500:
                        broken.setdefault(operation.label, case.as_curl_command())
    told = ", ".join(f"{status or '503 to come back'}: {n}" for status, n in sorted(statuses.items()))
    print(f"{sum(statuses.values())} cases of {len(found)} operations: {told}")
    for label, command in broken.items():
        print(f"BROKEN {label}\n  {command[:1000]}")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
