"""How does an editor put a pattern on a product, and how is it told that it did? By waves, wherever they begin.

Where on a product a pattern begins no text says. Pixel by pixel, stripes that lie elsewhere are farther from a twin's
than no stripes at all, and an editor that is told so learns to leave alone what it cannot know. So patterns are drawn
from waves that every seed lays elsewhere, and compared by how strong their waves are.
"""

from __future__ import annotations

import functools
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

CYCLES = (5.0, 6.5, 8.0, 10.0, 12.5, 15.0)  # of the waves that patterns are made of, over the picture's side
RARE = -2.0  # logit of a mark before anything is learned
LENGTHS, REACH = (3.0, 6.0, 12.0), 9  # of waves that are looked for, and how far around a place, in pixels
NUM_TURNS = 4  # directions that they are looked for in
LEAST_ENERGY = 1e-4  # below a hundredth of contrast all waves are alike


class Marks(nn.Module):
    """Where a pattern's marks are and of which colour: waves whose strengths the text says, cut off by a threshold.

    What lies above it is stripes if there is one wave, and dots if two cross; what lies below it is checks then. The
    third kind has every other row moved by half a step.
    """

    def __init__(self, style_width: int, seen_width: int, num_picked: int) -> None:
        super().__init__()
        self.strengths = nn.Linear(style_width + seen_width, 3 * len(CYCLES))
        self.color = nn.Linear(style_width, 3 + num_picked)
        nn.init.normal_(self.strengths.weight, std=0.1)  # fainter marks would be unlearned before they are like any

    def forward(self, style: Tensor, seen: Tensor, palette: Tensor, lay: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """Logits [N, 1, side, side] of a mark, and the marks' colour [N, 3].

        style: [N, S]; seen: [N, C], of the picture; palette: [N, K, 3], colours that may be used;
        lay: [N, 3] in [0, 1), how far right, how far down, as shares of the side, and from 1/2 on with a quarter turn.
        """
        told = self.color(style).float()
        color = told[:, :3] + torch.einsum("nk,nkc->nc", told[:, 3:].softmax(1), palette)
        strengths = self.strengths(torch.cat([style, seen], dim=1)).float().view(-1, 3, len(CYCLES))
        return laid(strengths, lay, side), color


def laid(strengths: Tensor, lay: Tensor, side: int) -> Tensor:
    """Sums of waves: strengths [N, 3, F] of upright, level and moved ones, lay as in Marks -> [N, 1, side, side]"""
    place = (torch.arange(side, device=lay.device) + 0.5) / side
    cycles = torch.tensor(CYCLES, device=lay.device)[:, None]
    angle = 2 * math.pi * cycles * (place - lay[:, :2, None, None])  # [N, 2, F, side]
    across, down = angle.cos().unbind(1)
    upright = torch.einsum("nf,nfx->nx", strengths[:, 0], across)[:, None, :]
    level = torch.einsum("nf,nfy->ny", strengths[:, 1], down)[:, :, None]
    moved = torch.einsum("nf,nfy,nfx->nyx", strengths[:, 2], (angle[:, 1] / 2).cos(), across)
    waves = upright + level + moved
    turned = (lay[:, 2] >= 0.5)[:, None, None]
    return torch.where(turned, waves.transpose(1, 2), waves)[:, None]


def over(matrix: Tensor, shift: Tensor, share: Tensor, color: Tensor) -> Tensor:
    """x + A x + c, and then a share s of one colour laid over it, as one A and c [N, 12, H, W].

    (1 - s) (x + A x + c) + s color = x + (A - s (A + 1)) x + (c + s (color - c));
    matrix [N, 9, H, W], shift [N, 3, H, W], share [N, 1, H, W] in [0, 1], color [N, 3]
    """
    one = torch.eye(3, device=matrix.device).view(1, 9, 1, 1)
    return torch.cat([matrix - share * (matrix + one), shift + share * (color[:, :, None, None] - shift)], dim=1)


def turned_like(twin: Tensor, x: Tensor, lay: Tensor) -> Tensor:
    """lay [N, 3] with a quarter turn where what is new in a twin [N, 3, H, W] changes more from row to row.

    Which way stripes run no text says either, but waves that run across them will never be like them.
    """
    across, down = ((twin - x).diff(dim=dim).abs().mean((1, 2, 3)) for dim in (3, 2))
    return torch.cat([lay[:, :2], torch.where(down > across, 0.75, 0.25)[:, None]], dim=1)


def strengths_of_waves(x: Tensor) -> Tensor:
    """How strong waves of three lengths and four directions are around a place: [N, 3, H, W] -> [N, 72, H / 8, W / 8].

    In three colours and in their differences, which tells also what colours they run between. Pairs of Gabor filters a
    quarter wave apart: where a wave begins makes no difference (the energy model of Adelson and Bergen 1985).
    """
    n, _, height, width = x.shape
    waves = F.conv2d(x.reshape(3 * n, 1, height, width), _gabor_filters().to(x), stride=4, padding=REACH)
    waves = waves.view(n, 3, -1, 2, *waves.shape[-2:])
    waves = torch.cat([waves, waves - waves.roll(1, 1)], dim=1)
    energy = F.avg_pool2d(waves.square().sum(3).flatten(1, 2), 5, stride=2, padding=2)
    return (energy + LEAST_ENERGY).sqrt()


@functools.cache
def _gabor_filters() -> Tensor:
    """[24, 1, K, K]: of each wave a cosine and a sine, blind to the mean of what they see."""
    y, x = torch.meshgrid(*[torch.arange(-REACH, REACH + 1.0)] * 2, indexing="ij")
    filters = []
    for length in LENGTHS:
        near = torch.exp(-(x * x + y * y) / (2 * (0.45 * length) ** 2))
        for turn in range(NUM_TURNS):
            angle = math.pi * turn / NUM_TURNS
            phase = 2 * math.pi / length * (x * math.cos(angle) + y * math.sin(angle))
            for wave in (near * phase.cos(), near * phase.sin()):
                wave = wave - near * wave.sum() / near.sum()
                filters.append(wave / wave.abs().sum())
    return torch.stack(filters)[:, None]
