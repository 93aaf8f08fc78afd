"""Pictures in an object store: a server that speaks S3 in a process of its own, and what happens without it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.test import Client
from django.test.utils import override_settings
from PIL import Image
from reviewing import at, drawn, proposed

from bespoke.cli import run
from bespoke.errors import UserError
from bespoke.studio import jobs
from bespoke.studio.backups.making import backup
from bespoke.studio.backups.restoring import restore
from bespoke.studio.exports.exports import export
from bespoke.studio.home import Home
from bespoke.studio.loaded import Loaded
from bespoke.studio.models import Edit, Job, Picture, TrainedModel
from bespoke.studio.review import nearness, states
from bespoke.studio.storage import StorageError, check, configured, make, names_in
from bespoke.studio.tokens import make_token
from bespoke.studio.worker import Artist, _draw

Visitor = Callable[[str], Client]
SERVER = "from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])"
NOBODY = "http://127.0.0.1:9"  # a port where none listens


@pytest.fixture(scope="session")
def _server() -> Iterator[str]:
    """The address of an S3 server."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert server.stderr is not None
    for line in server.stderr:
        if found := re.search(rb"http://127\.0\.0\.1:\d+", line):
            break
    else:
        pytest.fail("the S3 server did not start")
    # What it writes of each request must not fill the pipe.
    drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)
    yield found[0].decode("ascii")
    server.terminate()
    server.wait(30)
    drain.wait(30)
    server.stderr.close()


@pytest.fixture
def server(_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """That server, and an environment that leads there alone."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    told = {"ENDPOINT_URL_S3": _server, "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "REGION": "eu-west-1"}
    told |= {"CONFIG_FILE": os.devnull, "SHARED_CREDENTIALS_FILE": os.devnull, "EC2_METADATA_DISABLED": "true"}
    for name, value in told.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return _server


@pytest.fixture
def address(server: str) -> str:
    """A place in an empty bucket."""
    bucket = f"shop-{uuid.uuid4()}"
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return f"s3://{bucket}/studio/pictures"


@pytest.fixture
def stored(address: str, tmp_path: Path) -> Iterator[str]:
    """The studio of this process keeps its pictures there."""
    nearness._remembered.clear()
    with override_settings(STORAGES=settings.STORAGES | {"default": configured(address, tmp_path)}):
        yield address


def _keys(address: str) -> list[str]:
    """What is in the bucket, as the server tells."""
    found = boto3.client("s3").list_objects_v2(Bucket=address.split("/")[2])
    return [each["Key"] for each in found.get("Contents", ())]


@pytest.mark.parametrize("kind", ["disk", "store"])
def test_disk_and_object_store_do_the_same(kind: str, address: str, tmp_path: Path) -> None:
    storage: Storage = make(address if kind == "store" else "", tmp_path)
    for name in ("b/0-1.png", "b/0-1-mask.png", "a/1.png", "originals/x.jpg"):
        assert storage.save(name, ContentFile(name.encode("ascii"))) == name
    folders, files = storage.listdir("b")
    assert (folders, sorted(files)) == ([], ["0-1-mask.png", "0-1.png"])
    assert list(names_in(storage)) == ["a/1.png", "b/0-1-mask.png", "b/0-1.png", "originals/x.jpg"]
    with storage.open("b/0-1.png") as stream:
        assert (stream.size, stream.read()) == (9, b"b/0-1.png")
    assert (storage.exists("b/0-1.png"), storage.exists("b/0-2.png")) == (True, False)
    storage.delete("b/0-1.png")
    storage.delete("b/0-1.png")
    with pytest.raises(FileNotFoundError):
        storage.open("b/0-1.png")
    check(storage)
    assert list(names_in(storage)) == ["a/1.png", "b/0-1-mask.png", "originals/x.jpg"]


def test_a_picture_says_in_the_store_what_kind_of_file_it_is(address: str, tmp_path: Path) -> None:
    make(address, tmp_path).save("originals/x.jpg", ContentFile(b"x"))
    bucket, key = address.split("/")[2], "studio/pictures/originals/x.jpg"
    assert boto3.client("s3").head_object(Bucket=bucket, Key=key)["ContentType"] == "image/jpeg"


def test_what_is_drawn_edited_reviewed_and_exported_is_in_the_store_alone(
    stored: str, model: TrainedModel, people: dict[str, Any], visitor: Visitor
) -> None:
    before = set(settings.HOME.pictures.rglob("*"))  # what other tests have left there
    proposal = at(proposed(model, people), states.APPROVED, people)
    assert _keys(stored) == [f"studio/pictures/{proposal.picture.file}"]
    creator = visitor("creator")
    shown = creator.get(f"/pictures/{proposal.picture_id}.png")
    assert shown["Content-Type"] == "image/png"
    made = export([proposal.pk], people["reviewer"], "the shop")
    assert made.content.startswith(b"\x89PNG")
    model.edits = True
    model.save()
    asked = {"key": str(uuid.uuid4()), "model": model.pk, "text": "a blue cup", "num_images": 1, "strength": "0.6"}
    with default_storage.open(proposal.picture.file) as sent:
        sent.name = "cup.png"
        answer = creator.post("/edit", asked | {"image": sent})
    assert answer.status_code == 302, answer.content
    assert Edit.objects.get().file.startswith("originals/")
    assert f"studio/pictures/{Edit.objects.get().file}" in _keys(stored)
    assert set(settings.HOME.pictures.rglob("*")) == before


def test_near_copies_are_found_among_pictures_in_the_store(
    stored: str, model: TrainedModel, people: dict[str, Any], tmp_path: Path
) -> None:
    file = drawn(model, people["creator"], 0.3).results[0].file
    with default_storage.open(file) as stream, Image.open(stream) as picture:
        (tmp_path / nearness.FEATURES).write_bytes(nearness.small(picture).tobytes())
    assert nearness.find_all(tmp_path, [file]) == {file: [(0, 0.0)]}


def test_an_order_waits_while_the_store_is_away_and_is_then_drawn(
    stored: str, models: Path, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = {"text": "a red cup", "num_images": 2, "balance": 0.25, "seed": 7, "best_of": 1}
    job = jobs.enqueue(owner=people["creator"], model=TrainedModel.objects.get(), **asked)
    artist = Artist(Loaded(models), Event())
    for _ in range(jobs.MOST_ATTEMPTS + 1):
        with monkeypatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL_S3", NOBODY)
            with override_settings(STORAGES=settings.STORAGES):  # asks anew where the store is
                assert (claimed := jobs.claim()) is not None
                assert not _draw(artist, claimed, uuid.uuid4())
        job.refresh_from_db()
        assert (job.state, job.attempts) == (Job.State.WAITING, 0)
    assert not Picture.objects.exists()
    with override_settings(STORAGES=settings.STORAGES):
        assert (claimed := jobs.claim()) is not None
        assert _draw(artist, claimed, uuid.uuid4())
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert [f"studio/pictures/{picture.file}" for picture in job.results] == sorted(_keys(stored))


@pytest.fixture
def away(stored: str, model: TrainedModel, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A drawn job of a studio whose store has gone away since."""
    job = drawn(model, people["creator"], 0.3)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", NOBODY)
    with override_settings(STORAGES=settings.STORAGES):
        yield job


def test_pages_and_programs_are_told_that_it_is_away(away: Job, people: dict[str, Any], visitor: Visitor) -> None:
    picture = away.results[0]
    answer = visitor("creator").get(f"/pictures/{picture.pk}.png")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert "Pictures cannot be reached" in answer.content.decode()
    token = {"Authorization": f"Bearer {make_token(people['creator'], 'x')}"}
    told = Client().get(f"/api/pictures/{picture.pk}/file", headers=token)
    assert told.status_code == 503
    assert "does not answer" in told.json()["error"]["message"]


def test_health_says_that_the_store_is_away(away: Job) -> None:
    told = Client().get("/health/ready")
    assert (told.status_code, told.json()["storage"]) == (503, False)


def test_no_picture_fails_its_gate_because_the_store_is_away(away: Job, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be reached"):
        nearness.find_all(tmp_path, [away.results[0].file])


def test_a_bucket_that_is_gone_is_not_well(address: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such bucket"):
        make("s3://none-such", tmp_path).listdir("health")


@pytest.mark.parametrize("asked", ["s3:/shop", "s3://Shop", "s3://shop/../x", "s3://key:secret@shop", "gs://shop"])
def test_an_address_that_is_none_is_refused(asked: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected s3://BUCKET"):
        configured(asked, tmp_path)


@pytest.mark.parametrize(
    ("changed", "bucket", "told"),
    [
        ({}, "s3://none-such/x", "s3://none-such/x: there is no such bucket"),
        ({"AWS_ENDPOINT_URL_S3": NOBODY}, "", "cannot be reached"),
        ({"AWS_ENDPOINT_URL_S3": "nonsense"}, "", "cannot be reached"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "", "no credentials; set AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_start_without_a_store_that_works_is_one_line(
    changed: dict[str, str],
    bucket: str,
    told: str,
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=told) as mistake:
        check(make(bucket or address, tmp_path))
    assert "\n" not in str(mistake.value)


def test_the_command_line_refuses_an_address_that_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["studio", "backup", str(tmp_path / "a.tar"), "--home", str(tmp_path), "--storage", "shop"]) == 2
    assert capsys.readouterr().err == (
        "bespoke: --storage shop: expected s3://BUCKET or s3://BUCKET/PREFIX, with no password in it\n"
    )


def test_a_backup_brings_pictures_from_disk_to_store_and_on_to_another(address: str, tmp_path: Path) -> None:
    import sqlite3

    home = tmp_path / "home"
    Home(home).prepare()
    with sqlite3.connect(home / "studio.sqlite3") as database:
        database.execute("CREATE TABLE django_migrations (app, name)")
        database.execute("CREATE TABLE studio_worker (seen_at)")
    database.close()
    make("", home / "pictures").save("a/0.png", ContentFile(b"a picture"))
    said: list[str] = []
    before, places = "", [f"{address}/one", f"{address}/two", ""]
    for number, place in enumerate(places):
        file, there = tmp_path / f"{number}.tar", tmp_path / f"home{number}"
        backup(home, file, url="", storage=before, models=True, say=said.append)
        restore(there, file, url="", storage=place, say=said.append)
        storage = make(place, there / "pictures")
        assert list(names_in(storage)) == ["a/0.png"]
        with storage.open("a/0.png") as stream:
            assert stream.read() == b"a picture"
        assert (there / "pictures" / "a" / "0.png").exists() == (not place)
        home, before = there, place
    with pytest.raises(UserError, match="not empty; name another prefix"):
        restore(tmp_path / "again", tmp_path / "0.tar", url="", storage=places[0], say=said.append)


def test_a_restore_that_fails_leaves_no_picture_in_the_store(address: str, tmp_path: Path) -> None:
    from bespoke.studio.backups.pictures import moved

    folder, storage = tmp_path / "pictures", make(address, tmp_path)
    make("", folder).save("a/0.png", ContentFile(b"a picture"))
    with suppress(ZeroDivisionError), moved(folder, storage):
        assert list(names_in(storage)) == ["a/0.png"]
        raise ZeroDivisionError
    assert list(names_in(storage)) == []
