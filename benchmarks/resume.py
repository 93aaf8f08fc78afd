"""Is a resumed run the run that was never stopped? Every tensor and every random number after it, at random stops.

    python benchmarks/resume.py --stops 20

Trains once without a stop, then again for each of the random steps: stopped there by SIGTERM, resumed, and compared at
the end. Equal means equal bits: weights, averages, BatchNorm statistics, optimizer moments and counters.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from bespoke.config import Config, resolve
from bespoke.data.catalogue import Catalogue
from bespoke.data.sample import write_sample
from bespoke.data.store import PairStore, prepare
from bespoke.training.checkpoint import Checkpoint, load_latest
from bespoke.training.loop import Report, train
from bespoke.training.plan import Budget


def stop_at(step: int) -> Callable[[Report], None]:
    """Asks the loop, as `kill` would, to stop once `step` is done."""

    def tell(report: Report) -> None:
        if report.step == step:
            os.kill(os.getpid(), signal.SIGTERM)

    return tell


def final_state(config: Config, store: PairStore, run: Path, steps: int, stop: int | None) -> Checkpoint:
    """What a run of `steps` steps ends with, stopped and resumed after `stop`."""
    budget = Budget(images=steps * config.training.batch_size)
    if stop is not None and train(config, store, run, budget, tell=stop_at(stop)):
        raise SystemExit(f"FAILED: the run did not stop at step {stop}")
    if not train(config, store, run, budget):
        raise SystemExit("FAILED: the run did not reach its end")
    state = load_latest(run / "checkpoints")
    assert state is not None
    return state


def differences(one: Checkpoint, other: Checkpoint) -> list[str]:
    """Names of tensors and values that are not the same, bit for bit; times are left out."""
    names = sorted(one.tensors.keys() | other.tensors.keys())
    unequal = [
        name
        for name in names
        if name not in one.tensors
        or name not in other.tensors
        or one.tensors[name].dtype != other.tensors[name].dtype
        or not torch.equal(one.tensors[name], other.tensors[name])
    ]
    kept = ("step", "attempt")
    stands = [{name: state.values["progress"][name] for name in kept} for state in (one, other)]
    return unequal + (["progress"] if stands[0] != stands[1] else [])


def main() -> None:
    """Prints one line a stop; leaves with 1 at the first difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stops", type=int, default=20)
    parser.add_argument("--steps", type=int, default=40, help="of a whole run")
    parser.add_argument("--preset", default="test32")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of bespoke train")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    config = resolve(options.preset, options.set)
    chance = random.Random(options.seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        catalogue = write_sample(Path(folder, "catalogue"), 60, config.model.image_size, seed=0)
        store = prepare(Catalogue.open(catalogue), config.model.image_size, Path(folder, "cache"))
        reference = final_state(config, store, Path(folder, "whole"), options.steps, None)
        numbers = sum(tensor.numel() for tensor in reference.tensors.values())
        print(f"{options.steps} steps of {config.preset}: {len(reference.tensors)} tensors, {numbers:,} numbers")
        for number in range(options.stops):
            stop = chance.randrange(1, options.steps - 1)
            state = final_state(config, store, Path(folder, f"run-{number}"), options.steps, stop)
            unequal = differences(reference, state)
            print(f"stop {number + 1} after step {stop + 1}: {len(unequal)} differ", flush=True)
            if unequal:
                raise SystemExit("DIFFERENT: " + ", ".join(unequal[:10]))
    print(f"{options.stops} random stops, 0 differences, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
