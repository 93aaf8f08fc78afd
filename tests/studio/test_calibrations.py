from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image
from reviewing import drawn

from bespoke.data.catalogue import Catalogue
from bespoke.data.store import prepare
from bespoke.pipeline import Pipeline
from bespoke.studio import jobs, registry
from bespoke.studio.audit.models import Entry
from bespoke.studio.models import TrainedModel
from bespoke.studio.review import calibrations
from bespoke.studio.review.calibrations import Calibrate
from bespoke.studio.review.models import Calibration
from bespoke.studio.review.review import propose
from bespoke.studio.workshop import work
from bespoke.studio.workshop.models import Catalogue as Kept
from bespoke.studio.workshop.models import Training, Version

Visitor = Callable[[str], Client]


@pytest.fixture
def trained_here(trained: Path, people: dict[str, User]) -> Iterator[tuple[TrainedModel, Version]]:
    """A model in the studio, and the version that it was trained on in the studio."""
    shutil.copytree(trained, settings.HOME.models / "mugs")
    shutil.copytree(trained.parent / "shop", settings.HOME.catalogues / "shop-v1")
    registry.scan(settings.HOME.models)
    keeper = people["administrator"]
    version = Version.objects.create(
        catalogue=Kept.objects.create(name="Shop", slug="shop"),
        number=1,
        folder="shop-v1",
        created_by=keeper,
        num_pictures=24,
        fingerprint="0" * 64,
    )
    Training.objects.create(owner=keeper, version=version, minutes=1, run="mugs", state="done")
    yield TrainedModel.objects.get(), version
    for place in (settings.HOME.models / "mugs", settings.HOME.catalogues / "shop-v1"):
        shutil.rmtree(place)


def measure(tmp_path: Path) -> Calibration:
    """What the workshop does with the calibration that waits."""
    row = jobs.claim(Calibration)
    assert row is not None
    todo = Calibrate(row)
    env = os.environ | {"BESPOKE_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(Path.cwd())}
    subprocess.run(todo.command(), check=True, env=env, capture_output=True)
    todo.hand_in()
    todo.clean()
    row.refresh_from_db()
    return row


def test_the_workshop_calibrates_too() -> None:
    assert Calibrate in work.KINDS


def test_a_model_is_measured_on_its_own_catalogue_when_it_is_registered(
    trained_here: tuple[TrainedModel, Version], visitor: Visitor, people: dict[str, User], tmp_path: Path
) -> None:
    model, version = trained_here
    client = visitor("administrator")
    client.post(f"/models/{model.pk}/register", {"identity": model.identity})
    assert "Being measured." in client.get("/gates").content.decode()
    assert calibrations.order(model, people["administrator"]) == Calibration.objects.get()  # once
    found = measure(tmp_path)
    assert (found.state, found.version, found.num_training, found.held_out) == ("done", version, 20, False)

    store = prepare(Catalogue.open(version.path), 32, tmp_path / "cache")
    pairs = np.concatenate([store.indices("validation"), store.indices("train")])  # 2 alone would be too few
    pictures = [Image.fromarray(pixels.transpose(1, 2, 0)) for pixels in store.take(pairs)]
    scores = Pipeline.from_pretrained(settings.HOME.models / "mugs").score(
        pictures, [store.captions(int(index))[0] for index in pairs]
    )
    assert found.num_pairs == 22
    assert found.alignment == pytest.approx(float(np.percentile(scores.numpy(), 5)), abs=1e-4)
    assert found.nearness is not None
    assert 0.01 <= found.nearness < 1
    page = client.get("/gates").content.decode()
    assert "22 real pairs, 20 training pictures" in page
    assert "too few were held out of training" in page
    assert Entry.objects.filter(action="calibration.measured").exists()

    # A training picture that comes back as a generated one is a near copy, and is shown beside it.
    model.refresh_from_db()
    job = drawn(model, people["creator"], 1.0)
    file, content = calibrations.training_picture(found, 3), ContentFile(b"")
    assert file is not None
    place = list(store.indices("train"))[3]
    Image.fromarray(store.take(np.array([place]))[0].transpose(1, 2, 0)).save(content, "PNG")
    picture = job.results[0]
    default_storage.delete(picture.file)
    default_storage.save(picture.file, content)
    proposal = propose([picture], people["creator"])[0]
    assert proposal.copied["nearest"][0]["index"] == 3
    assert not proposal.passed
    page = client.get(f"/review/{proposal.pk}").content.decode()
    assert f"/gates/{found.pk}/training-picture?index=3" in page
    answer = client.get(f"/gates/{found.pk}/training-picture", {"index": 3})
    assert answer.content == file.read_bytes()
    assert answer["Content-Type"] == "image/png"
    for index in ("20", "-1", "x", "", "²"):
        assert client.get(f"/gates/{found.pk}/training-picture", {"index": index}).status_code == 404


def test_a_model_that_has_changed_meanwhile_is_not_calibrated(
    trained_here: tuple[TrainedModel, Version], people: dict[str, User], tmp_path: Path
) -> None:
    model, _ = trained_here
    calibrations.order(model, people["administrator"])
    Calibration.objects.update(identity="another")
    found = measure(tmp_path)
    assert found.state == "failed"
    assert "has changed meanwhile" in found.error


def test_a_model_from_elsewhere_is_measured_where_somebody_says_or_limited_by_hand(
    model: TrainedModel, version: Any, visitor: Visitor, people: dict[str, User]
) -> None:
    assert calibrations.order(model, people["administrator"]) is None
    client = visitor("administrator")
    client.post(f"/gates/{model.pk}", {"measure": "1", "version": "99999"})
    assert not Calibration.objects.filter(version__isnull=False).exists()
    client.post(f"/gates/{model.pk}", {"measure": "1", "version": version.pk})
    assert Calibration.objects.get(version__isnull=False).state == "waiting"
    assert client.post(f"/gates/{model.pk}", {"alignment": "2"}).status_code == 422
    client.post(f"/gates/{model.pk}", {"alignment": "0.25", "waived": ""})
    last = Calibration.objects.filter(version=None).order_by("finished_at").last()
    assert last is not None
    assert (last.alignment, last.waived) == (0.25, "")
    page = client.get("/gates").content.decode()
    assert "0.250" in page
    assert "Cannot be told" in page


def test_no_name_in_a_list_of_pictures_leads_out_of_the_catalogue(version: Any, model: TrainedModel) -> None:
    made = Calibration.objects.create(
        model=model, identity="abc", owner=version.created_by, version=version, state="done"
    )
    made.path.mkdir(parents=True)
    (settings.HOME.folder / "outside.png").write_bytes(b"x")
    (made.path / "names.json").write_text('["../../outside.png", "000001-0000000000000001.png", "gone.png"]', "utf-8")
    assert [calibrations.training_picture(made, index) is not None for index in range(3)] == [False, True, False]
