"""Which model is offered first, to whom, and why: gates, override, roll back, comparison."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bespoke.errors import UserError
from bespoke.evaluation.against import COMPARED, Direction
from bespoke.studio import jobs
from bespoke.studio.audit.models import Entry
from bespoke.studio.models import Job, Picture, TrainedModel
from bespoke.studio.tokens import make_token
from bespoke.studio.workshop import against, comparing, evaluating, promotion, work, worker
from bespoke.studio.workshop.models import Check, Comparison, Evaluation, Promotion, Version
from bespoke.studio.workshop.runs import card_lines

Visitor = Callable[[str], Client]


def add(name: str, **changed: Any) -> TrainedModel:
    usual = {"identity": f"id-{name}", "stamp": "1", "image_size": 32, "registered_at": timezone.now()}
    made: TrainedModel = TrainedModel.objects.create(name=name, **(usual | changed))
    return made


def measure(
    model: TrainedModel, version: Version, *, passed: bool, split: str = "validation", **more: Any
) -> Evaluation:
    """An evaluation as the worker hands it in, its report as `bespoke evaluate` writes it."""
    Evaluation.objects.create(
        owner=version.created_by, model=model, identity=model.identity, version=version, split=split
    )
    row = jobs.claim(Evaluation)
    assert row is not None
    task = work.Evaluate(row)
    task.out.mkdir()
    gate = {
        "gate": "realism",
        "measured": 0.8,
        "limit": 0.5,
        "passed": passed,
        "text": "Realism: <80%>",
        "advice": "-x",
    }
    report = {"gates": [gate], "gates_passed": passed, "verdict": "good", "verdict_text": "It is good"}
    report |= {"protocol": {"model": model.identity, "num_pictures": 60}} | more
    for name in ("report.json", "report.ja.json"):
        (task.out / name).write_text(json.dumps(report))
    (task.out / "report.html").write_text("<script>alert(1)</script>")
    task.hand_in()
    row.refresh_from_db()
    return row


@pytest.fixture
def admin(visitor: Visitor, version: Version) -> User:
    visitor("administrator")
    found: User = User.objects.get(username="administrator")
    return found


def test_a_model_that_passed_its_gates_is_promoted_and_offered_first(admin: User, version: Version) -> None:
    add("another")
    model = add("mugs")
    evaluation = measure(model, version, passed=True)
    promotion.promote(model, admin)
    assert [each.name for each in TrainedModel.objects.open_to(admin)] == ["mugs", "another"]
    made = Promotion.objects.get()
    assert (made.evaluation, made.reason, made.identity) == (evaluation, "", "id-mugs")
    entry = Entry.objects.latest("number")
    assert (entry.action, entry.actor_id) == ("model.promoted", admin.pk)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda model, version: measure(model, version, passed=False),
        lambda model, version: measure(model, version, passed=True, split="train"),
        lambda model, version: (measure(model, version, passed=True), measure(model, version, passed=False)),
        lambda model, version: (
            measure(model, version, passed=True),
            TrainedModel.objects.filter(pk=model.pk).update(identity="other"),
        ),
        lambda model, version: None,
    ],
    ids=["failed", "on what it learned from", "failed since", "other weights", "never measured"],
)
def test_without_passed_gates_only_a_reason_helps(spoil: Callable[..., Any], admin: User, version: Version) -> None:
    model = add("mugs")
    spoil(model, version)
    for reason in ("", "  "):
        with pytest.raises(promotion.NotAllowedError):
            promotion.promote(model, admin, reason=reason)
    promotion.promote(model, admin, reason=" The shop opens on Monday. ")
    assert Promotion.objects.get().reason == "The shop opens on Monday."
    entry = Entry.objects.latest("number")
    assert entry.action == "model.overridden"
    assert "Monday" not in entry.details  # what people typed can be erased; the log cannot


def test_a_reason_does_not_help_a_model_that_is_not_registered(admin: User, version: Version) -> None:
    model = add("mugs", registered_at=None)
    with pytest.raises(promotion.NotAllowedError):
        promotion.promote(model, admin, reason="because")


def test_rolling_back_goes_back_step_by_step_and_over_what_is_gone(admin: User, version: Version) -> None:
    models = [add(name) for name in ("first", "second", "third")]
    with pytest.raises(promotion.NotAllowedError):
        promotion.roll_back(admin)
    for model in models:
        promotion.promote(model, admin, reason="x")
    assert promotion.roll_back(admin).model == models[1]
    assert promotion.current() == models[1]
    assert promotion.roll_back(admin).model == models[0]
    with pytest.raises(promotion.NotAllowedError):
        promotion.roll_back(admin)
    promotion.promote(models[2], admin, reason="x")
    TrainedModel.objects.filter(pk=models[0].pk).update(registered_at=None)
    with pytest.raises(promotion.NotAllowedError):
        promotion.roll_back(admin)
    actions = list(Entry.objects.order_by("number").values_list("action", flat=True))
    assert actions.count("model.rolled_back") == 2


def test_a_limited_model_is_there_for_its_people_and_administrators_alone(
    visitor: Visitor, admin: User, version: Version
) -> None:
    model, everyone = add("mugs"), add("plates")
    promotion.promote(model, admin, reason="x")
    visitor("creator")
    bob = User.objects.get(username="creator")
    promotion.limit(model, admin, [bob])
    seen = {name: visitor(name).get("/create").content.decode() for name in ("creator", "administrator")}
    assert all(">mugs</option>" in page for page in seen.values())
    promotion.limit(model, admin, [])
    page = visitor("creator").get("/create").content.decode()
    assert ">mugs</option>" not in page
    assert ">plates</option>" in page
    asked = {
        "key": str(uuid.uuid4()),
        "model": model.pk,
        "text": "x",
        "balance": "0.5",
        "num_images": "1",
        "best_of": "1",
    }
    assert visitor("creator").post("/create", asked).status_code == 422
    headers = {"Authorization": f"Bearer {make_token(bob, 'test')}"}
    assert [each["id"] for each in Client().get("/v1/models", headers=headers).json()["data"]] == ["plates"]
    order = {"model": "mugs", "prompt": "a cup"}
    answer = Client().post("/v1/images/generations", order, "application/json", headers=headers)
    assert answer.status_code == 404
    promotion.limit(model, admin, None)
    assert set(TrainedModel.objects.open_to(bob)) == {model, everyone}


def test_the_page_of_a_model_promotes_limits_and_rolls_back(visitor: Visitor, admin: User, version: Version) -> None:
    old, model, client = add("plates"), add("mugs"), visitor("administrator")
    promotion.promote(old, admin, reason="x")
    evaluation = measure(model, version, passed=True)
    page = client.get(f"/models/{model.pk}").content.decode()
    assert "It is good" in page
    assert "Realism: &lt;80%&gt;" in page
    assert "It has passed all its gates." in page
    assert "Train longer" not in page  # what to do stands only where a gate failed
    client.post(f"/models/{model.pk}/promote", {"reason": ""})
    page = client.get(f"/models/{model.pk}").content.decode()
    assert "Offered first" in page
    assert "Back to plates" in page
    client.post(f"/models/{model.pk}/audience", {"limited": "on", "users": [admin.pk]})
    model.refresh_from_db()
    assert (model.limited, list(model.users.all())) == (True, [admin])
    client.post("/models/roll-back")
    assert promotion.current() == old
    refused = client.post(f"/models/{add('new').pk}/promote", {"reason": ""}, follow=True)
    assert "Not promoted" in refused.content.decode()
    report = client.get(f"/evaluations/{evaluation.pk}/report")
    assert report["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_a_failed_gate_says_what_to_do_in_words_of_the_page(visitor: Visitor, version: Version) -> None:
    model = add("mugs")
    measure(model, version, passed=False)
    page = visitor("viewer").get(f"/models/{model.pk}").content.decode()
    assert "Train longer, or add pictures." in page
    assert '<form class="card line"' not in page  # a viewer orders nothing


def test_an_evaluation_is_the_command_of_the_command_line_on_the_weights_that_were_seen(
    visitor: Visitor, version: Version
) -> None:
    model, client = add("mugs"), visitor("creator")
    client.post(f"/models/{model.pk}/evaluate", {"version": version.pk, "split": "test"})
    row = jobs.claim(Evaluation)
    assert row is not None
    command = work.Evaluate(row).command()
    assert command[1:6] == ["-m", "bespoke", "evaluate", str(settings.HOME.models / "mugs"), str(version.path)]
    assert command[command.index("--split") + 1] == "test"
    assert command[command.index("--language") + 1] == "en,ja"
    TrainedModel.objects.update(identity="other")
    with pytest.raises(UserError, match="mugs has changed since this was asked for"):
        work.Evaluate(Evaluation.objects.get()).command()


def test_an_evaluation_that_would_say_nothing_is_refused_before_anybody_waits(
    visitor: Visitor, version: Version
) -> None:
    model, client = add("mugs"), visitor("creator")
    check = Check.objects.create(owner=version.created_by, version=version, fingerprint=version.fingerprint)
    Check.objects.update(state="done", finished_at=timezone.now())
    check.path.mkdir(parents=True)
    for name in ("report.json", "report.ja.json"):
        (check.path / name).write_text(json.dumps({"splits": {"train": 400, "validation": 20, "test": 41}}))
    page = client.post(f"/models/{model.pk}/evaluate", {"version": version.pk, "split": "validation"}, follow=True)
    assert "20 pictures; at least 50 are needed." in page.content.decode()
    assert not Evaluation.objects.exists()
    client.post(f"/models/{model.pk}/evaluate", {"version": version.pk, "split": "held-out"})
    assert Evaluation.objects.get().split == "held-out"


def asked(model: TrainedModel, version: Version, split: str = "validation") -> work.Evaluate:
    """An evaluation as the worker begins it."""
    of = {"owner": version.created_by, "model": model, "identity": model.identity, "version": version}
    return work.Evaluate(Evaluation.objects.create(**of, split=split))


def test_an_evaluation_is_compared_with_that_of_the_promoted_model_on_the_same_pictures(
    admin: User, version: Version
) -> None:
    old, model = add("plates"), add("mugs")
    measure(old, version, passed=True)
    newest = measure(old, version, passed=True)
    measure(old, version, passed=True, split="test")
    assert "--against" not in asked(model, version).command()  # nobody has promoted it yet
    promotion.promote(old, admin)
    command = asked(model, version).command()
    assert command[command.index("--against") + 1] == str(newest.path / "report.json")
    assert "--against" not in asked(old, version).command()
    shutil.rmtree(newest.path)
    command = asked(model, version).command()
    assert command[command.index("--against") + 1] != str(newest.path / "report.json")


@pytest.mark.parametrize(
    ("promoted", "on", "said"),
    [
        ("", "", "No model was offered first when this was measured"),
        ("mugs", "validation", "It was offered first itself when this was measured"),
        ("plates", "", "plates, which was offered first, had not been measured: evaluate it, then this one."),
        ("plates", "test", "plates, which was offered first, had been measured on other pictures"),
    ],
)
def test_without_a_comparison_the_page_says_why(
    promoted: str, on: str, said: str, visitor: Visitor, admin: User, version: Version
) -> None:
    found = {name: add(name) for name in ("plates", "mugs")}
    if promoted:
        promotion.promote(found[promoted], admin, reason="x")
    if on:
        measure(found[promoted], version, passed=True, split=on)
    evaluation = measure(found["mugs"], version, passed=True)
    page = visitor("viewer").get(f"/models/{found['mugs'].pk}").content.decode()
    assert said in page
    assert "Compared with" not in page
    assert evaluating.report(evaluation)["not_against"].startswith(said)


def test_a_comparison_stands_on_the_page_of_the_model(visitor: Visitor, admin: User, version: Version) -> None:
    old, model, client = add("plates"), add("mugs"), visitor("viewer")
    measure(old, version, passed=True)
    promotion.promote(old, admin)
    found = {"frechet": "better", "precision": "worse", "swap": "unclear"}
    evaluation = measure(model, version, passed=True, against={"model_name": "plates id-plates", "summary": found})
    page = client.get(f"/models/{model.pk}").content.decode()
    assert "Compared with plates, which was offered first" in page
    assert re.findall(r'<span>([^<]+)</span> <span class="badge([^"]*)">([a-z ]+)<', page)[-3:] == [
        ("Distance to real pictures (small is good)", " good", "better"),
        ("Realism (precision)", " bad", "worse"),
        ("Notices a swapped word", "", "no clear difference"),
    ]
    assert evaluating.report(evaluation)["not_against"] == ""


def test_every_metric_that_is_compared_has_words() -> None:
    assert set(against._METRICS) == set(COMPARED)
    assert set(against._DIRECTIONS) == set(get_args(Direction))


def test_a_comparison_that_cannot_be_made_keeps_nobody_from_being_measured(
    visitor: Visitor, admin: User, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, model = add("plates"), add("mugs")
    measure(old, version, passed=True)
    promotion.promote(old, admin)
    visitor("creator").post(f"/models/{model.pk}/evaluate", {"version": version.pk, "split": "validation"})
    real, asked_for = work.Evaluate.command, []
    report = {"gates": [], "gates_passed": False, "verdict": "good", "protocol": {"model": model.identity}}
    code = f"""
import pathlib, sys
if "--against" in sys.argv:
    print("bespoke: --against report.json: measured by other judges; do this", file=sys.stderr)
    sys.exit(2)
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
out.mkdir()
for name in ("report.json", "report.ja.json"):
    (out / name).write_text({json.dumps(report)!r})
"""

    def command(self: work.Evaluate) -> list[str]:
        asked_for.append(real(self))
        return [sys.executable, "-c", code, *asked_for[-1][3:]]

    monkeypatch.setattr(work.Evaluate, "command", command)
    desk = worker.Desk((work.Evaluate,))
    desk.tick()
    while desk.work is not None:
        time.sleep(0.02)
        desk.tick()
    assert ["--against" in each for each in asked_for] == [True, False]
    row = Evaluation.objects.get(model=model)
    assert (row.state, row.attempts) == ("done", 1)
    page = visitor("viewer").get(f"/models/{model.pk}").content.decode()
    assert "plates, which was offered first, had been measured in another way" in page


def test_a_report_on_other_weights_is_not_taken(version: Version) -> None:
    model = add("mugs")
    Evaluation.objects.create(owner=version.created_by, model=model, identity="id-mugs", version=version, split="test")
    row = jobs.claim(Evaluation)
    assert row is not None
    task = work.Evaluate(row)
    task.out.mkdir()
    (task.out / "report.json").write_text(json.dumps({"protocol": {"model": "other"}}))
    task.hand_in()
    row.refresh_from_db()
    assert (row.state, row.passed) == ("failed", None)


def test_a_comparison_draws_the_same_texts_and_seeds_once_and_stays_out_of_the_gallery(
    visitor: Visitor, version: Version
) -> None:
    first, second, client = add("mugs"), add("plates", registered_at=None), visitor("creator")
    asked = {"key": str(uuid.uuid4()), "first": first.pk, "second": second.pk, "balance": "0.7", "seed": "7"}
    asked["texts"] = "a red cup\n\n a blue cup \na red cup"
    for _ in range(2):  # the button pressed twice
        answer = client.post("/models/compare", asked)
    made = Comparison.objects.get()
    assert answer["Location"] == f"/comparisons/{made.pk}"
    assert Job.objects.count() == 4
    pairs = comparing.pairs(made)
    assert [pair.text for pair in pairs] == ["a red cup", "a blue cup"]
    for number, pair in enumerate(pairs):
        assert pair.first is not None
        assert pair.second is not None
        assert pair.first.seed == pair.second.seed == 7 + number
        assert (pair.first.model, pair.second.model) == (first, second)
    assert "data-poll" in client.get(answer["Location"]).content.decode()
    while (job := jobs.claim()) is not None:
        told = {"sha256": "", "seed": job.seed, "alignment": 0.5, "model_name": "m"}
        jobs.finish(job, [Picture(job=job, number=0, file="none.png", **told)], [])
    page = client.get(f"{answer['Location']}/state").content.decode()
    assert page.count("<img") == 4
    assert "data-poll" not in page
    assert client.get("/gallery").content.decode().count('class="tile"') == 0


def test_a_wrong_or_crowded_comparison_orders_nothing(
    visitor: Visitor, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, client = add("mugs"), visitor("creator")
    asked = {"key": str(uuid.uuid4()), "first": model.pk, "second": model.pk, "balance": "0.5", "texts": "a"}
    for wrong in ({"texts": " \n"}, {"texts": "\n".join("abcdefghi")}, {"texts": "x" * 1001}, {"balance": "2"}):
        assert client.post("/models/compare", asked | wrong).status_code == 422, wrong
    monkeypatch.setattr(jobs, "MOST_WAITING", 1)
    assert client.post("/models/compare", asked).status_code == 429
    assert not Job.objects.exists()
    assert not Comparison.objects.exists()


def test_the_card_is_read_as_text_whatever_it_holds(tmp_path: Path) -> None:
    (tmp_path / "MODEL_CARD.md").write_text("# Model card\n\nA model.\n\n- <b>one</b>\n", "utf-8")
    assert card_lines(tmp_path) == [("title", "Model card"), ("text", "A model."), ("item", "<b>one</b>")]
    told = "# Base\n\nA model,\nof ours.\n\n| | |\n|---|---|\n| for | trying |\n\n## Measured\nIt was.\n"
    (tmp_path / "MODEL_CARD.md").write_text(told, "utf-8")
    shown = [("text", "A model, of ours."), ("row", "for · trying"), ("part", "Measured"), ("text", "It was.")]
    assert card_lines(tmp_path)[1:] == shown
    assert card_lines(tmp_path / "none") == []
