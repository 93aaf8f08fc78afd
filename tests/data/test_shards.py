from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import fsspec
import numpy as np
import pytest
from PIL import Image

from bespoke.data.catalogue import Catalogue
from bespoke.data.store import prepare
from bespoke.errors import UserError

pytest.importorskip("webdataset")


def picture(seed: int, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, kind)
    return buffer.getvalue()


def shard(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


FIRST = {
    "a.png": picture(0),
    "a.txt": "赤い壺\na red pot\n".encode(),
    "b.jpg": picture(1, "JPEG"),
    "b.json": json.dumps({"text": "a blue pot", "class": "pot", "price": 3}).encode(),
}
SECOND = {"c.webp": picture(2, "WEBP"), "c.json": json.dumps({"texts": ["one", "two"]}).encode()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, members in enumerate((FIRST, SECOND)):
        (tmp_path / f"x-{number}.tar").write_bytes(shard(members))
    return tmp_path


def read(location: str | Path) -> dict[str, tuple[tuple[str, ...], dict[str, str]]]:
    catalogue = Catalogue.open(location)
    assert catalogue.reader.name == "webdataset"
    return {item.name: (item.texts, item.attributes) for item in catalogue}


EXPECTED = {
    "x-0/a.png": (("赤い壺", "a red pot"), {}),
    "x-0/b.jpg": (("a blue pot",), {"class": "pot", "price": "3"}),
    "x-1/c.webp": (("one", "two"), {}),
}


def test_a_folder_of_shards_is_read_in_order(folder: Path) -> None:
    assert list(read(folder).items()) == list(EXPECTED.items())


@pytest.mark.parametrize("pattern", ["x-{0..1}.tar", "x-*.tar"])
def test_braces_and_stars_stand_for_several_shards(folder: Path, pattern: str) -> None:
    assert read(f"{folder}/{pattern}") == EXPECTED


def test_one_shard_alone_is_a_catalogue(folder: Path) -> None:
    assert set(read(folder / "x-1.tar")) == {"x-1/c.webp"}


def test_shards_behind_a_url_become_a_store(folder: Path, tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    for path in folder.glob("*.tar"):
        system.pipe(f"/bucket/{path.name}", path.read_bytes())
    try:
        assert read("memory://bucket") == EXPECTED
        catalogue = Catalogue.open("memory://bucket/x-{0..1}.tar")
        store = prepare(catalogue, 16, tmp_path / "cache")
        assert (len(store), store.name(1), store.captions(1)) == (3, "x-0/b.jpg", ["a blue pot"])
    finally:
        system.rm("/bucket", recursive=True)


def test_the_fingerprint_follows_the_shards_without_reading_them(folder: Path) -> None:
    before = Catalogue.open(folder).fingerprint()
    assert Catalogue.open(folder).fingerprint() == before
    (folder / "x-0.tar").write_bytes(b"broken, which a fingerprint does not see")
    assert Catalogue.open(folder).fingerprint() != before


def test_a_sample_without_a_picture_is_listed_and_one_without_a_caption_has_no_texts(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(shard({"a.txt": b"a pot", "b.png": picture(0), "c.mp4": b"film"}))
    catalogue = Catalogue.open(tmp_path)
    assert [(item.name, item.texts) for item in catalogue] == [("x/b.png", ())]
    assert list(catalogue.problems) == ["1 samples without a picture (first: x/a)"]


def test_dots_in_a_name_do_not_hide_a_picture(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(shard({"a.v2.png": picture(0), "a.v2.txt": b"a pot"}))
    assert [item.texts for item in Catalogue.open(tmp_path)] == [("a pot",)]


@pytest.mark.parametrize("damage", ["truncated", "no tar", "empty"])
def test_a_broken_shard_is_named(folder: Path, damage: str) -> None:
    path = folder / "x-0.tar"
    path.write_bytes({"truncated": path.read_bytes()[:1000], "no tar": b"x" * 4096, "empty": b""}[damage])
    with pytest.raises(UserError, match=r"x-0\.tar: broken shard") as caught:
        list(Catalogue.open(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff"])
def test_broken_json_in_a_shard_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(shard({"a.png": picture(0), "a.json": data}))
    with pytest.raises(UserError, match=r"x/a\.json: "):
        list(Catalogue.open(tmp_path))


@pytest.mark.parametrize("method", [Catalogue.fingerprint, list])
def test_a_missing_shard_is_named(folder: Path, method: Callable[[Catalogue], object]) -> None:
    with pytest.raises(UserError, match=r"x-2\.tar: no such shard"):
        method(Catalogue.open(f"{folder}/x-{{1..2}}.tar"))


def test_a_url_without_shards_or_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UserError, match=r"no \.tar shards there"):
        list(Catalogue.open("memory://nothing"))
    with pytest.raises(UserError, match="cannot be reached"):
        list(Catalogue.open("nosuch://bucket"))
