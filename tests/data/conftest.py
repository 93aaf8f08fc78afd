"""Small catalogues made on the spot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

PictureMaker = Callable[..., Path]
FolderMaker = Callable[..., Path]


def _picture(path: Path, seed: int = 0, size: tuple[int, int] = (20, 20)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.fixture
def make_picture() -> PictureMaker:
    """Writes a picture of noise; the same seed gives the same pixels."""
    return _picture


@pytest.fixture
def make_folder(tmp_path: Path) -> FolderMaker:
    """Writes an image folder of `count` different pictures; `row(i)` gives further columns of picture i."""

    def make(count: int, row: Callable[[int], dict[str, Any]] | None = None, name: str = "shop") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        with (folder / "metadata.jsonl").open("w", encoding="utf-8") as file:
            for number in range(count):
                _picture(folder / f"{number}.png", seed=number)
                columns = {"file_name": f"{number}.png", "text": f"vase number {number}"}
                file.write(json.dumps({**columns, **(row(number) if row else {})}) + "\n")
        return folder

    return make
