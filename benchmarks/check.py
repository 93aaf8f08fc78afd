"""How long does a catalogue of 10,000 pictures take to check, and in how much memory?

    python benchmarks/check.py [CATALOGUE] [--pictures 10000] [--size 64]

Without a catalogue, the built-in one is drawn first (not counted). Prints the time of the whole command
`bespoke check`, start of the interpreter included, and the most memory it ever held; then the same for a tenth of the
pictures, which shows what grows with the catalogue. The time of real photos is mostly that of decoding them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bespoke.data.sample import write_sample


def measure(catalogue: Path, out: Path) -> tuple[float, float]:
    """Seconds and the largest resident memory, in MiB, of `bespoke check`."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bespoke", "check", str(catalogue), "--out", str(out)], stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"bespoke check {catalogue} failed")
    return time.perf_counter() - began, usage.ru_maxrss / 1024  # Linux counts KiB


def report(catalogue: Path, out: Path) -> None:
    """Measure one catalogue and print a line."""
    seconds, memory = measure(catalogue, out)
    counts = json.loads((out / "report.json").read_text("utf-8"))["counts"]
    page = (out / "report.html").stat().st_size / 1024
    print(f"{counts['items']:,} pictures: {seconds:.1f} s, at most {memory:.0f} MiB, report.html {page:.0f} KiB")


def main() -> None:
    """Draws where nothing is given, and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue", type=Path, nargs="?")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=64)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.catalogue is not None:
            report(args.catalogue, folder / "report")
            return
        for count in (args.pictures, max(1, args.pictures // 10)):
            report(write_sample(folder / f"shop-{count}", count, args.size, seed=0), folder / f"report-{count}")


if __name__ == "__main__":
    main()
