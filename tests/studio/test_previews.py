"""Unknown words and previews: what the worker's thread answers, and what the page makes of it."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Client as Caller
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from PIL import Image

from bespoke.errors import UserError
from bespoke.pipeline import Pipeline
from bespoke.provenance import read_mark
from bespoke.studio import loaded, registry
from bespoke.studio.home import SOCKET
from bespoke.studio.limits import BALANCES
from bespoke.studio.loaded import Loaded
from bespoke.studio.models import Job, Picture, TrainedModel
from bespoke.studio.policy.policy import add
from bespoke.studio.previews import answering, asking
from bespoke.studio.tokens import make_token

Visitor = Callable[[str], Client]


@pytest.fixture
def known(trained: Path, database: None) -> Iterator[TrainedModel]:
    """A registered model."""
    shutil.copytree(trained, settings.HOME.models / "mugs")
    registry.scan(settings.HOME.models)
    TrainedModel.objects.update(registered_at=timezone.now())
    yield TrainedModel.objects.get()
    shutil.rmtree(settings.HOME.models / "mugs")


@pytest.fixture
def worker(known: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address at which a worker's thread answers; what people have asked before is forgotten."""
    address = str(tmp_path / "worker")
    monkeypatch.setenv(SOCKET, address)
    for name, most in (("_words", asking.MOST_WORDS), ("_previews", asking.MOST_PREVIEWS)):
        monkeypatch.setattr(asking, name, asking.Pace(most))
    listener = answering.serve(Loaded(settings.HOME.models), address)
    yield address
    listener.close()


def asked_for(client: Client, model: TrainedModel, text: str, where: str = "preview", **more: Any) -> Any:
    headers = {"X-Part": "1"}
    return client.post(f"/create/{where}", {"text": text, "model": model.pk, **more}, headers=headers)


def test_words_that_the_model_does_not_know_are_told_in_either_language(
    visitor: Visitor, known: TrainedModel, worker: str
) -> None:
    client = visitor("creator")
    told = asked_for(client, known, "a red Zebra", "words").content.decode()
    assert "The model has never seen these words and guesses:" in told
    assert re.findall(r"<b data-word>(.*?)</b>", told) == ["zebra"]
    client.post("/language", {"language": "ja"})
    told = asked_for(client, known, "シマウマ", "words").content.decode()
    assert "学習時に一度も現れなかった" in told
    assert "<b data-word>シマウマ</b>" in told
    assert asked_for(client, known, "a red mug", "words").content.decode().strip() == ""
    assert asked_for(client, known, "  ", "words").content.decode().strip() == ""


def test_a_preview_is_what_an_order_of_this_seed_draws_at_five_balances_and_nothing_is_kept(
    visitor: Visitor, known: TrainedModel, worker: str, tmp_path: Path
) -> None:
    stored = sorted(settings.HOME.pictures.rglob("*"))
    answer = asked_for(visitor("creator"), known, "a red mug", seed=7)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    shown = re.findall(r'name="balance" value="([\d.]+)".*?base64,([\w+/=]+)"', answer.content.decode())
    assert [float(balance) for balance, _ in shown] == list(BALANCES)
    pipeline = Pipeline.from_pretrained(settings.HOME.models / "mugs")
    for balance, encoded in shown:
        file = tmp_path / f"{balance}.png"
        file.write_bytes(base64.b64decode(encoded))
        (wanted,) = pipeline("a red mug", balance=float(balance), seed=7).images
        with Image.open(io.BytesIO(file.read_bytes())) as picture:
            assert picture.tobytes() == wanted.tobytes()
        told = read_mark(file)
        assert told["digital_source_type"].endswith("trainedAlgorithmicMedia")
        assert told["chain"]["preview"] is True
    assert "Preview only: these pictures are not kept." in answer.content.decode()
    assert not Job.objects.exists()
    assert not Picture.objects.exists()
    assert sorted(settings.HOME.pictures.rglob("*")) == stored


def test_without_a_script_the_whole_page_comes_back_with_preview_words_and_the_chosen_balance(
    visitor: Visitor, known: TrainedModel, worker: str
) -> None:
    asked = {"key": "11111111-1111-4111-8111-111111111111", "model": known.pk, "num_images": "3", "best_of": "1"}
    # The slider's value, then that of the preview that was clicked.
    asked |= {"text": "a red zebra", "balance": ["0.50", "0.25"]}
    page = visitor("creator").post("/create/preview", asked).content.decode()
    assert page.count('class="try"') == 5
    assert "<b data-word>zebra</b>" in page
    assert re.search(r'type="range" name="balance" value="0.25"', page)
    assert re.search(r'name="num_images" value="3"', page)
    assert "a red zebra</textarea>" in page


def test_blocked_words_hold_for_previews_as_for_orders(
    visitor: Visitor, known: TrainedModel, worker: str, people: dict[str, Any]
) -> None:
    add(people["administrator"], kind="blocked", words="gun", sentence="", roles=["creator"])
    client = visitor("creator")
    answer = asked_for(client, known, "a red gun")
    assert answer.status_code == 422
    assert "base64" not in answer.content.decode()
    told = asked_for(client, known, "a red gun", "words").content.decode()
    assert "Our rules do not allow this: <b data-word>gun</b>" in told
    assert asked_for(visitor("administrator"), known, "a red gun").status_code == 200


def test_who_asks_too_often_is_told_to_wait_and_others_are_not(
    visitor: Visitor, known: TrainedModel, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_previews", asking.Pace(2))
    creator = visitor("creator")
    assert [asked_for(creator, known, "a mug").status_code for _ in range(3)] == [200, 200, 429]
    assert "Too many previews at once" in asked_for(creator, known, "a mug").content.decode()
    assert asked_for(visitor("administrator"), known, "a mug").status_code == 200
    monkeypatch.setattr(asking, "WINDOW_SECONDS", 0.0)
    assert asked_for(creator, known, "a mug").status_code == 200


def test_no_more_than_a_few_wait_for_the_worker(
    visitor: Visitor, known: TrainedModel, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.05)
    for _ in range(asking.MOST_AT_ONCE):
        assert asking._free.acquire(blocking=False)
    try:
        assert asked_for(visitor("creator"), known, "a mug").status_code == 429
    finally:
        asking._free.release(asking.MOST_AT_ONCE)


def test_without_a_worker_the_page_says_so_and_works(
    visitor: Visitor, known: TrainedModel, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visitor("creator")
    for address in (f"{worker}-nobody", None):
        monkeypatch.setenv(SOCKET, address) if address else monkeypatch.delenv(SOCKET)
        answer = asked_for(client, known, "a mug")
        assert answer.status_code == 503
        assert "orders are drawn all the same" in answer.content.decode()
        assert asked_for(client, known, "a mug", "words").status_code == 503


def called(client: Client, role: str, address: str, **given: Any) -> Any:
    """The same question by a program, with a token of who has this role."""
    headers = {"Authorization": f"Bearer {make_token(User.objects.get(username=role), 'test')}"}
    given = {"model": "mugs", "text": "a red mug"} | given
    return client.post(f"/api/{address}", json.dumps(given), content_type="application/json", headers=headers)


def test_a_program_gets_the_very_previews_of_the_page(visitor: Visitor, known: TrainedModel, worker: str) -> None:
    page = asked_for(visitor("creator"), known, "a red zebra", seed=7).content.decode()
    shown = re.findall(r'name="balance" value="([\d.]+)".*?base64,([\w+/=]+)"', page)
    answer = called(Client(), "creator", "previews", text="a red zebra", seed=7)
    told = answer.json()
    assert answer.status_code == 200
    assert [(f"{each['balance']:.2f}", each["b64_png"]) for each in told["pictures"]] == shown
    assert (told["seed"], told["unknown_words"]) == (7, ["zebra"])
    assert called(Client(), "creator", "previews").json()["seed"] == asking.SEED
    assert not Job.objects.exists()


def test_a_program_learns_which_words_are_unknown_or_not_liked(
    visitor: Visitor, known: TrainedModel, worker: str, people: dict[str, Any]
) -> None:
    for kind, words in (("blocked", "gun"), ("warned", "red")):
        add(people["administrator"], kind=kind, words=words, sentence="", roles=["creator"])
    told = called(Client(), "creator", "words", text="a red zebra with a gun").json()
    assert "zebra" in told["unknown_words"]
    assert (told["blocked_words"], told["warned_words"]) == (["gun"], ["red"])
    answer = called(Client(), "creator", "previews", text="a gun")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "blocked_words")


def test_a_program_is_told_when_to_come_back(
    visitor: Visitor, known: TrainedModel, worker: str, monkeypatch: pytest.MonkeyPatch, people: dict[str, Any]
) -> None:
    monkeypatch.setattr(asking, "_previews", asking.Pace(1))
    answers = [called(Client(), "creator", "previews") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert (answers[1]["Retry-After"], answers[1].json()["error"]["code"]) == ("10", "busy")
    monkeypatch.delenv(SOCKET)
    for address in ("previews", "words"):
        answer = called(Client(), "administrator", address)
        assert (answer.status_code, answer["Retry-After"], answer.json()["error"]["code"]) == (503, "10", "away")
    from bespoke.studio.api.resources import api

    paths = api.get_openapi_schema()["paths"]
    for address in ("previews", "words"):
        responses = paths[f"/api/{address}"]["post"]["responses"]
        assert all("Retry-After" in responses[status]["headers"] for status in (429, 503))
        assert "minute" in responses[429]["description"]


def test_a_program_s_mistakes_are_told(visitor: Visitor, known: TrainedModel, worker: str, people: Any) -> None:
    for changed, status in (({"text": " "}, 400), ({"text": "a\0"}, 400), ({"seed": -1}, 400), ({"model": "x"}, 404)):
        answer = called(Client(), "creator", "previews", **changed)
        assert (answer.status_code, answer.json()["error"]["param"]) == (status, next(iter(changed)))
    TrainedModel.objects.update(identity="other")
    for address in ("previews", "words"):
        answer = called(Client(), "creator", address)
        assert answer.status_code == 409
        assert "has changed since it was registered" in answer.json()["error"]["message"]


def test_a_model_that_changed_or_is_not_open_gives_no_preview(
    visitor: Visitor, known: TrainedModel, worker: str
) -> None:
    TrainedModel.objects.update(identity="other")
    assert "There is no preview of this model." in asked_for(visitor("creator"), known, "a mug").content.decode()
    TrainedModel.objects.update(limited=True)
    assert asked_for(visitor("creator"), known, "a mug").status_code == 422


def test_a_caller_who_says_nothing_or_nonsense_does_not_end_the_answers(
    visitor: Visitor, known: TrainedModel, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "PATIENCE_SECONDS", 0.05)
    for said in (None, b"nonsense", b"{}", b"[]", b"x" * (answering.MOST_BYTES + 1)):
        # Of a question that is too long the worker reads the length and hangs up.
        with suppress(BrokenPipeError, ConnectionResetError), Caller(worker, "AF_UNIX") as caller:
            if said is not None:
                caller.send_bytes(said)
    assert asked_for(visitor("creator"), known, "a mug").status_code == 200


def test_a_killed_worker_s_socket_is_taken_over(known: TrainedModel, worker: str) -> None:
    again = answering.serve(Loaded(settings.HOME.models), worker)
    with Caller(worker, "AF_UNIX") as caller:
        asked = {"model": "mugs", "identity": known.identity, "text": "zebra", "seed": None}
        caller.send_bytes(json.dumps(asked).encode())
        assert json.loads(caller.recv_bytes()) == {"unknown": ["zebra"]}
    again.close()
    Path(worker).touch()  # for the first to take away


def test_a_model_is_loaded_once_for_all_threads_and_the_one_used_longest_ago_leaves(
    known: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cups", "hats"):
        shutil.copytree(settings.HOME.models / "mugs", settings.HOME.models / name)
    load, names = Pipeline.from_pretrained, []
    monkeypatch.setattr(loaded.Pipeline, "from_pretrained", lambda place: (names.append(place.name), load(place))[1])
    models = Loaded(settings.HOME.models)
    threads = [Thread(target=models.get, args=("mugs", known.identity)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in ("cups", "mugs", "hats", "mugs", "cups"):
        models.get(name, known.identity)
    assert names == ["mugs", "cups", "hats", "cups"]
    with pytest.raises(UserError, match="model mugs has changed since it was registered; register it again"):
        models.get("mugs", "other")
    for name in ("cups", "hats"):
        shutil.rmtree(settings.HOME.models / name)
