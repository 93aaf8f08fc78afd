from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from bespoke.studio import jobs
from bespoke.studio.batches import order
from bespoke.studio.models import Job, Picture, Token, TrainedModel

Visitor = Callable[[str], Client]
PNG = b"\x89PNG not really"


@pytest.fixture
def model(database: None) -> TrainedModel:
    return TrainedModel.objects.create(
        name="mugs", identity="abc", stamp="1", image_size=32, registered_at=timezone.now()
    )


def ask(client: Client, of: TrainedModel, **changed: object) -> object:
    asked = {"key": "11111111-1111-4111-8111-111111111111", "model": of.pk, "text": "a red zebra"}
    usual = {"balance": "0.7", "num_images": "2", "seed": "", "best_of": "1"}
    return client.post("/create", asked | usual | changed)


def finish(owner: User, model: TrainedModel, text: str = "a red zebra") -> Job:
    """A job as a worker leaves it."""
    jobs.enqueue(owner=owner, model=model, text=text, num_images=2, balance=0.7, seed=7, best_of=1)
    job = jobs.claim()
    assert job is not None
    made = [
        Picture(
            job=job,
            number=number,
            file=default_storage.save(f"{job.pk}/{number}.png", ContentFile(PNG)),
            sha256="",
            seed=7 + number,
            alignment=0.25,
            model_name="mugs abc",
        )
        for number in range(2)
    ]
    jobs.finish(job, made, ["zebra"])
    return job


def test_an_order_becomes_a_job_and_its_page_waits_for_it(visitor: Visitor, model: TrainedModel) -> None:
    client = visitor("creator")
    answer = ask(client, model)
    job = Job.objects.get()
    assert (job.text, job.balance, job.num_images, job.owner.username) == ("a red zebra", 0.7, 2, "creator")
    assert answer["Location"] == f"/jobs/{job.pk}"
    page = client.get(answer["Location"]).content.decode()
    assert f'data-poll="/jobs/{job.pk}/result"' in page
    assert page.count('class="blank"') == 2
    assert ask(client, model)["Location"] == f"/jobs/{job.pk}"  # the button pressed twice
    assert Job.objects.count() == 1


def test_a_finished_job_shows_pictures_and_names_unknown_words(visitor: Visitor, model: TrainedModel) -> None:
    client = visitor("creator")
    job = finish(User.objects.get(), model)
    part = client.get(f"/jobs/{job.pk}/result").content.decode()
    assert "data-poll" not in part
    assert "The model has never seen these words and guesses: <b>zebra</b>" in part
    assert re.findall(r"Seed (\d+)", part) == ["7", "8"]
    assert "Alignment 0.25" in part


def test_a_failed_job_says_why(visitor: Visitor, model: TrainedModel) -> None:
    client = visitor("creator")
    ask(client, model)
    job = jobs.claim()
    assert job is not None
    jobs.fail(job, "model mugs has changed")
    assert "model mugs has changed" in client.get(f"/jobs/{job.pk}").content.decode()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"text": "  "}, "This field is required"),
        ({"text": "a" * 1001}, "at most 1000 characters"),
        ({"text": "a\0b"}, "Null characters"),
        ({"balance": "1.5"}, "less than or equal to 1"),
        ({"balance": "nan"}, "Enter a number"),
        ({"num_images": "11"}, "less than or equal to 10"),
        ({"best_of": "0"}, "greater than or equal to 1"),
        ({"seed": "-1"}, "greater than or equal to 0"),
        ({"seed": str(2**53)}, "less than or equal to"),
        ({"model": "99999"}, "Select a valid choice"),
    ],
)
def test_a_wrong_order_is_told_where_it_is_wrong(
    changed: dict[str, str], told: str, visitor: Visitor, model: TrainedModel
) -> None:
    answer = ask(visitor("creator"), model, **changed)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Job.objects.exists()


def test_a_model_that_is_not_registered_cannot_be_drawn_with(visitor: Visitor, model: TrainedModel) -> None:
    TrainedModel.objects.update(registered_at=None)
    client = visitor("creator")
    assert ask(client, model).status_code == 422
    assert "No model yet" in client.get("/create").content.decode()


def test_a_full_queue_is_said_and_nothing_typed_is_lost(
    visitor: Visitor, model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MOST_WAITING", 0)
    answer = ask(visitor("creator"), model)
    assert answer.status_code == 429
    assert "Too many orders are waiting" in answer.content.decode()
    assert "a red zebra</textarea>" in answer.content.decode()


def test_the_gallery_finds_pictures_by_their_words(visitor: Visitor, model: TrainedModel) -> None:
    client = visitor("viewer")
    for text in ("a red zebra", "a blue cup", "赤いカップ"):
        finish(User.objects.get(), model, text)
    for words, found in (("", 6), ("zebra red", 2), ("カップ", 2), ("blue zebra", 0), ("\0", 6)):
        assert client.get("/gallery", {"q": words}).content.decode().count('class="tile"') == found, words
    assert client.get("/gallery", {"page": "many"}).status_code == 200


def test_a_picture_s_page_has_its_recipe_and_the_file_is_a_png_whatever_it_holds(
    visitor: Visitor, model: TrainedModel
) -> None:
    client = visitor("viewer")
    picture = finish(User.objects.get(), model, "<script>alert(1)</script>").results[0]
    page = client.get(f"/pictures/{picture.pk}").content.decode()
    assert "mugs abc" in page
    assert "<script>alert" not in page
    answer = client.get(f"/pictures/{picture.pk}.png", {"download": ""})
    assert (answer.content, answer["Content-Type"], answer["X-Content-Type-Options"]) == (PNG, "image/png", "nosniff")
    assert answer["Content-Disposition"] == f'attachment; filename="bespoke-{picture.pk}.png"'
    Path(default_storage.path(picture.file)).unlink()
    assert client.get(f"/pictures/{picture.pk}.png").status_code == 404


def test_an_administrator_registers_what_they_saw_and_withdraws_it(visitor: Visitor, model: TrainedModel) -> None:
    TrainedModel.objects.update(registered_at=None)
    client = visitor("administrator")
    client.post(f"/models/{model.pk}/register", {"identity": "what it was before"})
    assert "has changed meanwhile" in client.get("/models").content.decode()
    client.post(f"/models/{model.pk}/register", {"identity": "abc"})
    model.refresh_from_db()
    assert model.usable
    assert model.registered_by == User.objects.get()
    client.post(f"/models/{model.pk}/register", {"withdraw": "1"})
    model.refresh_from_db()
    assert not model.usable


def test_a_token_is_shown_once(visitor: Visitor) -> None:
    client = visitor("creator")
    shown = re.search(r"bsp_[\w-]{43}", client.post("/tokens", {"name": "shop"}).content.decode())
    assert shown is not None
    assert shown[0] not in client.get("/tokens").content.decode()
    assert Token.objects.get().name == "shop"


def test_people_come_in_with_a_role_and_a_good_password(visitor: Visitor) -> None:
    client = visitor("administrator")
    asked = {"username": "bob", "password1": "short", "password2": "short", "role": "viewer"}
    assert client.post("/people", asked).status_code == 422
    asked |= {"password1": "a-long-pass-phrase-9", "password2": "a-long-pass-phrase-9"}
    assert client.post("/people", asked).status_code == 302
    bob = User.objects.get(username="bob")
    assert bob.password.startswith("argon2")
    assert [group.name for group in bob.groups.all()] == ["viewer"]
    assert Client().login(username="bob", password="a-long-pass-phrase-9")


def test_an_error_page_has_an_id_and_no_internals(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    client = visitor("viewer")
    client.raise_request_exception = False

    def break_down(*_: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("bespoke.studio.pages.Paginator", break_down)
    answer = client.get("/gallery")
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in answer.content.decode()
    assert "secret" not in answer.content.decode()
    assert client.get("/nothing").status_code == 404


class Reader(HTMLParser):
    """What of a page is read by people, unless it is marked as English or is what somebody typed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[bool] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.texts += [given[name] or "" for name in ("placeholder", "title", "aria-label") if name in given]
        if tag not in ("meta", "link", "input", "img", "br"):
            self._open.append(tag in ("script", "style", "code", "pre") or given.get("lang") == "en")

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self.texts.append(data)


NAMES = {"Bespoke", "API", "OpenAI", "IPTC", "AI", "Python", "UTC", "mugs", "abc", "zebra", "red", "a", "shop"}
NAMES |= {"CSV", "UTF", "Shift", "JIS", "Excel", "JSONL", "zip", "color", "type"}  # of files and columns


def test_no_page_in_japanese_says_a_word_of_english(visitor: Visitor, model: TrainedModel) -> None:
    client = visitor("administrator")
    visitor("viewer")
    done = finish(User.objects.get(username="administrator"), model)
    waits = jobs.enqueue(owner=done.owner, model=model, text="a", num_images=1, balance=0, seed=1, best_of=1)
    asked = {"num_images": 1, "balance": 0, "seed": 1, "best_of": 1}
    batch = order(uuid.uuid4(), done.owner, "a", [(2, "a", {}), (3, "a", {})], model=model, **asked)
    jobs.fail(jobs.claim(), "a")
    Job.objects.filter(batch=batch, line=2).update(state="done")
    Picture.objects.filter(job=done, number=1).update(job=Job.objects.get(batch=batch, line=2))
    TrainedModel.objects.create(name="shop", stamp="1")
    client.post("/tokens", {"name": "shop"})
    client.post("/language", {"language": "ja"})
    stranger = Client(headers={"accept-language": "ja"})
    picture = done.results[0]
    places = [
        "/create",
        f"/jobs/{done.pk}",
        f"/jobs/{waits.pk}",
        "/gallery",
        "/gallery?q=nothing",
        "/lists",
        f"/lists/{batch.pk}",
        f"/gallery?list={batch.pk}",
        "/models",
        "/tokens",
    ]
    answers = [client.get(place) for place in [*places, "/people", f"/pictures/{picture.pk}", "/nothing"]]
    wrong = {"table": SimpleUploadedFile("a.csv", b"text,a\n,a\n"), "key": uuid.uuid4(), "model": model.pk}
    answers += [client.post("/lists", wrong | asked), client.post(f"/pictures/{picture.pk}/vary", follow=True)]
    answers += [ask(client, model, text="", seed="x", balance="7"), client.post("/people", {"username": ""})]
    answers += [stranger.get("/login"), stranger.post("/login", {"username": "x", "password": "y"})]
    for answer in answers:
        page = answer.content.decode()
        assert '<html lang="ja">' in page
        words = {word for text in Reader(page).texts for word in re.findall(r"[A-Za-z]{2,}", text)}
        number = answer["X-Request-ID"]
        allowed = NAMES | {"administrator", "viewer", "English", *re.findall("[A-Za-z]+", number)}
        assert words - allowed == set(), answer.request["PATH_INFO"]


def test_every_field_has_a_label_and_every_picture_a_text(visitor: Visitor, model: TrainedModel) -> None:
    client = visitor("administrator")
    job = finish(User.objects.get(), model)
    for place in ("/create", "/lists", f"/jobs/{job.pk}", "/gallery", "/models", "/tokens", "/people", "/login"):
        page = client.get(place).content.decode()
        labelled = set(re.findall(r'<label[^>]* for="([^"]+)"', page))
        shown = re.findall(r"<(?:input|select|textarea)\b(?![^>]*type=\"hidden\")[^>]*>", page)
        assert [field for field in shown if re.search(r'id="([^"]+)"', field)[1] not in labelled] == [], place
        assert all("alt=" in image for image in re.findall(r"<img[^>]*>", page))
