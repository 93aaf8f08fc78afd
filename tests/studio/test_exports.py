from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image
from reviewing import at, proposed

from bespoke.data.catalogue import Catalogue
from bespoke.provenance import is_unedited, read_mark
from bespoke.studio.audit.models import Entry
from bespoke.studio.exports.exports import NotApprovedError, export
from bespoke.studio.exports.models import Export, Exported
from bespoke.studio.models import TrainedModel
from bespoke.studio.policy.policy import BlockedError, add
from bespoke.studio.review import recalls, states
from bespoke.studio.review.models import Proposal

Visitor = Callable[[str], Client]


@pytest.fixture
def approved(model: TrainedModel, people: dict[str, User]) -> Proposal:
    return at(proposed(model, people), states.APPROVED, people)


@pytest.fixture
def trained_here(model: TrainedModel, people: dict[str, User], version: Any) -> Any:
    """The catalogue version that the model was trained on."""
    from bespoke.studio.workshop.models import Training

    Training.objects.create(owner=people["administrator"], version=version, minutes=15, run=model.name)
    return version


def test_an_exported_picture_says_what_it_is_and_from_what_it_comes(
    approved: Proposal, people: dict[str, User], trained_here: Any, tmp_path: Path
) -> None:
    made = export([approved.pk], people["reviewer"], "the shop")
    file = tmp_path / made.name
    file.write_bytes(made.content)
    told = read_mark(file)
    assert told["digital_source_type"].endswith("trainedAlgorithmicMedia")
    assert (told["prompt"], told["seed"], told["model"]) == ("a red cup", 7, "mugs abc")
    chain = told["chain"]
    assert chain | {"pixels": ""} == {
        "picture": str(approved.picture_id),
        "request": str(approved.round.request_id),
        "round": 1,
        "run": "mugs",
        "model": "abc",
        "catalogue": "Cups",
        "catalogue_version": 1,
        "catalogue_fingerprint": trained_here.fingerprint,
        "source_pictures": 3,
        "nearest_sources": [],
        "pixels": "",
    }
    with Image.open(file) as picture, Image.open(default_storage.path(approved.picture.file)) as as_drawn:
        assert picture.tobytes() == as_drawn.tobytes()
        info = picture.info
    assert is_unedited(file)
    with Image.open(file) as picture:
        picture.putpixel((0, 0), (1, 2, 3))
        from PIL.PngImagePlugin import PngInfo

        chunks = PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", info["xmp"].decode() if isinstance(info["xmp"], bytes) else info["xmp"])
        picture.save(file, "PNG", pnginfo=chunks)
    assert read_mark(file)["chain"] == chain  # the mark is still there,
    assert not is_unedited(file)  # but it is not about these pixels
    assert not is_unedited(Path(default_storage.path(approved.picture.file)))  # which has no chain


def test_several_leave_as_a_catalogue_with_their_sources(
    approved: Proposal, model: TrainedModel, people: dict[str, User], trained_here: Any, tmp_path: Path
) -> None:
    add(people["administrator"], kind="disclaimer", words="", sentence="Made by AI.", roles=[])
    other = at(proposed(model, people, text="青いカップ"), states.APPROVED, people)
    made = export([approved.pk, other.pk], people["creator"], "the shop")
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        archive.extractall(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "metadata.jsonl").read_text("utf-8").splitlines()]
    assert [row["text"] for row in rows] == ["a red cup", "青いカップ"]
    for row in rows:
        content = (tmp_path / row["file_name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert Exported.objects.get(sha256=row["sha256"]).export == made.export
        assert row["digital_source_type"].endswith("/trainedAlgorithmicMedia")
        assert row["catalogue_fingerprint"] == trained_here.fingerprint
        assert b"Made by AI." in content
    sources = [json.loads(line) for line in (tmp_path / "sources" / "cups-v1.jsonl").read_text("utf-8").splitlines()]
    assert [row["original_name"] for row in sources] == ["red.png", "green.png", "blue.png"]
    assert (tmp_path / "DISCLAIMERS.txt").read_text("utf-8") == "Made by AI.\n"
    assert made.export.disclaimers == ["Made by AI."]
    assert [item.texts for item in Catalogue.open(tmp_path)] == [("a red cup",), ("青いカップ",)]
    assert Entry.objects.first().action == "export.made"
    assert made.export.sha256 == hashlib.sha256(made.content).hexdigest()


@pytest.mark.parametrize("state", [state for state in states.STATES if state != states.APPROVED])
def test_what_is_not_approved_does_not_leave(
    state: str, approved: Proposal, model: TrainedModel, people: dict[str, User]
) -> None:
    other = at(proposed(model, people), state, people)
    for keys in ([other.pk], [approved.pk, other.pk], [approved.pk, 999999], []):
        with pytest.raises(NotApprovedError):
            export(keys, people["administrator"], "the shop")
    assert not Export.objects.exists()


def test_what_is_recalled_or_blocked_or_altered_does_not_leave(
    approved: Proposal, model: TrainedModel, people: dict[str, User]
) -> None:
    add(people["administrator"], kind="blocked", words="cup", sentence="", roles=["reviewer"])
    with pytest.raises(BlockedError):
        export([approved.pk], people["reviewer"], "the shop")
    assert export([approved.pk], people["creator"], "the shop").content
    Path(default_storage.path(approved.picture.file)).write_bytes(b"another")
    with pytest.raises(ValueError, match="the file is not what was drawn; restore it from a backup"):
        export([approved.pk], people["creator"], "the shop")
    recalls.recall(recalls.like(approved.picture, "picture"), people["administrator"], "a claim")
    with pytest.raises(NotApprovedError):
        export([approved.pk], people["creator"], "the shop")
    assert Export.objects.count() == 1


# Pages.


def test_what_left_is_listed_and_found_again_by_a_recall(
    visitor: Visitor, approved: Proposal, model: TrainedModel, people: dict[str, User]
) -> None:
    client = visitor("reviewer")
    answer = client.post("/exports/make", {"proposal": f"{approved.pk}:2", "purpose": "the spring shop"})
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
    other = at(proposed(model, people), states.APPROVED, people)
    answer = client.post("/exports/make", {"proposal": [approved.pk, other.pk], "purpose": "=1+1"})
    assert answer["Content-Type"] == "application/zip"
    page = client.get("/exports").content.decode()
    assert "the spring shop" in page
    assert "2 pictures" in page
    keeper = visitor("administrator")
    place = f"/pictures/{approved.picture_id}/recall"
    assert "Exported 2 times" in keeper.get(place).content.decode()
    assert "Exported 3 times" in keeper.get(place, {"by": "model"}).content.decode()
    lines = keeper.get(f"{place}.csv", {"by": "model"}).content.decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert "'=1+1" in lines[1]
    assert keeper.post(place, {"by": "both", "reason": ""}).status_code == 422
    keeper.post(place, {"by": "both", "reason": "a claim"})
    assert set(Proposal.objects.values_list("state", flat=True)) == {"withdrawn"}
    page = client.get(f"/review/{approved.pk}").content.decode()
    assert "Recalled: a claim" in page
    assert "Export" not in [part.split("<")[0] for part in page.split('class="main">')]


def test_an_export_that_cannot_be_says_why(visitor: Visitor, approved: Proposal, people: dict[str, User]) -> None:
    client = visitor("reviewer")

    def told(**asked: object) -> str:
        return client.post("/exports/make", asked, follow=True).content.decode()

    assert "say where it goes" in told(proposal=approved.pk)
    assert "Choose at least one picture" in told(purpose="the shop", proposal="²")
    assert "not approved any more" in told(purpose="the shop", proposal="99999")
    add(people["administrator"], kind="blocked", words="cup", sentence="", roles=[])
    assert "Our rules do not let this out: cup" in told(purpose="the shop", proposal=approved.pk)
    assert not Export.objects.exists()


def test_the_list_of_exports_goes_on(visitor: Visitor, people: dict[str, User]) -> None:
    now = timezone.now()
    for number in range(35):
        Export.objects.create(at=now - timedelta(hours=number), by=people["viewer"], purpose=f"to {number}!")
    client = visitor("viewer")
    page = client.get("/exports").content.decode()
    assert "to 29!" in page
    assert "to 30!" not in page
    following = page.split('rel="next" href="')[1].split('"')[0]
    assert "to 30!" in client.get(f"/exports{following}").content.decode()
    assert client.get("/exports?before=never").status_code == 200
