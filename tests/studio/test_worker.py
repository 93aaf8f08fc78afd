from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import Event

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from bespoke.errors import UserError
from bespoke.pipeline import Pipeline
from bespoke.provenance import read_mark
from bespoke.studio import jobs, registry
from bespoke.studio.audit.models import Entry
from bespoke.studio.loaded import Loaded
from bespoke.studio.models import Job, Picture, TrainedModel
from bespoke.studio.worker import Artist, StoppedError


def claim(**asked: object) -> Job:
    owner, _ = User.objects.get_or_create(username="ada")
    usual = {"text": "a red zebra", "num_images": 2, "balance": 0.25, "seed": 7, "best_of": 1}
    jobs.enqueue(owner=owner, model=TrainedModel.objects.get(), **(usual | asked))
    job = jobs.claim()
    assert job is not None
    return job


def test_a_job_becomes_the_pictures_of_the_pipeline_each_marked(models: Path) -> None:
    job = claim()
    Artist(Loaded(models), Event()).draw(job)
    job.refresh_from_db()
    assert (job.state, job.unknown_words) == ("done", ["zebra"])
    expected = Pipeline.from_pretrained(models / "mugs")("a red zebra", num_images=2, balance=0.25, seed=7)
    for made, wanted in zip(job.results, expected.pictures, strict=True):
        assert (made.seed, made.alignment) == (wanted.seed, wanted.alignment)
        file = Path(default_storage.path(made.file))
        assert hashlib.sha256(file.read_bytes()).hexdigest() == made.sha256
        told = read_mark(file)
        assert told["digital_source_type"].endswith("trainedAlgorithmicMedia")
        assert (told["prompt"], told["seed"], told["model"]) == ("a red zebra", made.seed, made.model_name)
        assert file.stat().st_mode & 0o022 == 0


def test_what_a_killed_worker_left_is_cleared_away(models: Path) -> None:
    job = claim()
    default_storage.save(f"{job.pk}/0-dead.png", ContentFile(b"half"))
    Artist(Loaded(models), Event()).draw(job)
    assert len(default_storage.listdir(str(job.pk))[1]) == 2


def test_a_worker_that_lost_its_lease_leaves_no_file(models: Path) -> None:
    job = claim()
    Job.objects.update(lease=None)
    with pytest.raises(jobs.LeaseLostError):
        Artist(Loaded(models), Event()).draw(job)
    assert default_storage.listdir(str(job.pk)) == ([], [])
    assert not Picture.objects.exists()


def test_a_worker_that_is_asked_to_stop_stops_between_pictures(models: Path) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(StoppedError):
        Artist(Loaded(models), stop).draw(claim())


def test_a_model_that_has_changed_is_not_drawn_with_until_it_is_registered_again(models: Path) -> None:
    job = claim()
    artist = Artist(Loaded(models), Event())
    TrainedModel.objects.update(identity="other", stamp="old")
    job.refresh_from_db()
    with pytest.raises(UserError, match="mugs has changed since it was registered"):
        artist.draw(Job.objects.select_related("model").get(pk=job.pk))
    registry.scan(models)
    found = TrainedModel.objects.get()
    assert found.registered_at is None
    assert found.identity != "other"
    row = Entry.objects.get(action="model.changed")
    assert (row.actor_id, row.action, row.subject) == (None, "model.changed", f"trainedmodel {found.pk}")
    assert row.told == {"name": "mugs", "before": "other", "identity": found.identity}


def test_a_model_is_looked_into_once_and_again_when_it_changes(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    real = Pipeline.from_pretrained
    monkeypatch.setattr(
        Pipeline, "from_pretrained", lambda place, **given: looked.append(place) or real(place, **given)
    )
    registry.scan(models)
    assert looked == []
    index = models / "mugs" / "model" / registry.INDEX
    os.utime(index, ns=(1, 1))
    registry.scan(models)
    assert looked == [models / "mugs"]
    assert TrainedModel.objects.get().usable  # the same weights
    assert not Entry.objects.filter(action="model.changed").exists()


def test_a_broken_and_a_lost_model_say_what_is_wrong(models: Path) -> None:
    index = models / "mugs" / "model" / registry.INDEX
    index.write_text("{}", "utf-8")
    os.utime(index, ns=(1, 1))
    registry.scan(models)
    found = TrainedModel.objects.get()
    assert "this version reads" in found.problem
    assert not found.usable
    index.unlink()
    registry.scan(models)
    assert "no longer there" in TrainedModel.objects.get().problem
