"""Every page of the workshop: in Japanese without a word of English, labelled, and safe in what it shows."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from test_pages import Reader

from bespoke.studio.models import TrainedModel
from bespoke.studio.workshop import promotion, training
from bespoke.studio.workshop.models import Check, Comparison, Evaluation, Training, Upload, Version

Visitor = Callable[[str], Client]
# Names, file formats, and what people typed.
NAMES = {"Bespoke", "API", "Cups", "cups", "mugs", "plates", "keeper", "administrator", "viewer", "creator", "English"}
NAMES |= {"JPEG", "PNG", "WebP", "CSV", "UTF", "Shift", "JIS", "Excel", "JSONL", "zip", "color", "type", "UTC", "red"}
NAMES |= {
    "cpu",
    "gpu",
    "dte",
    "faithful",
    "green",
    "blue",
    "cup",
    "png",
    "abc",
    "Plates",
    "test",
    "page",
    "catalogues",
    "MB",
    "split",
    "JPG",
    "train",
}


@pytest.fixture
def addresses(visitor: Visitor, version: Version) -> list[str]:
    """Pages in all their states."""
    visitor("administrator")
    owner = User.objects.get(username="administrator")
    model = TrainedModel.objects.create(
        name="mugs", identity="abc", stamp="1", image_size=32, registered_at=timezone.now()
    )
    plates = TrainedModel.objects.create(name="plates", identity="abc", stamp="1", problem="x")
    promotion.promote(model, owner, reason="赤")
    problems = [["no_picture", "page.png", ""], ["oversized", "red.png", ""]]
    uploads = [
        Upload.objects.create(owner=owner, name="Plates"),
        Upload.objects.create(owner=owner, name="Plates", state="failed", problems=problems, num_problems=9),
        Upload.objects.create(owner=owner, name="Plates", state="done", version=version, problems=problems),
    ]
    trainings = [training.start(version, owner, minutes=15, base=None, preset="") for _ in range(4)]
    for made, state, share in zip(trainings, ("waiting", "running", "done", "failed"), (0, 0.2, 0.5, 0), strict=True):
        Training.objects.filter(pk=made.pk).update(state=state, share=share, error="x")
    check = Check.objects.create(owner=owner, version=version, fingerprint=version.fingerprint)
    told = {"owner": owner, "version": version, "model": model, "identity": "abc", "split": "train"}
    waits, done = Evaluation.objects.create(**told), Evaluation.objects.create(**told, state="done", passed=False)
    done.path.mkdir()
    gates = [
        {"gate": name, "measured": 0.1, "passed": False, "text": "赤"}
        for name in ("realism", "distance", "variety", "copies")
    ]
    report = {"gates": gates, "verdict_text": "赤", "protocol": {"num_pictures": 60}}
    (done.path / "report.ja.json").write_text(json.dumps(report))
    asked = {"texts": ["赤"], "seed": 1, "balance": 0.5}
    comparison = Comparison.objects.create(pk=uuid.uuid4(), owner=owner, first=model, second=plates, **asked)
    assert waits.open
    assert check.open
    return [
        "/catalogues",
        "/catalogues/upload",
        f"/catalogues/upload?to={version.catalogue_id}",
        *(f"/uploads/{upload.pk}" for upload in uploads),
        f"/catalogues/{version.pk}",
        f"/catalogues/{version.pk}/pictures",
        f"/catalogues/{version.pk}/pictures?q=nothing",
        f"/catalogues/{version.pk}/train",
        *(f"/trainings/{made.pk}" for made in trainings),
        "/models",
        f"/models/{model.pk}",
        f"/models/{plates.pk}",
        "/models/compare",
        f"/comparisons/{comparison.pk}",
    ]


def test_no_page_in_japanese_says_a_word_of_english(addresses: list[str], visitor: Visitor) -> None:
    client = visitor("administrator")
    client.post("/language", {"language": "ja"})
    answers = [client.get(address) for address in addresses]
    answers += [client.post("/catalogues/upload", {"template": "{"}), client.post(addresses[9], {"minutes": "0"})]
    answers += [client.post("/models/compare", {"texts": ""})]
    for answer in answers:
        page = answer.content.decode()
        assert answer.status_code in (200, 422)
        assert '<html lang="ja">' in page
        places = {"Review", "Policy", "Figures", "Audit"}  # of the navigation, which other tests look at
        words = {word for text in Reader(page).texts for word in re.findall(r"[A-Za-z]{2,}", text)}
        identifiers = set(re.findall(r"[A-Za-z]{2,}", " ".join(re.findall(r"\b[0-9a-f]{12}\b", page))))
        assert words - NAMES - places - identifiers == set(), answer.request["PATH_INFO"]


def test_every_field_has_a_label_and_every_picture_a_text(addresses: list[str], visitor: Visitor) -> None:
    client = visitor("administrator")
    for address in addresses:
        page = client.get(address).content.decode()
        labelled = set(re.findall(r'<label[^>]* for="([^"]+)"', page))
        shown = re.findall(r"<(?:input|select|textarea)\b(?![^>]*type=\"hidden\")[^>]*>", page)
        found = [re.search(r'id="([^"]+)"', field) for field in shown]
        assert [field for field, name in zip(shown, found, strict=True) if not name or name[1] not in labelled] == []
        assert all("alt=" in image for image in re.findall(r"<img[^>]*>", page))
        assert "style=" not in page, address  # the pages' policy refuses it


def test_a_viewer_sees_everything_and_changes_nothing(addresses: list[str], visitor: Visitor) -> None:
    client = visitor("viewer")
    for address in addresses:
        answer = client.get(address)
        if re.search(r"/(upload|train|compare)\b", address) and "trainings" not in address and "uploads" not in address:
            assert answer.status_code == 403, address
            continue
        assert answer.status_code == 200, address
        forms: list[Any] = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', answer.content.decode())
        assert set(forms) <= {"/language", "/logout"}, address
