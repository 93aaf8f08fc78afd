"""How long does a user wait for a picture?

    python benchmarks/generate.py RUN [--pictures 100]

Prints the time of one picture once the model is loaded (median and 95th percentile), of the whole command
`bespoke generate` for one picture, and of `bespoke --help`, each as a user meets it: in a process of its own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from bespoke.pipeline import Pipeline

TEXT = "a yellow flower with pointed petals"
REPEATS = 5  # of each command


def milliseconds(run: Callable[[], object]) -> float:
    """How long `run` takes."""
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1e3


def command(*arguments: str) -> float:
    """Median time of `bespoke` with these arguments, in milliseconds."""
    asked = [sys.executable, "-m", "bespoke", *arguments]
    with tempfile.TemporaryDirectory() as folder:  # each run has a fresh current folder to write into
        run = lambda: subprocess.run(asked, check=True, capture_output=True, cwd=folder)  # noqa: E731
        run()  # fills the file cache
        return statistics.median(milliseconds(run) for _ in range(REPEATS))


def main() -> None:
    """Measures inside this process first, then whole commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--pictures", type=int, default=100)
    args = parser.parse_args()

    pipeline = Pipeline.from_pretrained(args.run)
    pipeline(TEXT, seed=0, num_images=3)
    took = sorted(milliseconds(lambda: pipeline(TEXT, seed=1)) for _ in range(args.pictures))
    late = took[int(0.95 * len(took))]
    size = pipeline.networks.settings.image_size
    print(f"{torch.get_num_threads()} threads, {size}x{size}, n = {len(took)}")
    print(f"one picture, model loaded: {statistics.median(took):.1f} ms (95th percentile {late:.1f} ms)")
    whole = command("generate", str(Path(args.run).resolve()), TEXT)
    print(f"bespoke generate, the whole command: {whole / 1e3:.2f} s")
    print(f"bespoke --help: {command('--help') / 1e3:.2f} s")


if __name__ == "__main__":
    main()
