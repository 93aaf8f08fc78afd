"""Which building blocks do generator and discriminator share?"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from bespoke.method.across import total, world_size

SLOPE = 0.2  # of every leaky ReLU


def leaky(x: Tensor) -> Tensor:
    """The one non-linearity of both networks."""
    return F.leaky_relu(x, SLOPE)


def conv3(width_in: int, width_out: int) -> nn.Conv2d:
    """3x3 convolution with He initialisation for the leaky ReLU before it."""
    layer = nn.Conv2d(width_in, width_out, 3, padding=1)
    _he(layer)
    return layer


def _he(layer: nn.Conv2d) -> None:
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


class UpConv3(nn.Conv2d):
    """Nearest-neighbour enlargement to twice the size and a 3x3 convolution, computed as one transposed convolution.

    The same function with four ninths of the arithmetic: an output pixel meets only 2x2 different input pixels, so the
    taps that fall on the same one are summed beforehand.
    """

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__(width_in, width_out, 3)
        _he(self)
        self._kept, self._stamp = torch.empty(0), (0, -1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', 2 H, 2 W]"""
        return F.conv_transpose2d(x, self._taps(), self.bias, stride=2, padding=1)

    def _taps(self) -> Tensor:
        """[C, C', 4, 4]; kept as long as nobody learns: to sum them takes as long as to draw a picture with them."""
        if torch.is_grad_enabled() and self.weight.requires_grad:
            return self._summed()
        stamp = (self.weight.data_ptr(), self.weight._version)
        if stamp != self._stamp:
            self._kept, self._stamp = self._summed().detach(), stamp
        return self._kept

    def _summed(self) -> Tensor:
        return _spread(self.weight.transpose(0, 1).flip(2, 3))  # a transposed convolution wants [C, C', 3, 3], mirrored


class DownConv3(nn.Conv2d):
    """A 3x3 convolution and the mean of every 2x2, computed as one convolution that moves on by two.

    The same function with four ninths of the arithmetic, and no large map between the two.
    """

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__(width_in, width_out, 3)
        _he(self)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', H / 2, W / 2]"""
        return F.conv2d(x, _spread(self.weight) / 4, self.bias, stride=2, padding=1)


class WholeMap(nn.Conv2d):
    """Every channel's whole map weighed by learned maps of its own.

    A depthwise convolution as large as its input, computed as one product a channel: several times as fast on a CPU.
    """

    def __init__(self, channels: int, maps: int, size: int) -> None:
        super().__init__(channels, channels * maps, size, groups=channels)
        nn.init.kaiming_normal_(self.weight, a=SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, size, size] -> [N, C * maps], channel by channel"""
        taps = self.weight.view(x.shape[1], -1, x.shape[2] * x.shape[3])
        weighed = torch.einsum("ncp,cmp->ncm", x.flatten(2), taps).flatten(1)
        return weighed if self.bias is None else weighed + self.bias


def _spread(taps: Tensor) -> Tensor:
    """[..., 3, 3] -> [..., 4, 4]: the sum of the taps at the four places that they can take."""
    shifted = [F.pad(taps, (left, 1 - left, top, 1 - top)) for left in (0, 1) for top in (0, 1)]
    return torch.stack(shifted).sum(0)


def blur(x: Tensor) -> Tensor:
    """[N, C, H, W] -> the same shape, every channel smoothed by [1, 2, 1] x [1, 2, 1] / 16 (StyleGAN).

    Takes away the blocks that nearest-neighbour enlargement draws. At the edges the mean goes over what is there.
    """
    kernel, edges = _smoothing(tuple(x.shape[1:]), x.device, x.dtype)
    return F.conv2d(x, kernel, padding=1, groups=x.shape[1]) * edges


@lru_cache(maxsize=64)
def _smoothing(shape: tuple[int, int, int], device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The kernel [C, 1, 3, 3], and what makes up for the part of it beyond the picture's edges [1, C, H, W].

    Both written out for every channel: one number for all channels of a place is several times as slow to multiply by.
    """
    channels, height, width = shape
    taps = torch.tensor([1.0, 2.0, 1.0], device=device)
    kernel = (taps[:, None] * taps)[None, None] / 16
    edges = F.conv2d(torch.ones(1, 1, height, width, device=device), kernel, padding=1).reciprocal()
    spread = edges.expand(1, channels, height, width).contiguous(memory_format=torch.channels_last)
    return kernel.expand(channels, 1, 3, 3).to(dtype), spread.to(dtype)


class Standardise(nn.BatchNorm2d):
    """Batch normalisation without scale and shift, over the batches of all processes.

    torch.nn.SyncBatchNorm does the same on GPUs only. In eval mode the running statistics count, so that a picture does
    not depend on its neighbours.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same shape, every channel of mean 0 and variance 1 over N, H, W."""
        if not self.training or world_size() == 1:
            return super().forward(x)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        places = x.float()
        count = world_size() * x.numel() // x.shape[1]
        mean = total(places.sum((0, 2, 3))) / count
        centred = places - mean[:, None, None]
        variance = total(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance * count / (count - 1), share)
        return (centred * (variance + self.eps).rsqrt()[:, None, None]).to(x.dtype)


class FiLM(nn.Module):
    """Normalise, then scale and shift every channel by the style (Perez et al. 2018).

    Over the batch unless groups are given: then in so many groups of channels, picture by picture (Wu and He 2018).
    """

    def __init__(self, width: int, style_width: int, groups: int | None = None) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, affine=False) if groups else Standardise(width)
        self.modulate = nn.Linear(style_width, 2 * width)
        nn.init.normal_(self.modulate.weight, std=0.02)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """[N, C, H, W], [N, S] -> [N, C, H, W]"""
        scale, shift = self.modulate(style)[:, :, None, None].chunk(2, dim=1)
        return torch.addcmul(shift, self.norm(x), 1 + scale)


class WordAttention(nn.Module):
    """Every position of a picture looks at the words of its caption (L2-normalised, sharpness 15 as in XMC-GAN)."""

    SHARPNESS = 15.0

    def __init__(self, width: int, embedding_width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(embedding_width, width)
        self.value = nn.Linear(embedding_width, width)
        self.out = nn.Linear(width, width)
        nn.init.normal_(self.out.weight, std=0.02)

    def forward(self, x: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """[N, C, H, W], [N, L, E], [N, L] bool -> what the words say, [N, C, H, W]"""
        n, c, h, w = x.shape

        def split(t: Tensor) -> Tensor:
            """[N, *, C] -> [N, heads, *, C / heads]"""
            heads: Tensor = t.unflatten(-1, (self.heads, -1))
            return heads.transpose(1, 2)

        query = F.normalize(split(self.query(x.flatten(2).transpose(1, 2))).float(), dim=-1)
        key = F.normalize(split(self.key(words)).float(), dim=-1)
        score = self.SHARPNESS * query @ key.transpose(-1, -2)
        weight = score.masked_fill(~mask[:, None, None, :], float("-inf")).softmax(-1)
        told = (weight @ split(self.value(words)).float()).transpose(1, 2).flatten(2)
        mapped: Tensor = self.out(told)
        return mapped.transpose(1, 2).reshape(n, c, h, w)


def fourier(balance: Tensor, num: int = 4) -> Tensor:
    """[N] in [0, 1] -> [N, 2 num] smooth features of the balance."""
    angle = balance[:, None] * math.pi * torch.arange(1, num + 1, device=balance.device, dtype=balance.dtype)
    return torch.cat([angle.cos(), angle.sin()], dim=1)
