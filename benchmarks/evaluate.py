"""How long does an evaluation take, and how fast are its distances beside torchmetrics on the same pictures?

    python benchmarks/evaluate.py RUN CATALOGUE [--split test] [--pictures 2000] [--repeats 3]

Prints the time of the whole command `bespoke evaluate` at one balance, in a process of its own, once the judges exist
(where they do not, they are taught first and that is timed). Then, in this process and by turns, the Frechet and the
kernel distance of as many pictures with each judge: from pictures to numbers by Bespoke, and by torchmetrics with the
judge as its network; both numbers must agree. Expected on 2 cores: 2,000 pictures at 64x64 within 3 minutes, judges
within 20, and no judge slower than with torchmetrics.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from bespoke.commands.evaluate import judges_of, split_named
from bespoke.data.catalogue import Catalogue
from bespoke.data.levels import to_signed
from bespoke.data.store import prepare
from bespoke.evaluation.judge import FEATURES
from bespoke.evaluation.metrics import KERNEL_SUBSET, frechet_distance, kernel_distance
from bespoke.evaluation.questions import ask
from bespoke.evaluation.seeing import AT_ONCE, draw, look
from bespoke.evaluation.teach import Taught
from bespoke.pipeline import Pipeline

SUBSETS = 100


class Eyes(nn.Module):
    """A judge as torchmetrics wants its network: pictures [N, 3, S, S] uint8 in, features out."""

    num_features = FEATURES

    def __init__(self, taught: Taught) -> None:
        super().__init__()
        self.judge = taught.judge

    def forward(self, pictures: Tensor) -> Tensor:
        return self.judge.features(to_signed(pictures))


def ours(taught: Taught, real: Tensor, fake: Tensor) -> tuple[float, float]:
    """Frechet and kernel distance as an evaluation takes them."""
    seen = look(taught, real), look(taught, fake)
    generator = torch.Generator().manual_seed(0)
    return frechet_distance(*seen), kernel_distance(*seen, generator=generator, num_subsets=SUBSETS)


@torch.no_grad()
def theirs(taught: Taught, real: Tensor, fake: Tensor) -> tuple[float, float]:
    """The same two by torchmetrics, which looks at the pictures once for each."""
    eyes = Eyes(taught)
    frechet = FrechetInceptionDistance(feature=eyes, input_img_size=tuple(real.shape[1:]))
    kernel = KernelInceptionDistance(feature=eyes, subsets=SUBSETS, subset_size=min(KERNEL_SUBSET, len(real)))
    for metric in (frechet, kernel):
        for pictures, is_real in ((real, True), (fake, False)):
            for part in pictures.split(AT_ONCE):
                metric.update(part, real=is_real)
    return float(frechet.compute()), float(kernel.compute()[0])


def seconds(run: Callable[..., object], *given: object) -> float:
    """How long `run` takes."""
    began = time.perf_counter()
    run(*given)
    return time.perf_counter() - began


def main() -> None:
    """Measures the whole command first, then the distances."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("catalogue")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save", UserWarning)

    pipeline = Pipeline.from_pretrained(args.run)
    size = pipeline.networks.settings.image_size
    store = prepare(Catalogue.open(args.catalogue), size)
    print(f"judges, until both are there: {seconds(judges_of, store):.0f} s", flush=True)
    questions = ask(store, split_named(args.split), num_pictures=args.pictures, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        asked = [
            "--split",
            args.split,
            "--num-pictures",
            str(args.pictures),
            "--balance",
            "0.5",
            "--out",
            f"{folder}/x",
        ]
        command = [sys.executable, "-m", "bespoke", "evaluate", str(Path(args.run)), args.catalogue, *asked]
        whole = seconds(lambda: subprocess.run(command, check=True, capture_output=True))
    print(f"{torch.get_num_threads()} threads, {size}x{size}, n = {len(questions)}")
    print(f"bespoke evaluate, the whole command, one balance: {whole:.0f} s", flush=True)

    real = torch.from_numpy(store.take(questions.index))
    fake = torch.cat([*draw(pipeline, questions.captions, questions.seeds, 0.5)])
    for judge in judges_of(store):
        taught, took = judge.taught, []
        found, reference = ours(taught, real, fake), theirs(taught, real, fake)
        if (
            abs(found[0] - reference[0]) > 1e-3 * max(1, reference[0])
            or abs(found[1] - reference[1]) > 0.05 * reference[1]
        ):
            raise SystemExit(f"FAILED: {found} is not {reference}, so their times do not compare")
        for _ in range(args.repeats):
            took.append([seconds(run, taught, real, fake) for run in (ours, theirs)])
        first, second = (statistics.median(column) for column in zip(*took, strict=True))
        told = f"{first:.1f} s, torchmetrics {second:.1f} s, {second / first:.2f} times"
        print(f"distances by judge {taught.judge.family}: {told}")


if __name__ == "__main__":
    main()
