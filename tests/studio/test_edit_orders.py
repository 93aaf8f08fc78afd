"""Edits: the page, the API, what workers make of them, and files that are no pictures."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from conftest import teach
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image, ImageDraw
from reviewing import at, drawn, proposed

from bespoke.errors import UserError
from bespoke.pipeline import Pipeline
from bespoke.provenance import COMPOSITE, TRAINED_ALGORITHMIC_MEDIA, read_mark
from bespoke.studio import jobs, opening, registry
from bespoke.studio.exports.chain import chain_of
from bespoke.studio.exports.exports import export
from bespoke.studio.loaded import Loaded
from bespoke.studio.models import Edit, Job, TrainedModel
from bespoke.studio.opening import UnusableError, opened
from bespoke.studio.origin import source_type
from bespoke.studio.policy.policy import add
from bespoke.studio.review import states
from bespoke.studio.tokens import make_token
from bespoke.studio.worker import Artist

Visitor = Callable[[str], Client]


@pytest.fixture(autouse=True)
def clean_storage() -> Iterator[None]:
    yield
    shutil.rmtree(settings.HOME.pictures / opening.ORIGINALS, ignore_errors=True)


@pytest.fixture
def editor(model: TrainedModel) -> TrainedModel:
    model.edits = True
    model.save()
    return model


def sent(size: tuple[int, int] = (48, 32), color: Any = (200, 0, 0), kind: str = "PNG", mode: str = "RGB") -> bytes:
    encoded = io.BytesIO()
    Image.new(mode, size, color).save(encoded, kind)
    return encoded.getvalue()


def half(size: tuple[int, int] = (48, 32), mode: str = "RGBA") -> bytes:
    """A mask whose left half may change: transparent, or white."""
    image = Image.new(mode, size, (0, 0, 0, 255) if mode == "RGBA" else 0)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1]), (0, 0, 0, 0) if mode == "RGBA" else 255)
    encoded = io.BytesIO()
    image.save(encoded, "PNG")
    return encoded.getvalue()


def ask(client: Client, of: TrainedModel, **changed: Any) -> Any:
    asked = {"key": "11111111-1111-4111-8111-111111111111", "model": of.pk, "text": "a blue cup"}
    usual = {"source": "a red cup", "strength": "0.6", "num_images": "2", "seed": "5"}
    given = asked | usual | changed
    return client.post("/edit", {name: value for name, value in given.items() if value is not None})


def file(content: bytes, name: str = "cup.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def kept() -> list[str]:
    folder = settings.HOME.pictures / opening.ORIGINALS
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_an_uploaded_picture_is_made_anew_and_its_edit_waits(visitor: Visitor, editor: TrainedModel) -> None:
    client = visitor("creator")
    answer = ask(client, editor, image=file(sent() + b"<script>"), mask=file(half()))
    job = Job.objects.get()
    assert answer["Location"] == f"/jobs/{job.pk}"
    assert (job.text, job.num_images, job.seed, job.balance) == ("a blue cup", 2, 5, 0)
    assert (job.edit.source, job.edit.strength) == ("a red cup", 0.6)
    page = client.get(answer["Location"]).content.decode()
    assert f'data-poll="/jobs/{job.pk}/result"' in page
    assert f'data-painted="/jobs/{job.pk}/mask"' in page
    shown = client.get(f"/jobs/{job.pk}/original")
    assert b"<script>" not in shown.content
    assert Image.open(io.BytesIO(shown.content)).size == (48, 32)
    mask = Image.open(io.BytesIO(client.get(f"/jobs/{job.pk}/mask").content))
    assert (mask.mode, mask.getpixel((10, 16)), mask.getpixel((40, 16))) == ("L", 255, 0)


def test_an_order_sent_twice_is_one_job_and_leaves_no_file(visitor: Visitor, editor: TrainedModel) -> None:
    client = visitor("creator")
    first = ask(client, editor, image=file(sent()), mask=file(half()))["Location"]
    before = kept()
    assert len(before) == 2
    assert ask(client, editor, image=file(sent()), mask=file(half()))["Location"] == first
    assert kept() == before


def test_a_picture_of_the_gallery_is_edited_from_its_text(visitor: Visitor, editor: TrainedModel) -> None:
    client = visitor("creator")
    picture = drawn(editor, User.objects.get(username="creator"), 0.3).results[0]
    page = client.get(f"/edit?picture={picture.pk}").content.decode()
    assert page.count("a red cup") == 2
    ask(client, editor, picture=picture.pk)
    edit = Edit.objects.get()
    assert (edit.file, edit.sha256) == (picture.file, picture.sha256)
    again = client.get(f"/edit?again={edit.pk}").content.decode()
    assert "a blue cup" in again
    assert ask(client, editor, again=edit.pk, key="21111111-1111-4111-8111-111111111111").status_code == 302
    assert kept() == []  # nothing was copied


def bomb() -> bytes:
    return sent((9000, 9000), 0, mode="1")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The submitted file is empty"),
        (b"<html>", "not a JPEG, PNG or WebP picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG, PNG or WebP picture"),
        (sent(kind="GIF"), "not a JPEG, PNG or WebP picture"),
        (sent((300, 300), kind="JPEG")[:400], "broken or cut off"),
        (sent((15, 40)), "too small: each side must have 16 pixels or more"),
        (bomb(), "too many pixels"),
    ],
    ids=["empty", "html", "svg", "gif", "cut", "tiny", "bomb"],
)
def test_what_is_no_usable_picture_is_told_and_not_kept(
    content: bytes, told: str, visitor: Visitor, editor: TrainedModel
) -> None:
    answer = ask(visitor("creator"), editor, image=file(content))
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Job.objects.exists()
    assert kept() == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, "Choose a picture."),
        ({"text": "a red cup", "image": True}, "Both texts are the same"),
        ({"strength": "1.1", "image": True}, "less than or equal to 1"),
        ({"picture": "11111111-1111-4111-8111-111111111111"}, "Select a valid choice"),
        ({"mask": True, "image": True}, "has another shape than the picture"),
        ({"model": "9999", "image": True}, "Select a valid choice"),
    ],
)
def test_a_wrong_edit_is_told_where_it_is_wrong(
    changed: dict[str, Any], told: str, visitor: Visitor, editor: TrainedModel
) -> None:
    files = {"image": file(sent()), "mask": file(half((32, 32)))}
    given = {name: files[name] if value is True else value for name, value in changed.items()}
    answer = ask(visitor("creator"), editor, **given)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert told in page or changed.get("picture")
    assert not Job.objects.exists()
    assert kept() == []


def test_a_blocked_word_and_a_full_queue_leave_no_file(
    visitor: Visitor, editor: TrainedModel, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visitor("creator")
    add(people["administrator"], kind="blocked", words="blue", sentence="", roles=[])
    answer = ask(client, editor, image=file(sent()))
    assert answer.status_code == 422
    assert "Our rules do not allow this: blue" in answer.content.decode()
    monkeypatch.setattr(jobs, "MOST_WAITING", 0)
    assert ask(client, editor, image=file(sent()), text="a green cup").status_code == 429
    assert kept() == []


def test_a_studio_whose_models_cannot_edit_says_how_to_teach_one(visitor: Visitor, model: TrainedModel) -> None:
    page = visitor("creator").get("/edit").content.decode()
    assert "bespoke train CATALOGUE --out RUN --edit" in page
    assert '<form class="card' not in page


def test_a_mask_may_be_white_on_black_and_follows_a_picture_that_was_made_smaller(database: None) -> None:
    with opened(io.BytesIO(sent((3000, 1500))), io.BytesIO(half((1000, 500), "L"))) as original:
        assert original.size == (2048, 1024)
        with default_storage.open(original.mask) as stream, Image.open(stream) as mask:
            assert mask.size == original.size
            assert (mask.getpixel((500, 500)), mask.getpixel((1900, 500))) == (255, 0)


def test_files_of_an_order_that_fails_are_taken_away(database: None) -> None:
    def order() -> None:
        with opened(io.BytesIO(sent())):
            assert len(kept()) == 1
            raise KeyError

    with pytest.raises(KeyError):
        order()
    assert kept() == []
    with pytest.raises(UnusableError) as caught, opened(io.BytesIO(sent()), io.BytesIO(b"no")):
        pass
    assert caught.value.is_mask
    assert kept() == []


@pytest.fixture
def post(visitor: Visitor, editor: TrainedModel) -> Callable[..., Any]:
    visitor("creator")
    headers = {"Authorization": f"Bearer {make_token(User.objects.get(username='creator'), 'test')}"}

    def send(**changed: Any) -> Any:
        body = {"model": "mugs", "prompt": "a blue cup", "image": file(sent())} | changed
        given = {name: value for name, value in body.items() if value is not None}
        return Client().post("/v1/images/edits", given, headers=headers)

    return send


def test_a_program_s_edit_is_a_job(post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bespoke.studio.api.openai.WAIT_SECONDS", 0.01)
    told = {"source": "a red cup", "strength": "0.4", "seed": "9", "n": "3", "size": "48x32", "quality": "high"}
    assert post(mask=file(half()), **told).status_code == 503
    job = Job.objects.get()
    assert (job.num_images, job.seed, job.edit.source, job.edit.strength) == (3, 9, "a red cup", 0.4)
    assert job.edit.mask


@pytest.mark.parametrize(
    ("changed", "status", "told"),
    [
        ({"image": None}, 400, "image: send one picture"),
        ({"image": file(b"<svg/>")}, 400, "image: not a JPEG, PNG or WebP picture"),
        ({"mask": file(half((32, 32)))}, 400, "mask: has another shape than the picture"),
        ({"model": "cups"}, 404, "model 'cups': not registered here"),
        ({"prompt": " "}, 400, "prompt: empty; say what to draw"),
        ({"source": "a blue cup"}, 400, "prompt: the same as source"),
        ({"size": "1024x1024"}, 400, "size '1024x1024': this picture keeps its own, 48x32"),
        ({"n": "11"}, 400, "n: "),
        ({"strength": "2"}, 400, "strength: "),
        ({"response_format": "url"}, 400, "response_format: "),
        ({"stream": "true"}, 400, "stream: "),
    ],
)
def test_a_wrong_edit_is_refused_in_openai_s_form(
    post: Callable[..., Any], changed: dict[str, Any], status: int, told: str
) -> None:
    for given in changed.values():
        if isinstance(given, SimpleUploadedFile):
            given.seek(0)
    answer = post(**changed)
    assert answer.status_code == status
    assert answer.json()["error"]["message"].startswith(told)
    assert not Job.objects.exists()
    assert kept() == []


def test_a_model_that_was_not_taught_and_a_full_queue_refuse_a_program(
    post: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MOST_WAITING", 0)
    full = post()
    assert (full.status_code, full["Retry-After"], kept()) == (429, "10", [])
    monkeypatch.setattr(opening, "PATIENCE_SECONDS", 0.01)
    with opening._one_at_a_time:
        assert post().status_code == 429
    TrainedModel.objects.update(edits=False)
    assert "model 'mugs': not taught to edit" in post().json()["error"]["message"]


@pytest.fixture
def taught(trained: Path, database: None) -> Iterator[TrainedModel]:
    """A registered model that edits."""
    place = settings.HOME.models / "mugs"
    shutil.copytree(trained, place)
    teach(place)
    registry.scan(settings.HOME.models)
    TrainedModel.objects.update(registered_at=timezone.now())
    yield TrainedModel.objects.get()
    shutil.rmtree(place)


def test_a_worker_makes_the_pipeline_s_edit_marked_with_where_it_came_from(taught: TrainedModel) -> None:
    assert taught.edits
    owner = User.objects.create(username="ada")
    asked = {"text": "a blue cup", "num_images": 2, "balance": 0.0, "seed": 7, "best_of": 1}
    with opened(io.BytesIO(sent()), io.BytesIO(half())) as original:
        change = Edit(file=original.file, sha256=original.sha256, mask=original.mask, source="a red cup", strength=0.9)
        jobs.enqueue(owner=owner, model=taught, edit=change, **asked)
    job = jobs.claim()
    assert job is not None
    Artist(Loaded(settings.HOME.models), Event()).draw(job)
    job.refresh_from_db()
    assert (job.state, job.edit.old_words, job.edit.new_words) == ("done", ["red"], ["blue"])
    picture = Image.open(io.BytesIO(sent()))
    limit = Image.open(default_storage.path(original.mask))
    pipeline = Pipeline.from_pretrained(settings.HOME.models / "mugs")
    wanted = pipeline.edit(picture, "a blue cup", source="a red cup", strength=0.9, mask=limit, num_images=2, seed=7)
    for made, expected in zip(job.results, wanted.pictures, strict=True):
        assert (made.seed, made.alignment) == (expected.seed, expected.alignment)
        with (
            Image.open(default_storage.path(made.file)) as image,
            Image.open(default_storage.path(made.mask_file)) as mask,
        ):
            assert image.tobytes() == expected.image.tobytes()
            assert mask.tobytes() == expected.mask.tobytes()
            assert image.crop((24, 0, 48, 32)).tobytes() == picture.crop((24, 0, 48, 32)).tobytes()
        told = read_mark(Path(default_storage.path(made.file)))
        assert told["prompt"] == "a blue cup"
        assert told["digital_source_type"] == COMPOSITE  # half of it is what was sent
        assert told["chain"]["edited_from"] == original.sha256 == job.edit.sha256
    assert len(default_storage.listdir(str(job.pk))[1]) == 4


def test_an_edit_without_an_editor_fails_and_says_why(taught: TrainedModel) -> None:
    owner = User.objects.create(username="ada")
    with opened(io.BytesIO(sent())) as original:
        change = Edit(file=original.file, sha256=original.sha256, strength=0.7)
        asked = {"text": "a cup", "num_images": 1, "balance": 0.0, "seed": 7, "best_of": 1}
        jobs.enqueue(owner=owner, model=taught, edit=change, **asked)
    job = jobs.claim()
    assert job is not None
    pipeline = Pipeline.from_pretrained(settings.HOME.models / "mugs")
    pipeline.networks = replace(pipeline.networks, editor=None)
    pipeline.save_pretrained(settings.HOME.models / "mugs" / "model")
    with pytest.raises(UserError, match="was not taught to edit"):
        Artist(Loaded(settings.HOME.models), Event()).draw(job)


def test_an_export_says_from_what_a_picture_was_edited(editor: TrainedModel, people: dict[str, Any]) -> None:
    proposal = proposed(editor, people)
    Edit.objects.create(job=proposal.picture.job, file="a.png", sha256="abc", source="a cup", strength=0.7)
    assert chain_of(proposal)["edited_from"] == "abc"


def test_a_picture_is_a_composite_where_one_that_was_sent_in_is_below_it(
    editor: TrainedModel, people: dict[str, Any], tmp_path: Path
) -> None:
    first = at(proposed(editor, people), states.APPROVED, people)
    left = export([first.pk], people["creator"], "the shop")

    def edited(sha256: str) -> Job:
        made = drawn(editor, people["creator"], 0.3, color=100)
        Edit.objects.create(job=made, file="a.png", sha256=sha256, strength=0.7)
        return made

    of_drawn, of_exported, of_sent = (edited(sha) for sha in (first.picture.sha256, left.export.sha256, "f" * 64))
    assert [source_type(job) for job in (first.picture.job, of_drawn, of_exported)] == [TRAINED_ALGORITHMIC_MEDIA] * 3
    assert source_type(of_sent) == COMPOSITE
    assert source_type(edited("")) == COMPOSITE
    again = proposed(editor, people, color=90)
    Edit.objects.create(job=again.picture.job, file="a.png", sha256=of_sent.results[0].sha256, strength=0.7)
    made = export([at(again, states.APPROVED, people).pk], people["creator"], "the shop")
    (tmp_path / "a.png").write_bytes(made.content)
    assert read_mark(tmp_path / "a.png")["digital_source_type"] == COMPOSITE
