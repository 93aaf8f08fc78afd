"""A catalogue so small that judges learn it in seconds, and a model of fixed weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bespoke.config import resolve
from bespoke.data.captions import Tokenizer
from bespoke.data.catalogue import Catalogue
from bespoke.data.store import PairStore, prepare
from bespoke.evaluation.evaluate import evaluate
from bespoke.evaluation.examine import Examined, examined
from bespoke.evaluation.judge import FAMILIES
from bespoke.evaluation.result import Evaluation
from bespoke.evaluation.teach import judge_of
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline

COLORS = {"red": (200, 30, 30), "green": (30, 150, 40), "blue": (30, 60, 200), "yellow": (220, 200, 40)}
KINDS = ("box", "bar", "post")
SIZES = {"small": 5, "large": 9}
SHOWN = {"residual": 480, "patches": 72}  # pictures that judges learn from
SPLITS = (("train", 120), ("validation", 56), ("test", 60))


def write_boxes(folder: Path) -> Path:
    """Boxes, bars and posts in four colours. Drawn here and not by bespoke.data.sample, which may grow at any time."""
    folder.mkdir()
    whats = list(product(COLORS, KINDS, SIZES))
    rng = np.random.default_rng(0)
    splits = (split for split, count in SPLITS for _ in range(count))
    with (folder / "metadata.jsonl").open("w", encoding="utf-8") as file:
        for number, split in enumerate(splits):
            color, kind, size = whats[number % len(whats)]
            pixels = rng.normal(235, 6, (32, 32, 3))
            half_x, half_y = (SIZES[size] // (3 if kind == thin else 1) for thin in ("post", "bar"))
            x, y = rng.integers(11, 21, 2)
            pixels[y - half_y : y + half_y + 1, x - half_x : x + half_x + 1] = COLORS[color]
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
            texts = [f"a {size} {color} {kind}", f"{kind}, {color}, {size}"]
            row = {"file_name": f"{number}.png", "texts": texts, "class": kind, "split": split}
            file.write(json.dumps(row) + "\n")
    return folder


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the one cache for what all tests here need."""
    return tmp_path_factory.mktemp("evaluation")


@contextmanager
def smaller(folder: Path) -> Iterator[None]:
    """What takes long is made smaller, and finds the cache that tests here share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESPOKE_CACHE", str(folder / "cache"))
        patch.setattr("bespoke.evaluation.questions.MOST_FOR_DIVERSITY", 20)
        patch.setattr("bespoke.evaluation.scores.NUM_RESAMPLES", 20)
        yield


@pytest.fixture(scope="module", autouse=True)
def _smaller(shared_cache: Path) -> Iterator[None]:
    """In the tests of this folder and in no others."""
    with smaller(shared_cache):
        yield


@pytest.fixture(scope="session")
def boxes_folder(shared_cache: Path) -> Path:
    return write_boxes(shared_cache / "boxes")


@pytest.fixture(scope="session")
def boxes(boxes_folder: Path, shared_cache: Path) -> PairStore:
    return prepare(Catalogue.open(str(boxes_folder)), 32, shared_cache / "cache")


@pytest.fixture(scope="session")
def judges(boxes: PairStore, shared_cache: Path) -> list[Examined]:
    """Both judges, taught for a few steps only."""
    with smaller(shared_cache):
        return [examined(boxes, judge_of(boxes, name, num_pictures=SHOWN[name], batch_size=24)) for name in FAMILIES]


@pytest.fixture(scope="session")
def model(boxes: PairStore) -> Pipeline:
    """A model that was never trained; its weights come from a seed."""
    captions = (text for index in boxes.indices("train") for text in boxes.captions(int(index)))
    tokenizer = Tokenizer.train(captions, 320)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = build_networks(resolve("test32", ["model.canonical_width=0"]).model, tokenizer.vocabulary_size)
    for network in networks.named().values():
        network.eval().requires_grad_(False)
    return Pipeline(networks, tokenizer, identity="0123456789ab")


@pytest.fixture(scope="session")
def evaluation(model: Pipeline, boxes: PairStore, judges: list[Examined], shared_cache: Path) -> Evaluation:
    with smaller(shared_cache):
        return evaluate(model, boxes, judges, split="test", balances=(0.0, 1.0), seed=3)
