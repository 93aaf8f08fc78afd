"""Are plain grounds told from busy ones, at every size?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bespoke.data.catalogue import Catalogue
from bespoke.data.stillness import contrast_of_still_parts
from bespoke.data.store import PairStore, prepare


def shop(folder: Path, side: int, share_busy: float, amplitude: int = 60) -> PairStore:
    """Ten pictures whose right part is noise on fields of 1/64 of the side, and the rest a slope from dark to light."""
    folder.mkdir()
    chance, rows = np.random.default_rng(0), []
    for number in range(10):
        slope = np.broadcast_to(np.linspace(80, 120, 64), (64, 64)).copy()
        noise = chance.integers(-amplitude, amplitude + 1, (64, 64))
        start = round(64 * (1 - share_busy))
        slope[:, start:] += noise[:, start:]
        pixels = slope.round().astype(np.uint8).repeat(side // 64, 0).repeat(side // 64, 1)
        Image.fromarray(pixels).convert("RGB").save(folder / f"{number}.png")
        rows.append(json.dumps({"file_name": f"{number}.png", "text": f"slope {number}"}))
    (folder / "metadata.jsonl").write_text("\n".join(rows))
    return prepare(Catalogue.open(str(folder)), side)


def contrast(store: PairStore) -> float:
    return contrast_of_still_parts(store, np.arange(10))


def test_a_slope_is_still_as_long_as_a_quarter_of_the_picture_is(tmp_path: Path) -> None:
    assert contrast(shop(tmp_path / "plain", 64, 0.0)) < 0.5
    assert contrast(shop(tmp_path / "half", 64, 0.5)) < 0.5
    assert contrast(shop(tmp_path / "busy", 64, 1.0)) > 5
    assert contrast(shop(tmp_path / "faint", 64, 1.0, amplitude=12)) < contrast(shop(tmp_path / "more", 64, 1.0))


@pytest.mark.parametrize("side", [128, 256])
def test_the_size_of_the_pictures_does_not_matter(tmp_path: Path, side: int) -> None:
    small, large = (contrast(shop(tmp_path / str(size), size, 1.0)) for size in (64, side))
    assert large == pytest.approx(small, rel=0.01)
