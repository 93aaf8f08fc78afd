"""How does an editor put a pattern on a product, and how is it told that it did? By waves, wherever they begin.

Where on a product a pattern begins no text says. Pixel by pixel, stripes that lie elsewhere are farther from a twin's
than no stripes at all, and an editor that is told so learns to leave alone what it cannot know. So patterns are drawn
from waves, whose lay is the twin's while an editor learns (`lay_of_twin` in edit_loss.py) and every seed's own
afterwards; and they are compared by how strong their waves are.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from bespoke.method.layers import SLOPE

CYCLES = (5.0, 6.3, 7.7, 9.2, 10.8, 12.6, 14.8, 17.5)  # of the waves that patterns are made of, over a picture's side
LEAST_SIZE, MOST_SIZE = 0.89, 1.12  # of those waves' lengths, by chance
NUM_KINDS = 4  # of waves
SURER = 3.0  # how much surer shares of waves are than what says them
RARE = -2.0  # logit of a mark before anything is learned
NUM_LAYS = 64  # that are tried at once for the one that lies as a twin's pattern does
FAR, NEAR = (1.0, 1.0, 1.0, 1.0), (0.3, 0.3, 0.0, 0.5)  # how far around a lay, in each of its numbers
LENGTHS, REACH = (3.0, 6.0, 12.0), 9  # of waves that are looked for, and how far around a place, in pixels
NUM_TURNS = 4  # directions that they are looked for in
LEAST_ENERGY = 1e-4  # below a hundredth of contrast all waves are alike


class Waves(NamedTuple):
    """What a pattern is drawn from, wherever it begins."""

    strengths: Tensor  # [N, 4], of the kinds in `laid`
    shares: Tensor  # [N, 2, F], of the waves of each length, across and down; the sum over F is 1


class Marks(nn.Module):
    """Which marks a pattern has and of which colour: the waves that they are cut from, as text and picture say.

    What one wave leaves above a threshold is stripes, what two that cross leave is checks, and dots are where rows of
    waves do that are moved by half a step every other time.
    """

    def __init__(self, style_width: int, seen_width: int, num_picked: int) -> None:
        super().__init__()
        self.waves = nn.Sequential(
            nn.Linear(style_width + seen_width, style_width),
            nn.LeakyReLU(SLOPE),
            nn.Linear(style_width, NUM_KINDS + 2 * len(CYCLES)),
        )
        self.color = nn.Sequential(
            nn.Linear(style_width, style_width), nn.LeakyReLU(SLOPE), nn.Linear(style_width, 3 + num_picked)
        )

    def forward(self, style: Tensor, seen: Tensor, palette: Tensor) -> tuple[Waves, Tensor]:
        """The waves, and the marks' colour [N, 3].

        style: [N, S]; seen: [N, C], of the picture; palette: [N, K, 3], colours that may be used.
        """
        told = self.color(style).float()
        color = told[:, :3] + torch.einsum("nk,nkc->nc", told[:, 3:].softmax(1), palette)
        strengths, shares = self.waves(torch.cat([style, seen], dim=1)).float().tensor_split([NUM_KINDS], dim=1)
        return Waves(strengths, (SURER * shares.unflatten(1, (2, -1))).softmax(2)), color


def laid(waves: Waves, lays: Tensor, side: int) -> Tensor:
    """The sum of a pattern's waves in each of L lays: [N, L, 4] in [0, 1] -> [N, L, side, side]

    lays: how far right and how far down, in steps of the pattern at the middle of the picture; whether it is turned
    (from 1/2 on); and how large it is. The kinds of waves: stripes, which stand or lie as the lay says; upright ones;
    level ones; and those of rows of which every other one is moved by half a step.
    """
    place = (torch.arange(side, device=lays.device) + 0.5) / side - 0.5
    size = LEAST_SIZE * (MOST_SIZE / LEAST_SIZE) ** lays[..., 3:]
    angle = 2 * math.pi * (torch.tensor(CYCLES, device=lays.device) / size)[:, :, None, :, None] * place
    angle = angle - 2 * math.pi * lays[..., :2, None, None]  # [N, L, 2, F, side]
    across, down = torch.einsum("nkf,nlkfs->nlks", waves.shares, angle.cos()).unbind(2)  # [N, L, side]
    half_down = torch.einsum("nf,nlfs->nls", waves.shares[:, 1], (angle[:, :, 1] / 2).cos())
    stripes, upright, level, moved = waves.strengths[:, None, :, None].unbind(2)  # [N, 1, 1]
    turned = (lays[..., 2:3] >= 0.5).float()
    by_row = (1 - turned) * stripes + upright + moved * half_down
    return by_row[..., :, None] * across[..., None, :] + ((turned * stripes + level) * down)[..., :, None]


def over(matrix: Tensor, shift: Tensor, share: Tensor, color: Tensor) -> Tensor:
    """x + A x + c, and then a share s of one colour laid over it, as one A and c [N, 12, H, W].

    (1 - s) (x + A x + c) + s color = x + (A - s (A + 1)) x + (c + s (color - c));
    matrix [N, 9, H, W], shift [N, 3, H, W], share [N, 1, H, W] in [0, 1], color [N, 3]
    """
    one = torch.eye(3, device=matrix.device).view(1, 9, 1, 1)
    return torch.cat([matrix - share * (matrix + one), shift + share * (color[:, :, None, None] - shift)], dim=1)


def lays_around(lay: Tensor, reach: tuple[float, ...]) -> Tensor:
    """As many lays as are tried at once, `lay` [N, 4] and others spread evenly around it: [N, L, 4] in [0, 1)"""
    spread = torch.quasirandom.SobolEngine(lay.shape[1]).draw(NUM_LAYS).to(lay)
    step = ((spread + 0.5) % 1 - 0.5) * torch.tensor(reach, device=lay.device)
    return (lay[:, None] + step) % 1


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
