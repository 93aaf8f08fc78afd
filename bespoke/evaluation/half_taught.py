"""What is kept of a judge that is still being taught? Enough to go on exactly where an interruption broke it off."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from bespoke.evaluation.judge import Judge
from bespoke.packing import pack, pack_optimizer, unpack, unpack_optimizer
from bespoke.tensors import save_tensors


def keep(file: Path, step: int, judge: Judge, optimizer: torch.optim.Optimizer, draws: torch.Generator) -> None:
    """Write what `step` steps have made of a judge; the file is the former one until the new one is whole."""
    tensors = {"step": torch.tensor(step), "draws": draws.get_state(), "dropout": torch.get_rng_state()}
    tensors |= pack("judge", {name: value.contiguous() for name, value in judge.state_dict().items()})
    tensors |= {name: value.contiguous() for name, value in pack_optimizer("optimizer", optimizer).items()}
    part = file.with_suffix(".part")
    save_tensors(tensors, part)
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    part.replace(file)


def go_on(file: Path, judge: Judge, optimizer: torch.optim.Optimizer, draws: torch.Generator) -> int:
    """Put what was kept into a fresh judge, its optimizer and both sources of chance; how many steps that were.

    0, and nothing is touched, where nothing was kept, or a damaged disk gives no whole file back.
    """
    try:
        kept: dict[str, Tensor] = load_file(file)
    except (FileNotFoundError, SafetensorError):
        return 0
    judge.load_state_dict(unpack("judge", kept))
    unpack_optimizer("optimizer", kept, optimizer)
    draws.set_state(kept["draws"])
    torch.set_rng_state(kept["dropout"])
    return int(kept["step"])
