"""Who judges? Networks that were taught by the catalogue's real training pairs alone, before any picture was generated.

Two families that resemble neither each other nor our discriminator: what both say is less likely to be a quirk of one.
A judge knows only what its catalogue taught it; its numbers compare models of one catalogue and nothing beyond.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Family = Literal["residual", "patches"]
FAMILIES: tuple[Family, ...] = ("residual", "patches")
FEATURES = 128  # few, because the bias of a Frechet distance grows with their square
SHARED = 128  # width of the space where pictures and captions are compared
NUM_LENGTHS = 4  # groups of captions by their length


class Residual(nn.Module):
    """Two convolutions with batch normalisation, and a way past them."""

    def __init__(self, width_in: int, width_out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width_in, width_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width_out),
            nn.ReLU(),
            nn.Conv2d(width_out, width_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width_out),
        )
        self.skip = nn.Conv2d(width_in, width_out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.skip(x) + self.body(x))


class Mixer(nn.Module):
    """Depthwise mixing of places, then of channels (ConvMixer, Trockman and Kolter 2022).

    3x3 at a time: the gradient of a 5x5 depthwise kernel takes sixteen times as long on a CPU.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.places = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, groups=width), nn.GELU(), nn.BatchNorm2d(width)
        )
        self.channels = nn.Sequential(nn.Conv2d(width, width, 1), nn.GELU(), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.channels(x + self.places(x))
        return mixed


def residual_tower() -> nn.Sequential:
    """ResNet (He et al. 2016): [N, 3, S, S] -> [N, 192, S / 16, S / 16]"""
    stem = (nn.Conv2d(3, 32, 5, 2, 2, bias=False), nn.BatchNorm2d(32), nn.ReLU())
    return nn.Sequential(*stem, Residual(32, 48, 1), Residual(48, 96, 2), Residual(96, 144, 2), Residual(144, 192, 2))


def patch_tower() -> nn.Sequential:
    """Patches of 4x4, mixed six times: [N, 3, S, S] -> [N, 192, S / 4, S / 4]"""
    stem = (nn.Conv2d(3, 192, 4, 4), nn.GELU(), nn.BatchNorm2d(192))
    return nn.Sequential(*stem, *(Mixer(192) for _ in range(6)))


TOWERS = {"residual": residual_tower, "patches": patch_tower}


class Captions(nn.Module):
    """One transformer layer over learned tokens; the mean of its words."""

    def __init__(self, vocabulary_size: int, length: int, pad_id: int, width: int = 128) -> None:
        super().__init__()
        self.pad_id = pad_id
        self.token = nn.Embedding(vocabulary_size, width, padding_idx=pad_id)
        self.place = nn.Parameter(torch.zeros(length, width))
        self.drop = nn.Dropout(0.2)
        self.layer = nn.TransformerEncoderLayer(width, 4, 2 * width, batch_first=True)
        self.out = nn.Linear(width, SHARED)

    def forward(self, tokens: Tensor) -> Tensor:
        """[N, L] int64 -> [N, SHARED] float32"""
        length = (tokens != self.pad_id).sum(1)
        by_length = length.argsort(stable=True)
        # Short captions apart from long ones: else most of the work would be done for padding.
        parts = [self._read(tokens[rows, : int(length[rows[-1]])]) for rows in by_length.chunk(NUM_LENGTHS)]
        return torch.cat(parts)[by_length.argsort()].float()

    def _read(self, tokens: Tensor) -> Tensor:
        stands = tokens != self.pad_id
        words = self.layer(self.drop(self.token(tokens)) + self.place[: tokens.shape[1]], src_key_padding_mask=~stands)
        mean = (words * stands[..., None]).sum(1) / stands.sum(1, keepdim=True)
        sentence: Tensor = self.out(mean)
        return sentence


class Judge(nn.Module):
    """Features of pictures, and how well pictures and captions match."""

    def __init__(self, family: Family, *, vocabulary_size: int, length: int, pad_id: int, num_classes: int) -> None:
        super().__init__()
        self.family: Family = family
        self.tower = TOWERS[family]()
        self.narrow = nn.Linear(192, FEATURES)
        self.num_classes = num_classes  # 0 where the catalogue has none
        self.classify = nn.Linear(FEATURES, max(1, num_classes))  # [N, FEATURES] -> logits
        self.to_shared = nn.Linear(FEATURES, SHARED)
        self.captions = Captions(vocabulary_size, length, pad_id)

    def features(self, pictures: Tensor) -> Tensor:
        """[N, 3, S, S] in [-1, 1] -> [N, FEATURES] float32: what distances are measured in."""
        seen = self.tower(pictures.contiguous(memory_format=torch.channels_last))
        with torch.autocast(seen.device.type, enabled=False):  # teaching runs the tower in half precision
            features: Tensor = self.narrow(seen.float().mean((2, 3)))
        return features

    def place_pictures(self, features: Tensor) -> Tensor:
        """[N, FEATURES] -> [N, SHARED] unit vectors"""
        return F.normalize(self.to_shared(features), dim=1)

    def place_captions(self, tokens: Tensor) -> Tensor:
        """[N, L] int64 -> [N, SHARED] unit vectors"""
        return F.normalize(self.captions(tokens), dim=1)
