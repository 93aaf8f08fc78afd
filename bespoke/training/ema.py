"""Which weights make the pictures? Moving averages of those in training, which wander less."""

from __future__ import annotations

import copy
import math
from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn


class Ema:
    """Exponential moving averages of several modules, all with one half-life counted in pictures.

    The half-life grows from 0 with the pictures seen (R3GAN's ramp), so that the random weights of the start are soon
    forgotten: `half_life = min(half_life_images, ramp * seen)`.
    `averaged[name]` is the average of `modules[name]`, in eval mode and without gradients. Its state dict is all there
    is to save.
    """

    averaged: nn.ModuleDict

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        *,
        half_life_images: float,
        ramp: float,  # share of the pictures seen; infinity switches the ramp off
        only: Collection[str] | None = None,  # modules that are followed; averages of the others stay as they are
    ) -> None:
        self.half_life_images = half_life_images
        self.ramp = ramp
        # One ModuleDict, so that weights which modules share are averaged once and stay shared in the average.
        self._live = nn.ModuleDict(dict(modules))
        self.averaged = copy.deepcopy(self._live).eval().requires_grad_(False)
        self._only = set(modules) if only is None else set(only)

    def weight(self, num_images: int, *, seen: int) -> float:
        """The share in [0, 1] that the live weights get in the update after a step of `num_images` pictures."""
        half_life = min(self.half_life_images, self.ramp * seen) if seen else 0.0
        if half_life == 0:
            return 1.0
        return -math.expm1(-math.log(2) * num_images / half_life)

    @torch.no_grad()
    def update(self, num_images: int, *, seen: int) -> None:
        """Moves the averages after a step of `num_images` pictures (over all processes), `seen` having gone before it.

        Parameters and floating-point buffers (BatchNorm's statistics belong to the weights they were measured with)
        are averaged; counters are copied.
        """
        averaged: list[Tensor] = []
        live: list[Tensor] = []
        # Collected anew each time: a module may have replaced a buffer.
        averages, lives = (
            nn.ModuleDict({name: module for name, module in modules.items() if name in self._only})
            for modules in (self.averaged, self._live)
        )
        pairs = zip(averages.parameters(), lives.parameters(), strict=True)
        buffers = zip(averages.buffers(), lives.buffers(), strict=True)
        for mean, tensor in (*pairs, *buffers):
            if mean.is_floating_point():
                averaged.append(mean)
                live.append(tensor)
            else:
                mean.copy_(tensor)
        torch._foreach_lerp_(averaged, live, self.weight(num_images, seen=seen))
