"""How natural is a picture, and how well does it match a caption? Two heads on one trunk."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from bespoke.method.canonical import CanonicalColors
from bespoke.method.layers import DownConv3, WholeMap, conv3, fourier, leaky


class PictureFeatures(NamedTuple):
    """What the discriminator sees in N pictures."""

    trunk: Tensor  # [N, H] float32, read by the two heads
    embedding: Tensor  # v(x): [N, E] unit vectors, compared with sentences
    regions: Tensor  # r(x): [N, R, E], compared with words in the precision that they come in


class Down(nn.Module):
    """Half the size: a residual block whose second convolution already runs on the smaller picture."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.conv1 = DownConv3(width_in, width_in)
        self.conv2 = conv3(width_in, width_out)
        self.skip = nn.Conv2d(width_in, width_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        halved: Tensor = self.skip(F.avg_pool2d(x, 2)) + self.conv2(leaky(self.conv1(leaky(x))))
        return halved / math.sqrt(2)  # keeps the variance


class Discriminator(nn.Module):
    """Mirrored residual trunk with a naturalness head that never sees text and an alignment head that does."""

    def __init__(
        self,
        *,
        image_size: int,
        embedding_width: int,  # E
        widths: tuple[int, ...] = (256, 192, 128, 64),  # channels at 4x4, 8x8, ... up to half the image size
        region_size: int = 8,  # side of the map whose positions are compared with words: 4, 8, ...
        canonical_width: int = 0,  # canonical directions that v(x) starts from; 0: none
        balance: bool = True,  # whether naturalness knows the balance of a picture
    ) -> None:
        super().__init__()
        if 4 * 2 ** len(widths) != image_size:
            raise ValueError(f"{len(widths)} widths read {4 * 2 ** len(widths)} px pictures, not {image_size}")
        down = widths[::-1]
        self.stem = conv3(12, down[0])
        self.stages = nn.ModuleList(Down(a, b) for a, b in pairwise(down))
        sizes = [image_size // 2 // 2**i for i in range(len(down))]  # of the maps, from the stem's to 4x4
        self.region_stage = sizes.index(region_size)
        self.to_regions = nn.Conv2d(down[self.region_stage], embedding_width, 1)
        width = 2 * down[-1]
        self.final = conv3(down[-1], down[-1])
        self.basis = WholeMap(down[-1], 2, 4)
        self.naturalness_head = nn.Linear(width, 1)
        self.balance_head = nn.Linear(8, width, bias=False) if balance else None
        self.alignment_picture = nn.Linear(width, embedding_width)
        self.alignment_text = nn.Linear(embedding_width, embedding_width, bias=False)
        self.to_embedding = nn.Linear(width, embedding_width)
        self.canonical = CanonicalColors(canonical_width, embedding_width) if canonical_width else None
        if self.balance_head is not None:
            nn.init.zeros_(self.balance_head.weight)
        # Features of unit variance before the heads: with the default, weaker start the logits answer so slowly that
        # the generator outruns the discriminator.
        for head in (self.alignment_picture, self.alignment_text, self.to_embedding):
            nn.init.normal_(head.weight, std=1 / math.sqrt(head.in_features))

    def forward(self, pictures: Tensor) -> PictureFeatures:
        """[N, 3, H, W] in [-1, 1] -> PictureFeatures"""
        x = self.stem(F.pixel_unshuffle(pictures, 2).contiguous(memory_format=torch.channels_last))
        maps = [x]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        regions = self.to_regions(leaky(maps[self.region_stage])).flatten(2).transpose(1, 2)
        x = leaky(maps[-1] + self.final(leaky(maps[-1])))
        with torch.autocast(x.device.type, enabled=False):
            trunk = leaky(self.basis(x.float()))
            embedding = self.to_embedding(trunk)
            if self.canonical is not None:
                embedding = embedding + self.canonical(pictures)
            return PictureFeatures(trunk, F.normalize(embedding, dim=1), regions)

    def naturalness(self, seen: PictureFeatures, balance: Tensor) -> Tensor:
        """n(x): [N] logits, high for real. Knows the balance the picture was made for, never its text."""
        by_balance = 0.0 if self.balance_head is None else (self.balance_head(fourier(balance)) * seen.trunk).mean(1)
        logits: Tensor = self.naturalness_head(seen.trunk)[:, 0] + by_balance
        return logits

    def alignment(self, seen: PictureFeatures, sentence: Tensor) -> Tensor:
        """a(x, y): [N] logits, high where the picture matches; sentence: [N, E], the alignment embedding S_D."""
        picture: Tensor = self.alignment_picture(seen.trunk)
        text: Tensor = self.alignment_text(sentence)
        return (picture * text).sum(1) / math.sqrt(text.shape[1])
