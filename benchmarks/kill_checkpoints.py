"""Does a checkpoint ever get lost or torn when the process that saves it is killed? Counts, with real SIGKILLs.

    python benchmarks/kill_checkpoints.py --kills 200

First a process that saves is killed at its first file system call, the next one at its second, and so on until one
lives to the end; then processes that save in a loop are killed at random moments. After every kill the newest
checkpoint must load, be whole, and be the last one finished or the one that was being saved. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from bespoke.training.checkpoint import load_latest, save_checkpoint


def save(folder: Path, step: int, num_weights: int) -> None:
    """A checkpoint in which every number can be told from the step."""
    tensors = {"weights": torch.arange(num_weights) + step, "count": torch.tensor(step)}
    save_checkpoint(folder, step=step, tensors=tensors, values={"again": step})


def loaded_step(folder: Path, num_weights: int) -> int:
    """The step that loads; raises if none does, a newer one was passed over, or parts of two are mixed."""
    checkpoint = load_latest(folder)
    if checkpoint is None or checkpoint.notes:
        raise SystemExit(f"LOST: {checkpoint and checkpoint.notes}, {sorted(folder.iterdir())}")
    weights = torch.arange(num_weights) + checkpoint.step
    if checkpoint.values["again"] != checkpoint.step or not torch.equal(checkpoint.tensors["weights"], weights):
        raise SystemExit(f"TORN: {checkpoint.path}")
    return checkpoint.step


def timed_save(folder: Path, num_weights: int) -> float:
    """Seconds that the next save takes."""
    step = loaded_step(folder, num_weights) + 1
    begin = time.perf_counter()
    save(folder, step, num_weights)
    return time.perf_counter() - begin


def in_a_process(work: Callable[[], None]) -> int:
    """Runs `work` in a copy of this process, which has everything loaded already; returns the copy's id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def kill_at_every_call(folder: Path, num_weights: int) -> int:
    """Returns how many calls there were to be killed at. What a kill leaves behind is there for the next save."""
    for number in range(1, 1000):
        step = loaded_step(folder, num_weights) + 1

        def work(number: int = number, step: int = step) -> None:
            calls = 0

            def count(event: str, _: object) -> None:
                nonlocal calls
                if event == "open" or event.startswith("os."):
                    calls += 1
                    if calls == number:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(count)
            save(folder, step, num_weights)

        _, status = os.waitpid(in_a_process(work), 0)
        killed = os.WIFSIGNALED(status)
        if loaded_step(folder, num_weights) not in ((step - 1, step) if killed else (step,)):
            raise SystemExit(f"LOST: step {step - 1} after a kill at call {number}")
        if not killed:
            return number - 1
    raise SystemExit("a save makes more than 1000 calls")


def kill_at_random(folder: Path, num_weights: int, *, kills: int, seed: int) -> tuple[int, int]:
    """Returns how many kills fell inside a save, and how many of these left a half-written folder behind."""
    save_seconds = min(timed_save(folder, num_weights) for _ in range(5))
    chance = random.Random(seed)
    # Written by the child, read by the parent: the last step begun, the last one finished, and whether it runs yet.
    progress = memoryview(mmap.mmap(-1, 24)).cast("q")
    inside = half_written = 0
    for _ in range(kills):
        progress[0] = progress[1] = loaded_step(folder, num_weights)
        progress[2] = False

        def work() -> None:
            step = progress[1]
            progress[2] = True
            while True:
                time.sleep(save_seconds / 2)  # stands for training
                step += 1
                progress[0] = step
                save(folder, step, num_weights)
                progress[1] = step

        child = in_a_process(work)
        while not progress[2]:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 4 * save_seconds))
        os.kill(child, signal.SIGKILL)
        if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            raise SystemExit("FAILED: the process ended by itself")
        begun, finished, _ = progress
        if loaded_step(folder, num_weights) not in (begun, finished):
            raise SystemExit(f"LOST: step {finished}, finished before the kill")
        inside += begun != finished
        half_written += any(path.name.startswith(".saving") for path in folder.iterdir())
    return inside, half_written


def main() -> None:
    """Prints one line a part; leaves with 1 at the first checkpoint lost or torn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="at random moments")
    parser.add_argument("--megabytes", type=float, default=4, help="size of a checkpoint")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="on the disk to be tried; default: a temporary folder")
    options = parser.parse_args()
    num_weights = int(options.megabytes * 2**20 / 8)
    torch.set_num_threads(1)  # a forked process has no other threads
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        checkpoints = Path(folder) / "checkpoints"
        save(checkpoints, 1, num_weights)
        calls = kill_at_every_call(checkpoints, num_weights)
        print(f"{calls} kills, one at each file system call of a save: 0 checkpoints lost or torn")
        inside, half_written = kill_at_random(checkpoints, num_weights, kills=options.kills, seed=options.seed)
        print(
            f"{options.kills} kills at random moments, {inside} inside a save ({half_written} left a half-written "
            f"folder): 0 checkpoints lost or torn, last step {loaded_step(checkpoints, num_weights)}"
        )
        save(checkpoints, 10**6, num_weights)
        left = sorted(path.name for path in checkpoints.iterdir())
        if len(left) != 2 or not all(name.startswith("step-") for name in left):
            raise SystemExit(f"LEFTOVERS: {left}")


if __name__ == "__main__":
    main()
