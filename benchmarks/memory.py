"""Does memory grow with the catalogue? A training process on a small catalogue, and on one a hundred times as large.

    python benchmarks/memory.py [--pictures 600] [--times 100] [--steps 100]

Both are drawn by code; the larger one holds every picture as often as `--times` says. Each is trained on in a process
of its own, which prints its resident memory at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bespoke.data.sample import write_sample

STEP = """
import sys
from pathlib import Path
from bespoke.cli import run
code = run(sys.argv[1:])
pages = int(Path("/proc/self/statm").read_text().split()[1])
import os
print(pages * os.sysconf("SC_PAGE_SIZE") // 2**20)
sys.exit(code)
"""


def enlarge(catalogue: Path, times: int, into: Path) -> Path:
    """A catalogue that names every picture of another one `times` times, without a second copy on the disk."""
    into.mkdir()
    rows = [json.loads(line) for line in (catalogue / "metadata.jsonl").read_text("utf-8").splitlines()]
    with (into / "metadata.jsonl").open("w", encoding="utf-8") as lines:
        for time in range(times):
            (into / f"{time}").mkdir()
            for number, row in enumerate(rows):
                name = f"{time}/{number}.png"
                os.link(catalogue / row["file_name"], into / name)
                lines.write(json.dumps(row | {"file_name": name}) + "\n")
    return into


def resident(catalogue: Path, run: Path, cache: Path, images: int) -> int:
    """MiB of memory that training on a catalogue ends with."""
    asked = ["train", str(catalogue), "--out", str(run), "--preset", "cpu64", "--images", str(images)]
    ended = subprocess.run(
        [sys.executable, "-c", STEP, *asked],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"BESPOKE_CACHE": str(cache)},
    )
    return int(ended.stdout.splitlines()[-1])


def main() -> None:
    """Prints one line a catalogue, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=600)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--steps", type=int, default=100)
    args = parser.parse_args()

    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = write_sample(folder / "small", args.pictures, 64, seed=0)
        large = enlarge(small, args.times, folder / "large")
        for catalogue, count in ((small, args.pictures), (large, args.pictures * args.times)):
            found.append(resident(catalogue, folder / f"run-{count}", folder / "cache", 32 * args.steps))
            print(f"{count:,} pictures: {found[-1]} MiB resident after {args.steps} steps", flush=True)
    print(f"ratio {found[1] / found[0]:.3f}")


if __name__ == "__main__":
    main()
