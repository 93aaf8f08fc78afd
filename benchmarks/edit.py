"""How long does an edit take, at the model's size and at a photograph's?

    python benchmarks/edit.py RUN [--edits 50]

Prints the median and the 95th percentile of one edit by a loaded model, and how much memory a photograph took at most.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time

import numpy as np
import torch
from PIL import Image

from bespoke.pipeline import Pipeline

OLD, NEW = "a yellow flower with pointed petals", "a red flower with pointed petals"
PHOTOGRAPH = (4000, 3000)  # pixels


def picture(width: int, height: int) -> Image.Image:
    """Coloured noise, soft as photographs are."""
    levels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize((width, height), Image.Resampling.BICUBIC)


def main() -> None:
    """Measures small edits first, then large ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--edits", type=int, default=50)
    args = parser.parse_args()

    pipeline = Pipeline.from_pretrained(args.run)
    size = pipeline.networks.settings.image_size
    for (width, height), count in (((size, size), args.edits), (PHOTOGRAPH, 3)):
        shown, took = picture(width, height), []
        pipeline.edit(shown, NEW, source=OLD, seed=0)
        for seed in range(count):
            began = time.perf_counter()
            pipeline.edit(shown, NEW, source=OLD, seed=seed)
            took.append((time.perf_counter() - began) * 1e3)
        late = sorted(took)[int(0.95 * len(took))]
        print(f"{width}x{height}, {torch.get_num_threads()} threads, n = {count}: ", end="")
        print(f"{statistics.median(took):.1f} ms (95th percentile {late:.1f} ms)")
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
