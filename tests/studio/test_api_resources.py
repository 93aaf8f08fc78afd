"""What programs do under /api/: the same as people do on the pages, with the same outcome."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image
from reviewing import at, drawn, proposed

from bespoke.studio import jobs
from bespoke.studio.audit.models import Entry
from bespoke.studio.exports.models import Export
from bespoke.studio.models import Job, TrainedModel
from bespoke.studio.review import states
from bespoke.studio.tokens import make_token
from bespoke.studio.workshop.intake import NAMES
from bespoke.studio.workshop.models import Training, Upload

ROOT = Path(__file__).parent.parent.parent
Call = Callable[..., Any]


@pytest.fixture
def call(people: dict[str, Any]) -> Call:
    """Calls the API with a token of somebody of a role: `call("creator", "post", "jobs", model="mugs")`."""
    tokens = {role: make_token(user, "test") for role, user in people.items()}

    def ask(role: str, method: str, address: str, **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {tokens[role]}"}
        if method == "get":
            return Client().get(f"/api/{address}", given, headers=headers)
        return getattr(Client(), method)(
            f"/api/{address}", json.dumps(given), content_type="application/json", headers=headers
        )

    return ask


def wrong(answer: Any) -> tuple[int, str | None]:
    """Status and field of an error, which has the one shape that all have."""
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    return answer.status_code, error["param"]


def walk(call: Call, role: str, address: str, **given: Any) -> list[Any]:
    """All of a list, page by page."""
    found: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = call(role, "get", address, **given, **after).json()
        found += page["items"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


def test_a_program_orders_pictures_and_goes_on_with_other_things(call: Call, model: TrainedModel) -> None:
    asked = {"model": "mugs", "text": " a red cup ", "num_images": 2, "seed": 7, "balance": 0.25}
    asked["key"] = "11111111-1111-4111-8111-111111111111"
    answer = call("creator", "post", "jobs", **asked)
    assert answer.status_code == 202
    assert call("creator", "post", "jobs", **asked).json()["id"] == asked["key"]
    job = Job.objects.get()
    assert (job.text, job.num_images, job.seed, job.balance, job.best_of) == ("a red cup", 2, 7, 0.25, 1)
    told = call("viewer", "get", f"jobs/{job.pk}").json()
    assert (told["state"], told["owner"], told["pictures"]) == ("waiting", "creator", [])
    assert call("creator", "post", f"jobs/{job.pk}/cancel").json()["state"] == "failed"
    assert call("creator", "get", f"jobs/{job.pk}").json()["error"] == "cancelled"
    assert Entry.objects.filter(action="order.cancelled", subject=f"job {job.pk}").exists()


def test_nobody_cancels_somebody_else_s_order_or_one_that_is_being_drawn(
    call: Call, model: TrainedModel, visitor: Any
) -> None:
    from django.contrib.auth.models import User

    from bespoke.studio.access import set_role

    other = User.objects.create(username="other")
    set_role(other, "creator")
    asked = {"model": model, "text": "a cup", "num_images": 1, "balance": 0.5, "seed": 1, "best_of": 1}
    job = jobs.enqueue(owner=other, **asked)
    assert wrong(call("creator", "post", f"jobs/{job.pk}/cancel")) == (403, None)
    assert jobs.claim() is not None
    assert wrong(call("administrator", "post", f"jobs/{job.pk}/cancel")) == (409, None)
    job.refresh_from_db()
    assert job.state == "running"


@pytest.mark.parametrize(
    ("changed", "status", "param"),
    [
        ({"model": "cups"}, 404, "model"),
        ({"text": " "}, 400, "text"),
        ({"text": "a\0b"}, 400, "text"),
        ({"num_images": 11}, 400, "num_images"),
        ({"balance": 1.5}, 400, "balance"),
        ({"seed": -1}, 400, "seed"),
        ({"revises": 99}, 400, "revises"),
        ({"key": "mine"}, 400, "key"),
    ],
)
def test_a_wrong_order_names_the_field(
    call: Call, model: TrainedModel, changed: dict[str, Any], status: int, param: str
) -> None:
    assert wrong(call("creator", "post", "jobs", **({"model": "mugs", "text": "a cup"} | changed))) == (status, param)
    assert not Job.objects.exists()


def test_a_full_queue_and_blocked_words_are_refused_as_on_the_page(
    call: Call, model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = call("administrator", "post", "policy", kind="blocked", words="Gun").json()
    assert rule["words"] == "gun"
    answer = call("creator", "post", "jobs", model="mugs", text="a gun")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "blocked_words")
    assert wrong(call("administrator", "post", "policy", kind="disclaimer")) == (400, "sentence")
    assert [each["id"] for each in call("administrator", "get", "policy").json()] == [rule["id"]]
    assert call("administrator", "delete", f"policy/{rule['id']}").status_code == 204
    monkeypatch.setattr(jobs, "MOST_WAITING", 0)
    answer = call("creator", "post", "jobs", model="mugs", text="a gun")
    assert (answer.status_code, answer["Retry-After"]) == (429, "10")


def test_pictures_are_found_fetched_and_recalled(call: Call, model: TrainedModel, people: dict[str, Any]) -> None:
    job = drawn(model, people["creator"], 0.3, 0.4)
    drawn(model, people["creator"], 0.5, text="a blue vase")
    assert len(walk(call, "viewer", "pictures", limit=1)) == 3
    found = walk(call, "viewer", "pictures", q="cup red")
    assert {each["id"] for each in found} == {str(picture.pk) for picture in job.results}
    assert walk(call, "viewer", "pictures", model="none") == walk(call, "viewer", "pictures", state="approved") == []
    one = job.results[0]
    told = call("viewer", "get", f"pictures/{one.pk}").json()
    assert (told["job"], told["seed"], told["alignment"], told["recalled"]) == (str(job.pk), 7, 0.3, False)
    answer = call("viewer", "get", f"pictures/{one.pk}/file")
    with default_storage.open(one.file) as file:
        assert answer.content == file.read()
    assert answer["Content-Type"] == "image/png"
    assert call("administrator", "get", f"pictures/{one.pk}/recall", by="text").json()["pictures"] == 2
    assert call("administrator", "post", f"pictures/{one.pk}/recall", by="text", reason="no").json() == {"pictures": 2}
    assert call("viewer", "get", f"pictures/{one.pk}").json()["recalled"] is True
    assert wrong(call("administrator", "post", f"pictures/{one.pk}/recall", by="text", reason="")) == (400, "reason")


def test_a_picture_of_the_gallery_is_edited_by_its_text(
    call: Call, model: TrainedModel, people: dict[str, Any]
) -> None:
    picture = drawn(model, people["creator"], 0.3).results[0]
    asked = {"model": "mugs", "text": "a blue cup", "source": "a red cup", "strength": 0.4}
    assert wrong(call("creator", "post", f"pictures/{picture.pk}/edit", **asked)) == (400, "model")  # cannot edit
    TrainedModel.objects.update(edits=True)
    told = call("creator", "post", f"pictures/{picture.pk}/edit", **asked)
    assert told.status_code == 202
    edit = Job.objects.get(pk=told.json()["id"]).edit
    assert (edit.file, edit.source, edit.strength) == (picture.file, "a red cup", 0.4)
    default_storage.delete(picture.file)
    assert wrong(call("creator", "post", f"pictures/{picture.pk}/edit", **asked)) == (409, None)


def test_a_picture_that_somebody_likes_is_drawn_anew(call: Call, model: TrainedModel, people: dict[str, Any]) -> None:
    picture = drawn(model, people["creator"], 0.3).results[0]
    asked = {"by": "balances", "key": "11111111-1111-4111-8111-111111111111"}
    made = call("creator", "post", f"pictures/{picture.pk}/vary", **asked)
    assert made.status_code == 202
    assert {job["seed"] for job in made.json()} == {picture.seed}
    assert picture.job.balance not in [job["balance"] for job in made.json()]
    assert call("creator", "post", f"pictures/{picture.pk}/vary", **asked).json() == made.json()
    assert Job.objects.filter(varies=picture).count() == len(made.json()) > 1
    TrainedModel.objects.update(identity="new")
    assert wrong(call("creator", "post", f"pictures/{picture.pk}/vary")) == (409, None)


def test_a_list_is_ordered_followed_and_cancelled(call: Call, model: TrainedModel, people: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {make_token(people['creator'], 'list')}"}

    def send(rows: str, **fields: str) -> Any:
        table = SimpleUploadedFile("cups.csv", f"text\n{rows}".encode())
        return Client().post("/api/lists", {"model": "mugs", "table": table} | fields, headers=headers)

    answer = send("a red cup\na blue cup\n", seed="5", num_images="2")
    assert answer.status_code == 202
    told = answer.json()
    assert (told["name"], told["owner"], told["rows"]["waiting"]) == ("cups.csv", "creator", 2)
    made = walk(call, "viewer", "jobs", of_list=told["id"], limit=1)
    assert {(job["text"], job["seed"]) for job in made} == {("a red cup", 5), ("a blue cup", 7)}
    assert [each["id"] for each in walk(call, "viewer", "lists")] == [told["id"]]
    assert call("creator", "post", f"lists/{told['id']}/cancel").json()["rows"]["cancelled"] == 2
    long = "a" * 1001
    assert wrong(send(f"a cup\n{long}\n")) == (400, "table")
    assert send(f"a cup\n{long}\n", skip_bad="true").json()["rows"]["total"] == 1
    assert wrong(send("")) == (400, "table")
    assert wrong(send("a cup\n", model="cups")) == (404, "model")
    assert wrong(Client().post("/api/lists", {"model": "mugs"}, headers=headers))[0] == 400


def test_a_picture_goes_through_review_and_out(call: Call, model: TrainedModel, people: dict[str, Any]) -> None:
    job = drawn(model, people["creator"], 0.3, 0.1)
    keys = [str(picture.pk) for picture in job.results]
    (good, bad) = call("creator", "post", "reviews", pictures=keys, product_line="mugs").json()
    assert (good["state"], good["turn"], good["passed"], bad["passed"]) == ("proposed", 0, True, False)
    assert call("creator", "post", "reviews", pictures=keys).json() == []  # before
    assert [each["id"] for each in walk(call, "reviewer", "reviews", limit=1)] == [good["id"], bad["id"]]

    def decide(review: dict[str, Any], move: str, turn: int, **told: str) -> Any:
        return call("reviewer", "post", f"reviews/{review['id']}/decide", move=move, turn=turn, **told)

    assert wrong(decide(good, "approve", 0)) == (409, None)  # nobody has taken it
    assert decide(good, "take", 0).json()["moves"] == ["take", "put_back", "approve", "revise", "reject"]
    assert wrong(decide(good, "approve", 0)) == (409, None)  # it has moved meanwhile
    assert wrong(decide(good, "revise", 1)) == (400, "note")
    assert decide(good, "approve", 1).json()["state"] == "approved"
    many = call("reviewer", "post", "reviews/many", move="take", reviews=[{"id": bad["id"], "turn": 0}])
    assert many.json() == {"done": 1, "refused": 0}
    assert wrong(decide(bad, "approve", 1)) == (409, "override")  # its gate is closed
    assert decide(bad, "revise", 1, reason="color", note="more red").json()["decided_by"] == "reviewer"

    answer = call("creator", "post", "exports", reviews=[good["id"]], purpose="shop")
    assert answer.content.startswith(b"\x89PNG")
    made = Export.objects.get()
    assert (answer["X-Export-ID"], made.by, made.purpose) == (str(made.pk), people["creator"], "shop")
    (told,) = call("viewer", "get", "exports").json()["items"]
    assert [each["picture"] for each in told["pictures"]] == [good["picture"]]
    assert wrong(call("creator", "post", "exports", reviews=[bad["id"]], purpose="shop")) == (409, "reviews")
    assert wrong(call("creator", "post", "exports", reviews=[good["id"]], purpose=" ")) == (400, "purpose")


def test_reviews_are_assigned_withdrawn_and_revised(call: Call, model: TrainedModel, people: dict[str, Any]) -> None:
    first, second = proposed(model, people), proposed(model, people, text="a blue cup")
    chosen = [{"id": first.pk, "turn": 0}, {"id": 999, "turn": 0}]
    assert wrong(call("reviewer", "post", "reviews/many", move="assign", to="nobody", reviews=chosen)) == (400, "to")
    answer = call("administrator", "post", "reviews/many", move="assign", to="reviewer", reviews=chosen)
    assert answer.json() == {"done": 1, "refused": 1}
    assert call("reviewer", "get", "reviews", list="mine").json()["items"][0]["id"] == first.pk
    assert wrong(call("creator", "post", f"reviews/{second.pk}/withdraw", turn=3)) == (409, None)
    assert call("creator", "post", f"reviews/{second.pk}/withdraw", turn=0).json()["state"] == "withdrawn"
    revise = at(proposed(model, people, text="a tall cup"), states.REVISE, people)
    made = call("creator", "post", "jobs", model="mugs", text="a taller cup", revises=revise.pk)
    assert Job.objects.get(pk=made.json()["id"]).round.revises == revise


def test_figures_are_those_of_the_page(call: Call, model: TrainedModel, people: dict[str, Any]) -> None:
    prices = {"bought_picture": 4000, "bought_revision": 1500, "own_round": 300, "own_picture": 1}
    assert call("administrator", "post", "kpi/prices", **prices).json()["currency"] == "JPY"
    at(proposed(model, people), states.APPROVED, people)
    at(proposed(model, people), states.REVISE, people)
    told = call("viewer", "get", "kpi", product_line="mugs").json()
    assert (told["total"]["decided"], told["total"]["revisions_per_approved"]) == (2, 1.0)
    assert told["total"]["bought_cost"] == 5500
    assert [each["name"] for each in told["product_lines"]] == ["mugs"]
    assert [each["name"] for each in told["models"]] == ["mugs abc"]
    assert len(told["weeks"]) == 13
    assert call("viewer", "get", "kpi", product_line="vases").json()["total"]["decided"] == 0
    assert call("administrator", "get", "kpi/prices").json()[0]["own_round"] == 300


def test_the_log_is_read_narrowed_taken_away_and_verified(call: Call, model: TrainedModel) -> None:
    for number in range(3):
        call("creator", "post", "jobs", model="mugs", text=f"cup {number}")
    rows = walk(call, "administrator", "audit", limit=2)
    assert [row["number"] for row in rows] == sorted((row["number"] for row in rows), reverse=True)
    orders = walk(call, "administrator", "audit", limit=1, action="order.made", actor="creator")
    assert [row["actor"] for row in orders] == ["creator"] * 3
    assert wrong(call("administrator", "get", "audit", actor="nobody")) == (400, "actor")
    assert wrong(call("administrator", "get", "audit", action="nothing")) == (400, "action")
    lines = call("administrator", "get", "audit/export", format="jsonl", action="order.made").content.splitlines()
    assert [json.loads(line)["number"] for line in lines] == sorted(row["number"] for row in orders)
    found = call("administrator", "post", "audit/verify").json()
    assert (found["holds"], found["holding"]) == (True, Entry.objects.count())
    known = {str(rows[0]["number"]): "0" * 64}
    assert call("administrator", "post", "audit/verify", known=known).json()["holds"] is False


def test_a_catalogue_is_read_and_mended(call: Call, version: Any) -> None:
    (listed,) = walk(call, "viewer", "catalogues")
    assert (listed["name"], listed["newest"]["id"], listed["newest"]["frozen"]) == ("Cups", version.pk, False)
    pictures = walk(call, "viewer", f"versions/{version.pk}/pictures", limit=2)
    assert [each["captions"] for each in pictures] == [["a red cup"], ["a green cup"], ["a blue cup"]]
    assert [each["number"] for each in walk(call, "viewer", f"versions/{version.pk}/pictures", q="blue CUP")] == [3]
    red, _green, blue = (each["file"] for each in pictures)
    answer = call("viewer", "get", f"versions/{version.pk}/pictures/{red}")
    assert answer.content == (version.path / red).read_bytes()
    assert wrong(call("viewer", "get", f"versions/{version.pk}/pictures/metadata.jsonl"))[0] == 404
    address = f"versions/{version.pk}/captions"
    told = call("creator", "post", address, captions={red: ["a scarlet cup", "a cup"]}, take_out=[blue]).json()
    assert (told["id"], told["num_pictures"]) == (version.pk, 2)
    assert walk(call, "viewer", f"versions/{version.pk}/pictures")[0]["captions"] == ["a scarlet cup", "a cup"]
    assert wrong(call("creator", "post", address, captions={red: ["a" * 1001]})) == (400, "captions")
    assert wrong(call("viewer", "get", f"versions/{version.pk}/report"))[0] == 404
    assert call("creator", "post", f"versions/{version.pk}/check").status_code == 202
    assert version.checks.count() == 1  # mending has asked the doctor already


def test_a_catalogue_is_sent_in_one_request(call: Call, people: dict[str, Any], version: Any) -> None:
    headers = {"Authorization": f"Bearer {make_token(people['creator'], 'upload')}"}
    picture = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(picture, "PNG")

    def send(**fields: Any) -> Any:
        files = [SimpleUploadedFile("a.png", picture.getvalue()), SimpleUploadedFile("b.png", picture.getvalue())]
        table = SimpleUploadedFile("a.csv", b"file_name,text\na.png,a cup\n")
        return Client().post("/api/uploads", {"pictures": files, "table": table} | fields, headers=headers)

    answer = send(name="Plates", skip_bad="true")
    assert answer.status_code == 202
    made = Upload.objects.get()
    assert (answer.json()["id"], made.name, made.owner) == (str(made.pk), "Plates", people["creator"])
    assert list(json.loads((made.path / NAMES).read_text("utf-8")).values()) == ["a.png", "b.png", "a.csv"]
    assert call("viewer", "get", f"uploads/{made.pk}").json()["state"] == "waiting"
    assert send(adds_to=str(version.catalogue_id)).status_code == 202
    assert wrong(send(adds_to="99")) == (404, "adds_to")
    assert wrong(send(name="Cups")) == (400, "name")
    assert wrong(send()) == (400, "name")
    assert len(list(made.path.parent.iterdir())) == 2  # what was refused is gone


def test_a_training_is_started_watched_stopped_and_resumed(call: Call, version: Any, model: TrainedModel) -> None:
    answer = call("creator", "post", "trainings", version=version.pk, minutes=2.5, base="mugs")
    assert answer.status_code == 202
    made = Training.objects.get()
    assert (made.minutes, made.base, made.run) == (2.5, model, "cups-v1")
    told = call("viewer", "get", f"trainings/{made.pk}").json()
    assert (told["state"], told["base"], told["share"], told["images"]) == ("waiting", "mugs", 0, 0)
    assert call("creator", "post", f"trainings/{made.pk}/stop").json()["stopping"] is True
    Training.objects.update(state="done")
    assert call("creator", "post", f"trainings/{made.pk}/resume").json()["state"] == "waiting"
    assert walk(call, "viewer", "trainings", version=version.pk)[0]["id"] == str(made.pk)
    assert call("viewer", "get", f"versions/{version.pk}").json()["frozen"] is True
    assert wrong(call("viewer", "get", f"trainings/{made.pk}/sheet"))[0] == 404
    assert wrong(call("creator", "post", "trainings", version=999)) == (404, "version")
    assert wrong(call("creator", "post", "trainings", version=version.pk, base="cups")) == (404, "base")
    assert wrong(call("creator", "post", "trainings", version=version.pk, preset="huge")) == (400, "preset")


def test_a_model_is_registered_measured_promoted_limited_and_rolled_back(
    call: Call, version: Any, model: TrainedModel
) -> None:
    other = TrainedModel.objects.create(name="vases", identity="def", stamp="1")
    assert wrong(call("administrator", "post", f"models/{other.pk}/register", identity="old")) == (409, "identity")
    told = call("administrator", "post", f"models/{other.pk}/register", identity="def").json()
    assert told["registered_at"] is not None
    assert wrong(call("administrator", "post", f"models/{model.pk}/promote")) == (409, "reason")
    for each in (model, other):
        assert call("administrator", "post", f"models/{each.pk}/promote", reason="shown").json()["first"] is True
    assert [each["reason"] for each in call("viewer", "get", f"models/{other.pk}").json()["promotions"]] == ["shown"]
    assert call("administrator", "post", "models/roll-back").json()["name"] == "mugs"
    assert wrong(call("administrator", "post", "models/roll-back")) == (409, None)
    told = call("administrator", "post", f"models/{other.pk}/audience", limited=True, people=["creator"]).json()
    assert (told["limited"], told["people"]) == (True, ["creator"])
    answer = call("administrator", "post", f"models/{other.pk}/audience", limited=True, people=["no"])
    assert wrong(answer) == (400, "people")
    asked = {"version": version.pk, "split": "test"}
    measured = call("creator", "post", f"models/{model.pk}/evaluations", **asked).json()
    assert walk(call, "viewer", f"models/{model.pk}/evaluations") == [measured]
    assert wrong(call("viewer", "get", f"evaluations/{measured['id']}/report"))[0] == 404
    assert call("administrator", "post", f"models/{model.pk}/limits", alignment=0.4).status_code == 202
    assert call("administrator", "get", f"models/{model.pk}/limits").json()[0]["alignment"] == 0.4
    assert wrong(call("administrator", "post", f"models/{model.pk}/limits")) == (400, "version")
    assert call("administrator", "post", f"models/{other.pk}/withdraw").json()["registered_at"] is None


def test_two_models_draw_the_same_texts(call: Call, model: TrainedModel) -> None:
    of = {"name": "vases", "identity": "def", "stamp": "1", "registered_at": timezone.now()}
    TrainedModel.objects.create(**of)
    made = call("creator", "post", "comparisons", first="mugs", second="vases", texts=["a cup", "a vase"], seed=3)
    assert made.status_code == 202
    told = call("viewer", "get", f"comparisons/{made.json()['id']}").json()
    assert [(pair["text"], pair["first"]["seed"], pair["second"]["seed"]) for pair in told["pairs"]] == [
        ("a cup", 3, 3),
        ("a vase", 4, 4),
    ]
    assert walk(call, "viewer", "jobs") == []  # they are trials
    assert wrong(call("creator", "post", "comparisons", first="cups", second="mugs", texts=["a"])) == (404, "first")


def test_a_list_stays_in_order_while_it_grows(call: Call, model: TrainedModel, people: dict[str, Any]) -> None:
    for number in range(3):
        call("creator", "post", "jobs", model="mugs", text=f"cup {number}")
    first = call("viewer", "get", "jobs", limit=2).json()
    call("creator", "post", "jobs", model="mugs", text="a later cup")
    second = call("viewer", "get", "jobs", limit=2, after=first["next"]).json()
    assert [job["text"] for job in first["items"] + second["items"]] == ["cup 2", "cup 1", "cup 0"]
    forged = [
        base64.urlsafe_b64encode(told).decode() for told in (b"{}", b'["a","b"]', b"[1]", b"[[1],2]", b'["\\u0000",1]')
    ]
    for after in ("x", "=", *forged):
        assert wrong(call("viewer", "get", "jobs", after=after)) == (400, "after"), after
    assert wrong(call("viewer", "get", "jobs", limit=0)) == (400, "limit")


def test_errors_have_one_shape_wherever_they_come_from(call: Call, model: TrainedModel) -> None:
    assert wrong(Client().get("/api/jobs")) == (401, None)
    assert wrong(call("viewer", "post", "jobs", model="mugs", text="a cup")) == (403, None)
    assert wrong(call("viewer", "get", "models/999"))[0] == 404
    assert wrong(call("viewer", "get", f"models/{2**70}"))[0] == 404
    assert wrong(call("viewer", "get", "nothing"))[0] == 404
    answer = call("administrator", "delete", "jobs")
    assert (wrong(answer), answer["Allow"]) == ((405, None), "GET, POST")


def test_what_is_too_large_is_told_in_that_shape_too() -> None:
    from bespoke.studio.bodies import MOST_BYTES, limited

    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    async def receive() -> dict[str, Any]:
        return {"body": b"x" * (MOST_BYTES + 1)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api/jobs", "headers": []}
    asyncio.run(limited(app)(scope, receive, send))
    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["error"]["message"].startswith("more was sent than is taken here")


def test_the_description_is_for_people_and_programs_and_comes_from_here(call: Call, visitor: Any) -> None:
    assert Client().get("/api/openapi.json").status_code == 401
    described = call("viewer", "get", "openapi.json").json()
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["description"] for operation in operations)
    page = visitor("viewer").get("/api/docs").content.decode()
    assert "//" not in page.replace("http://www.w3.org", "")
    assert Client().get("/api/docs").status_code == 302


def test_no_two_shapes_of_the_description_share_a_name() -> None:
    from importlib import import_module
    from pkgutil import iter_modules

    from bespoke.studio import api

    seen: dict[str, str] = {}
    described = resources_shapes()
    for module in iter_modules(api.__path__):
        loaded = import_module(f"bespoke.studio.api.{module.name}")
        for name, shape in vars(loaded).items():
            if name in described and getattr(shape, "__module__", "") == loaded.__name__ and module.name != "openai":
                assert seen.setdefault(name, module.name) == module.name


def resources_shapes() -> set[str]:
    """Names that answers and bodies refer to."""
    from bespoke.studio.api.resources import api

    text = json.dumps(api.get_openapi_schema(), default=str)
    return {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}


def test_no_case_of_a_fuzzer_breaks_it() -> None:
    asked = [sys.executable, "benchmarks/fuzz_api.py", "--cases", "124"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(asked, cwd=ROOT, env=env, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "0 operations" not in ended.stdout
