"""Does a training survive kill -9? Real processes of `bespoke train`, killed at random moments and resumed.

    python benchmarks/kill_training.py --kills 20

Every second process is killed at a random moment after its start (loading, reading, training or saving), the others
at a random moment after their first own checkpoint. After each kill the newest checkpoint must load, and hold no
earlier step than the newest one that was ever seen whole. At the end the run must finish and its model draw a picture.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bespoke.data.sample import write_sample
from bespoke.pipeline import Pipeline
from bespoke.training.checkpoint import load_latest

SETTINGS = ("training.checkpoint_every_minutes=0.005", "training.validation_every_minutes=0.05")
PATIENCE = 600.0  # seconds until a process must have saved


def step_of(run: Path) -> int:
    """The step of the newest checkpoint, every byte of it checked; -1 where there is none yet."""
    checkpoint = load_latest(run / "checkpoints")
    return -1 if checkpoint is None else checkpoint.step


def command(catalogue: Path, run: Path, images: int) -> list[str]:
    """What starts the run, or goes on with it where there is one."""
    base = [sys.executable, "-m", "bespoke", "train", str(catalogue), "--out", str(run), "--images", str(images)]
    if (run / "config.json").exists():
        return [*base, "--resume"]
    return [*base, "--preset", "test32", *(part for setting in SETTINGS for part in ("--set", setting))]


def kill_once(arguments: list[str], run: Path, *, after_save: bool, delay: float) -> None:
    """Start a process and kill it `delay` seconds after its start or its first checkpoint."""
    before = {path.name for path in (run / "checkpoints").glob("step-*")}
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(arguments, stdout=told, stderr=told)
        began = time.monotonic()
        while after_save and not {path.name for path in (run / "checkpoints").glob("step-*")} - before:
            if process.poll() is not None or time.monotonic() - began > PATIENCE:
                process.kill()
                told.seek(0)
                raise SystemExit(f"FAILED: no checkpoint was written:\n{told.read()}")
            time.sleep(0.02)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            told.seek(0)
            raise SystemExit(f"FAILED: the process ended by itself:\n{told.read()}")


def main() -> None:
    """Prints one line a kill; leaves with 1 at the first run that cannot go on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=3.0, help="longest delay before a kill")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BESPOKE_CACHE"] = str(Path(folder, "cache"))
        catalogue = write_sample(Path(folder, "catalogue"), 60, 32, seed=0)
        run = Path(folder, "run")
        newest, half_written = -1, 0
        for number in range(options.kills):
            after_save = number % 2 == 0
            delay = chance.random() * options.seconds * (1 if after_save else 3)  # it takes a while to start
            kill_once(command(catalogue, run, 10**9), run, after_save=after_save, delay=delay)
            half_written += any((run / "checkpoints").glob(".saving-*"))
            step = step_of(run)
            if step < newest:
                raise SystemExit(f"LOST: step {newest} was saved, step {step} is left")
            newest = step
            print(f"kill {number + 1} {'while training' if after_save else 'at any moment'}: step {step}", flush=True)
        batch_size = 8
        subprocess.run(command(catalogue, run, (newest + 20) * batch_size), check=True, stdout=subprocess.DEVNULL)
        if step_of(run) != newest + 20:
            raise SystemExit(f"LOST: the run should have ended at step {newest + 20}, not {step_of(run)}")
        Pipeline.from_pretrained(run)("a red hat", seed=0)
    print(f"{options.kills} kills ({half_written} inside a save): always resumed, and finished at step {newest + 20}")


if __name__ == "__main__":
    main()
