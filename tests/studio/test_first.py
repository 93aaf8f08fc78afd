"""What a fresh studio is given, and that nothing is put into one that is not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from bespoke.errors import UserError
from bespoke.pipeline import Pipeline
from bespoke.studio import registry
from bespoke.studio.audit.models import Entry
from bespoke.studio.first import offer_base
from bespoke.studio.models import BASE, TrainedModel

Visitor = Callable[[str], Client]


@pytest.fixture
def fresh(database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of models."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_a_fresh_studio_has_the_base_registered_and_says_what_it_is(visitor: Visitor, fresh: Path) -> None:
    (fresh / f".{BASE}").mkdir()  # half a copy, of a start that was killed
    (fresh.parent / "products").mkdir()  # a catalogue of that name, where the studio was started
    offer_base(fresh)
    model = TrainedModel.objects.get()
    assert (model.name, model.identity) == (BASE, Pipeline.from_pretrained("products").identity)
    assert model.usable
    assert not (fresh / f".{BASE}").exists()
    assert Entry.objects.filter(action="model.registered").count() == 1
    page = visitor("creator").get("/create").content.decode()
    assert "base-products (comes with Bespoke)" in page
    assert "It is for trying things out, not for publishing." in page
    assert "text=a%20red%20mug%20on%20a%20white%20background" in page
    registry.scan(fresh)
    model.refresh_from_db()
    assert model.usable


def test_a_studio_that_has_or_had_models_is_left_alone(visitor: Visitor, fresh: Path) -> None:
    offer_base(fresh)
    shutil.rmtree(fresh / BASE)
    registry.scan(fresh)
    offer_base(fresh)
    assert list(fresh.iterdir()) == []
    TrainedModel.objects.all().delete()
    (fresh / "own").mkdir()
    offer_base(fresh)
    assert [place.name for place in fresh.iterdir()] == ["own"]
    assert not TrainedModel.objects.exists()


def test_where_there_is_no_room_the_start_says_so(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(UserError, match="cannot be written .No space left on device.; free some disk space"):
        offer_base(fresh)


def test_beside_models_of_one_s_own_the_base_says_no_more_than_its_name(visitor: Visitor, database: None) -> None:
    from django.utils import timezone

    for name in (BASE, "mugs"):
        TrainedModel.objects.create(name=name, identity="abc", stamp="1", registered_at=timezone.now())
    page = visitor("creator").get("/create").content.decode()
    assert "base-products (comes with Bespoke)" in page
    assert "not for publishing" not in page
