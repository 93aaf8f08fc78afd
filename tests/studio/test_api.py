from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bespoke.studio import jobs
from bespoke.studio.limits import LARGEST_SEED
from bespoke.studio.models import Job, TrainedModel
from bespoke.studio.tokens import make_token

Visitor = Callable[[str], Client]
Call = Callable[..., Any]


@pytest.fixture
def call(visitor: Visitor) -> Call:
    """Posts an order as a creator; nobody draws it, so a right one fails at once."""
    visitor("creator")
    TrainedModel.objects.create(name="mugs", identity="abc", stamp="1", image_size=32, registered_at=timezone.now())
    headers = {"Authorization": f"Bearer {make_token(User.objects.get(username='creator'), 'test')}"}

    def post(**changed: object) -> Any:
        body = {"model": "mugs", "prompt": "a red cup"} | changed
        return Client().post("/v1/images/generations", body, content_type="application/json", headers=headers)

    return post


def test_a_job_that_nobody_draws_is_told_so_and_not_ordered_again(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bespoke.studio.api.openai.WAIT_SECONDS", 0.01)
    answer = call(n=3, seed=LARGEST_SEED, balance=0, best_of=2, user="somebody", quality="hd", size="32x32")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    assert answer["X-Should-Retry"] == "false"
    assert "still waits" in answer.json()["error"]["message"]
    job = Job.objects.get()
    assert (job.num_images, job.seed, job.balance, job.best_of) == (3, LARGEST_SEED, 0, 2)


def test_a_job_that_fails_says_why(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    real = jobs.enqueue

    def enqueue_and_fail(**asked: Any) -> Job:
        made = real(**asked)
        taken = jobs.claim()
        assert taken is not None
        jobs.fail(taken, "model mugs has changed")
        return made

    monkeypatch.setattr(jobs, "enqueue", enqueue_and_fail)
    answer = call()
    assert answer.status_code == 500
    assert "model mugs has changed" in answer.json()["error"]["message"]
    assert answer.json()["error"]["type"] == "server_error"


@pytest.mark.parametrize(
    ("changed", "status", "told"),
    [
        ({"model": "cups"}, 404, "model 'cups': not registered here; GET /v1/models lists those that are"),
        ({"model": None}, 400, "model: "),
        ({"prompt": " "}, 400, "prompt: empty; say what to draw"),
        ({"prompt": "a\0b"}, 400, "prompt: holds a character that is none"),
        ({"prompt": "a" * 1001}, 400, "prompt: "),
        ({"n": 11}, 400, "n: "),
        ({"n": "many"}, 400, "n: "),
        ({"balance": 1.01}, 400, "balance: "),
        ({"seed": -1}, 400, "seed: "),
        ({"best_of": 65}, 400, "best_of: "),
        ({"size": "1024x1024"}, 400, "size '1024x1024': this model draws 32x32"),
        ({"response_format": "url"}, 400, "response_format: "),
        ({"stream": True}, 400, "stream: "),
    ],
)
def test_a_wrong_order_is_refused_in_openai_s_form(call: Call, changed: dict[str, Any], status: int, told: str) -> None:
    answer = call(**changed)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["message"].startswith(told)
    assert error["type"] == "invalid_request_error"
    assert not Job.objects.exists()


def test_what_is_no_json_is_refused(call: Call) -> None:
    token = make_token(User.objects.get(), "other")
    for body in (b"{", b"\xff\xfe", b'{"prompt": "\\ud800", "model": "mugs"}', b"[1]", b""):
        answer = Client().post(
            "/v1/images/generations",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 400, body
        assert answer.json()["error"]["message"]


def test_a_full_queue_says_when_to_come_back(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_WAITING", 0)
    answer = call()
    assert (answer.status_code, answer["Retry-After"]) == (429, "10")
    assert answer.json()["error"]["code"] == "queue_full"


def test_the_api_describes_itself(visitor: Visitor) -> None:
    client = visitor("viewer")
    described = client.get("/v1/openapi.json").json()
    assert set(described["paths"]) == {"/v1/models", "/v1/images/generations", "/v1/images/edits"}
    assert {"balance", "seed", "best_of"} <= described["components"]["schemas"]["Order"]["properties"].keys()
    assert described["components"]["securitySchemes"]["ByToken"]["scheme"] == "bearer"
    page = client.get("/v1/docs").content.decode()
    assert "//cdn" not in page
