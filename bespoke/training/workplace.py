"""Where does training run? One process or many, CPU or GPU: the rest of the code does not need to know."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn

from bespoke.memory import keep_freed_memory


@dataclass(frozen=True)
class Workplace:
    """This process among those that train together."""

    device: torch.device
    rank: int = 0
    world: int = 1

    @property
    def leads(self) -> bool:
        """True for the one process that writes files and talks to the user."""
        return self.rank == 0

    @torch.no_grad()
    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over all processes, in one message."""
        if self.world == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.world
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    @torch.no_grad()
    def share(self, tensors: Iterable[torch.Tensor]) -> None:
        """Write the leading process's values into every process's tensors, in place."""
        if self.world > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def agree(self, number: float) -> float:
        """The leading process's number, for decisions that all must take alike (time is up, stop was asked for)."""
        if self.world == 1:
            return number
        shared = torch.tensor([number], dtype=torch.float64, device=self.device)
        dist.broadcast(shared, src=0)
        return float(shared.item())


def find_workplace() -> Workplace:
    """The workplace that torchrun or the machine offers: one GPU a process where there are GPUs, else the CPU."""
    world, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    else:
        keep_freed_memory()
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Workplace(device, rank, world)


def leave_workplace() -> None:
    """Part from the other processes; to be called by all of them when there is nothing left to share."""
    if dist.is_initialized():
        dist.destroy_process_group()
