"""Are Parquet files that hold the pictures a catalogue as any other?"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bespoke.data.catalogue import Catalogue
from bespoke.data.columns import Columns
from bespoke.data.store import prepare
from bespoke.errors import UserError

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def encoded(level: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (32, 32), (level, 100, 50)).save(stream, "PNG")
    return stream.getvalue()


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def row(level: int, **more: Any) -> dict[str, Any]:
    return {"image": {"bytes": encoded(level), "path": f"{level}.png"}, "text": f"level {level}"} | more


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """Two splits; in the second, captions are lists, a picture is missing, and a further column has pictures."""
    write(tmp_path / "data" / "train-00000-of-00001.parquet", [row(number, label=number % 2) for number in range(3)])
    rows = [row(9, text=["nine", "9"], mask=encoded(0)), {"image": None, "text": ["lost"], "mask": encoded(0)}]
    write(tmp_path / "data" / "test-00000-of-00001.parquet", rows)
    return tmp_path


def test_rows_are_pictures_with_captions_attributes_and_a_split(hub: Path) -> None:
    with pytest.raises(UserError, match="pictures are in image and mask; choose: --file-column NAME"):
        list(Catalogue.open(hub))
    catalogue = Catalogue.open(hub, Columns(file="image"))
    items = list(catalogue)
    assert [(item.name, item.split) for item in items] == [
        ("data/test-00000-of-00001/000001.png", "test"),
        *((f"data/train-00000-of-00001/{number:06d}.png", "train") for number in (1, 2, 3)),
    ]
    assert [item.texts for item in items] == [("nine", "9"), ("level 0",), ("level 1",), ("level 2",)]
    assert [item.attributes for item in items] == [{}, {"label": "0"}, {"label": "1"}, {"label": "0"}]
    assert items[1].open().read() == encoded(0)
    assert catalogue.problems.counts == {"rows that name no picture": 1}


def test_it_is_prepared_and_a_changed_file_is_noticed(tmp_path: Path) -> None:
    file = write(tmp_path / "set" / "0000.parquet", [{"photo": encoded(level), "caption": "a"} for level in (7, 8)])
    catalogue = Catalogue.open(file.parent)
    store = prepare(catalogue, 32, tmp_path / "cache")
    assert sorted(store.take(np.arange(2))[:, 0, 0, 0].tolist()) == [7, 8]
    before = catalogue.fingerprint()
    write(file, [{"photo": encoded(200), "caption": "another"}])
    assert Catalogue.open(file.parent).fingerprint() != before


def test_what_is_no_set_of_pictures_is_said(tmp_path: Path) -> None:
    write(tmp_path / "plain" / "0000.parquet", [{"text": "a red mug"}])
    with pytest.raises(UserError, match="plain: no captions found; if they are in 0000.parquet"):
        Catalogue.open(tmp_path / "plain")
    write(tmp_path / "set" / "0000.parquet", [row(1)])
    with pytest.raises(UserError, match=r"no pictures in column text \(columns: image, text\); name one"):
        list(Catalogue.open(tmp_path / "set", Columns(file="text")))
    write(tmp_path / "set" / "0000.parquet", [row(1, split="dev"), row(2, split="7")])
    with pytest.raises(UserError, match="0000.parquet:2: split '7': use train, validation or test"):
        list(Catalogue.open(tmp_path / "set"))
