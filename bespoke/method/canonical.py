"""What do pictures and captions share before anything has been learned? Their colours, by canonical correlation.

Which colours stand where in a picture, and which words stand in its captions: the directions in which these two agree
best have a closed form (Hotelling 1936; with ridges, Vinod 1976), found in seconds where the contrast of pairs by
gradients takes tens of thousands of pictures. Discriminator and alignment encoder start from them, keep them, and
learn what they do not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

LEVELS = 4  # of red, green and blue: a grid of 64 colours
SOFTNESS = 0.25  # how far a colour spreads to its neighbours on the grid, in units of [-1, 1]
PLACES = 3  # the picture is also looked at in 3 x 3 fields
SIDE = 32  # pixels of the small picture whose colours are told, however large the picture is
STRENGTH = 8.0  # length of what both sides say in the beginning; what the networks add begins at about a third of it
NUM_COLORS = LEVELS**3 * (1 + PLACES**2)


class Directions(NamedTuple):
    """K canonical directions of both sides, and the means that they are measured from."""

    colors: Tensor  # [NUM_COLORS, K]
    colors_mean: Tensor  # [NUM_COLORS]
    words: Tensor  # [V, K]
    words_mean: Tensor  # [K], already along the directions


def colors_of(pictures: Tensor) -> Tensor:
    """[N, 3, H, W] in [-1, 1] -> [N, NUM_COLORS]: the root of each colour's share, of the whole and of each field."""
    level = torch.linspace(-1, 1, LEVELS, device=pictures.device)
    grid = torch.cartesian_prod(level, level, level) / SOFTNESS  # [64, 3]
    with torch.autocast(pictures.device.type, enabled=False):
        x = F.adaptive_avg_pool2d(pictures.float(), SIDE).permute(0, 2, 3, 1).reshape(-1, 3) / SOFTNESS  # [N P, 3]
        # -|x - grid|^2 / 2 but for |x|^2, which the softmax does not see.
        share = F.linear(x, grid, -grid.square().sum(1) / 2).softmax(1).unflatten(0, (len(pictures), -1))  # [N, P, 64]
        parts = _parts(pictures.device) @ share  # [N, 1 + PLACES^2, 64]
        told = torch.cat([parts[:, 0], parts[:, 1:].transpose(1, 2).flatten(1)], 1)
        root: Tensor = (told + 1e-3).sqrt()  # a rare colour counts, and its root still has a slope
        return root


@lru_cache(maxsize=8)
def _parts(device: torch.device) -> Tensor:
    """What each of the P = SIDE^2 pixels counts in the whole and in each field: [1 + PLACES^2, P], rows sum to 1."""
    pixels = torch.eye(SIDE**2, device=device).view(-1, 1, SIDE, SIDE)
    return torch.cat([F.adaptive_avg_pool2d(pixels, side).flatten(1) for side in (1, PLACES)], 1).T.contiguous()


def canonical_directions(
    colors: Tensor, words: Tensor, ridges: Sequence[float], num: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """For each ridge the `num` directions of centred [M, C] and [M, V] that correlate best: [C, num], [V, num].

    ridge: added to both covariances, in units of their mean variance. A direction is weighted by the root of its
    correlation on either side, so that the product of both sides weighs agreement by how much of it there is.
    """
    shared = colors.T @ words / len(colors)
    spectra = [torch.linalg.eigh(side.T @ side / len(side)) for side in (colors, words)]
    for ridge in ridges:
        root_c, root_w = (_inverse_root(value, vector, ridge) for value, vector in spectra)
        left, correlation, right = torch.linalg.svd(root_c @ shared @ root_w, full_matrices=False)
        weight = correlation[:num].sqrt()
        yield root_c @ left[:, :num] * weight, root_w @ right[:num].T * weight


def _inverse_root(value: Tensor, vector: Tensor, ridge: float) -> Tensor:
    """(covariance + ridge)^-1/2 from the covariance's eigenvalues and eigenvectors."""
    value = value.clamp(min=0)
    root: Tensor = (vector * (value + ridge * value.mean().clamp(min=1e-12)).rsqrt()) @ vector.T
    return root


class CanonicalColors(nn.Module):
    """A picture's colours along the canonical directions, taken up into the space of v(x). Only that way up learns."""

    def __init__(self, width: int, embedding_width: int) -> None:
        super().__init__()
        self.register_buffer("directions", torch.zeros(NUM_COLORS, width))
        self.register_buffer("mean", torch.zeros(NUM_COLORS))
        self.up = nn.Linear(width, embedding_width, bias=False)

    directions: Tensor
    mean: Tensor

    def forward(self, pictures: Tensor) -> Tensor:
        """[N, 3, H, W] in [-1, 1] -> [N, E]"""
        up: Tensor = self.up((colors_of(pictures) - self.mean) @ self.directions)
        return up


class CanonicalWords(nn.Module):
    """A caption's words along the same directions, taken up into the space of S_D."""

    def __init__(self, vocabulary_size: int, width: int, embedding_width: int) -> None:
        super().__init__()
        self.register_buffer("directions", torch.zeros(vocabulary_size, width))
        self.register_buffer("mean", torch.zeros(width))
        self.up = nn.Linear(width, embedding_width, bias=False)

    directions: Tensor
    mean: Tensor

    def forward(self, tokens: Tensor) -> Tensor:
        """[N, L] int64; the rows of control pieces are zero -> [N, E]"""
        up: Tensor = self.up(self.directions[tokens].sum(1) - self.mean)
        return up


@torch.no_grad()
def start_from(pictures: CanonicalColors, captions: CanonicalWords, directions: Directions) -> None:
    """Put the directions in place, with one and the same orthonormal way up for both sides."""
    pictures.directions.copy_(directions.colors)
    pictures.mean.copy_(directions.colors_mean)
    captions.directions.copy_(directions.words)
    captions.mean.copy_(directions.words_mean)
    nn.init.orthogonal_(pictures.up.weight, gain=STRENGTH)
    captions.up.weight.copy_(pictures.up.weight)
