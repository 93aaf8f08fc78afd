"""Where does a training step's time go, and how near is it to what this machine can do at all?

    python benchmarks/step.py CATALOGUE [--preset cpu64] [--steps 40] [--set key=value]

Prints pictures a second; the step's arithmetic (counted by torch: convolutions and matrix products, forward and
backward) as a share of this machine's measured ceiling, the best product of two large matrices in the same precision
and run; how long the pictures take to load beside the step; resident memory; and the operators that take the most time.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from bespoke.config import resolve
from bespoke.data.batches import PairBatches
from bespoke.data.catalogue import Catalogue
from bespoke.data.front_end import make_front_end
from bespoke.data.store import prepare
from bespoke.networks import build_networks
from bespoke.precision import autocast
from bespoke.training.step import Players, draw, joint_step
from bespoke.training.workplace import find_workplace


def seconds(run: Callable[[], object]) -> float:
    """How long `run` takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def ceiling() -> float:
    """FLOP a second of a matrix product in the precision around it, the best of 10."""
    size = 2048
    a, b = (torch.randn(size, size) for _ in range(2))
    return 2 * size**3 / min(seconds(lambda: a @ b) for _ in range(10))


def resident() -> float:
    """Resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Times the step, counts its arithmetic, then profiles it: three passes, so that none disturbs another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue")
    parser.add_argument("--preset", default="cpu64")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()

    config, place = resolve(args.preset, ["training.augment=0.3", *args.set]), find_workplace()
    settings = config.training
    store = prepare(Catalogue.open(args.catalogue), config.model.image_size, skip_bad=True)
    captions = (caption for index in store.indices("train") for caption in store.captions(int(index)))
    front_end = make_front_end(config.model, captions)
    networks = build_networks(config.model, front_end.vocabulary_size).to(place.device)
    players = Players.make(networks, config)
    batches = PairBatches(store, "train", front_end, seed=0, batch_size=settings.batch_size)
    numbers = itertools.count()
    loading: list[float] = []

    def step() -> None:
        number = next(numbers)
        began = time.perf_counter()
        batch = batches.at(number)
        loading.append(time.perf_counter() - began)
        penalised = number % config.loss.penalty_every == 0
        joint_step(players, batch, draw(config, networks, (0, number), place, penalised=penalised), config, place)
        players.average.update(settings.batch_size, seen=number * settings.batch_size)

    for _ in range(2 * config.loss.penalty_every):
        step()
    loading.clear()
    took = [seconds(step) for _ in range(args.steps)]
    rate = len(took) * settings.batch_size / sum(took)
    with FlopCounterMode(display=False) as counted:
        for _ in range(config.loss.penalty_every):
            step()
    work = counted.get_total_flops() / config.loss.penalty_every / settings.batch_size
    with autocast(place.device, settings.precision):
        top = ceiling()
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(config.loss.penalty_every):
            step()

    print(f"preset {args.preset} {' '.join(args.set)}, {len(store.indices('train')):,} pictures")
    print(f"batch {settings.batch_size}: {statistics.median(took) * 1e3:.0f} ms a step (median of {len(took)})")
    print(f"{rate:.1f} pictures a second, {work / 1e9:.2f} GFLOP a picture: {rate * work / 1e12:.3f} TFLOP/s")
    print(f"ceiling (product of 2048 x 2048): {top / 1e12:.3f} TFLOP/s; share reached: {rate * work / top:.0%}")
    print(f"loading: {statistics.median(loading) * 1e3:.2f} ms a batch, {sum(loading) / sum(took):.1%} of a step")
    print(f"resident memory: {resident():.0f} MiB")
    print(profiled.key_averages().table(sort_by="self_cpu_time_total", row_limit=25, max_name_column_width=45))


if __name__ == "__main__":
    main()
