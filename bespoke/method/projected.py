"""How natural is a picture to eyes that have seen other pictures before? A second discriminator, on fixed features.

Projected GAN (Sauer et al. 2021, arXiv 2111.01007): the features of a network that learned from photographs of all
kinds are mixed, over channels and over scales, by random weights that stay as they are; a small head for each scale
learns to tell real from generated. It stands beside the discriminator of the method, as in vision-aided training
(Kumari et al. 2022, arXiv 2112.09130), never sees text, and is needed for training alone.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from bespoke.method.efficientnet import WIDTHS, EfficientNetLite0
from bespoke.method.layers import SLOPE

MIXED = 64  # channels that the features of each scale are mixed to
NUM_SCALES = len(WIDTHS)


class ProjectedDiscriminator(nn.Module):
    """One logit for each scale of a network's features; random weights are drawn from torch's global generator."""

    def __init__(self, features: EfficientNetLite0, image_size: int) -> None:
        super().__init__()
        self.features = features
        for scale, width in enumerate(WIDTHS):
            self.register_buffer(f"over_channels{scale}", _random(MIXED, width, 1))
            self.register_buffer(f"over_scales{scale}", _random(MIXED, MIXED, 3) / math.sqrt(2))  # of a sum of two
        self.heads = nn.ModuleList(_head(image_size // 4 // 2**scale) for scale in range(NUM_SCALES))

    def forward(self, pictures: Tensor) -> Tensor:
        """p(x): [N, 3, S, S] in [-1, 1] -> [N, NUM_SCALES] logits in float32, high for real"""
        maps = self.features(pictures)
        logits, coarser = [], None
        for scale in reversed(range(NUM_SCALES)):
            mixed = F.conv2d(maps[scale], self.get_buffer(f"over_channels{scale}"))
            if coarser is not None:
                mixed = mixed + F.interpolate(coarser, scale_factor=2.0)
            coarser = F.conv2d(mixed, self.get_buffer(f"over_scales{scale}"), padding=1)
            logits.append(self.heads[scale](coarser).flatten(1).float())
        return torch.cat(logits[::-1], 1)


def _random(width_out: int, width_in: int, kernel: int) -> Tensor:
    return torch.randn(width_out, width_in, kernel, kernel) * math.sqrt(2 / (width_in * kernel**2))


def _head(side: int) -> nn.Sequential:
    """[N, MIXED, side, side] -> [N, 1, 1, 1]. Spectral norms keep it smooth (Miyato et al. 2018), without a penalty."""
    layers: list[nn.Module] = []
    while side > 4:
        layers += [
            spectral_norm(nn.Conv2d(MIXED, MIXED, 4, 2, 1, bias=False)),
            nn.GroupNorm(8, MIXED),
            nn.LeakyReLU(SLOPE),
        ]
        side //= 2
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(MIXED, 1, side, bias=False)))
