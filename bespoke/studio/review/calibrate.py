"""What is usual for real pictures? A process that asks a model about the catalogue it was trained on. Knows no Django.

`python -m bespoke.studio.review.calibrate MODEL CATALOGUE OUT`: writes result.json and, for each training picture, its
name and its small copy.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bespoke.data.catalogue import Catalogue
from bespoke.data.store import PairStore, prepare
from bespoke.errors import UserError
from bespoke.pipeline import Pipeline
from bespoke.studio.review.small import FEATURES, NAMES, NUM_FEATURES, RESULT, distances, small

PERCENTILE, SHARE = 5.0, 0.01  # of real pairs below the limit of alignment, of real pictures below that of copies
MOST_PAIRS = 2000  # scored; more would not move a percentile by much
FEWEST_HELD_OUT = 20  # pairs; with fewer, training pairs are asked, too, and the result says so
LEAST_NEARNESS = 0.01  # 2.5 levels of 255: nearer is a copy, however alike the catalogue's own pictures are


def calibrate(model: Path, catalogue: Path, out: Path) -> None:
    """Measure, and write what was found. Raises UserError."""
    pipeline = Pipeline.from_pretrained(model, device="cpu", editor=False)
    store = prepare(Catalogue.open(catalogue), pipeline.networks.settings.image_size, skip_bad=True)
    training, pairs = store.indices("train"), store.indices("validation")
    held_out = len(pairs) >= FEWEST_HELD_OUT
    if not held_out:
        pairs = np.concatenate([pairs, training])
    pairs = pairs[np.linspace(0, len(pairs) - 1, min(len(pairs), MOST_PAIRS)).astype(np.int64)]
    scores = pipeline.score(_pictures(store, pairs), [store.captions(int(index))[0] for index in pairs]).numpy()
    features = np.stack([small(picture) for picture in _pictures(store, training)])
    usual = _usual_nearness(store, pairs, training, features)
    result = {
        "identity": pipeline.identity,
        "alignment": round(float(np.percentile(scores, PERCENTILE)), 6),
        "nearness": max(round(float(np.quantile(usual, SHARE)), 6), LEAST_NEARNESS),
        "num_pairs": len(pairs),
        "num_training": len(training),
        "held_out": held_out,
    }
    out.mkdir(parents=True)
    (out / FEATURES).write_bytes(features.tobytes())
    (out / NAMES).write_text(json.dumps([store.name(int(index)) for index in training]), "utf-8")
    (out / RESULT).write_text(json.dumps(result), "utf-8")


def _pictures(store: PairStore, index: NDArray[np.int64]) -> list[Image.Image]:
    return [Image.fromarray(pixels.transpose(1, 2, 0)) for pixels in store.take(index)]


def _usual_nearness(
    store: PairStore, pairs: NDArray[np.int64], training: NDArray[np.int64], features: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Of each pair's picture, the distance to the nearest training picture that is not itself: [N]"""
    assert features.shape[1] == NUM_FEATURES
    seen = np.stack([small(picture) for picture in _pictures(store, pairs)])
    found = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), 64):
        rows = slice(start, start + 64)
        apart = distances(seen[rows], features)
        apart[pairs[rows, None] == training[None]] = np.inf
        found[rows] = apart.min(1)
    return found[np.isfinite(found)] if np.isfinite(found).any() else np.zeros(1, np.float32)


def main() -> int:
    """The process; a mistake is one line on standard error and 2, as of every command of ours."""
    model, catalogue, out = map(Path, sys.argv[1:])
    try:
        calibrate(model, catalogue, out)
    except UserError as error:
        print(f"bespoke: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
