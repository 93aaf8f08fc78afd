"""What do eyes see that learned from many photographs of all kinds? Feature maps of a network that is only read.

EfficientNet-Lite0 (Tan and Le 2019, arXiv 1905.11946; its Lite form, by its authors, has no squeeze-and-excitation and
ReLU6 for an activation). Weights go by the names that their conversion to PyTorch gives them (data/borrowed_eyes.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (24, 40, 112, 320)  # channels of the maps at 1/4, 1/8, 1/16 and 1/32 of the picture's size
_NORM_EPSILON = 1e-3


class _Stage(NamedTuple):
    kernel: int
    stride: int
    expansion: int
    width: int
    num_blocks: int
    is_seen: bool  # whether its map is one of those returned


_STAGES = (
    _Stage(3, 1, 1, 16, 1, False),
    _Stage(3, 2, 6, 24, 2, True),
    _Stage(5, 2, 6, 40, 2, True),
    _Stage(3, 2, 6, 80, 3, False),
    _Stage(5, 1, 6, 112, 3, True),
    _Stage(5, 2, 6, 192, 4, False),
    _Stage(3, 1, 6, 320, 1, True),
)


class FixedConv(nn.Module):
    """A convolution with its normalisation folded into it, and nothing to learn."""

    weight: Tensor
    bias: Tensor

    def __init__(
        self, weights: Mapping[str, Tensor], conv: str, norm: str, *, stride: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + _NORM_EPSILON).sqrt()
        kernel = weights[f"{conv}.weight"]
        self.register_buffer("weight", (kernel * scale[:, None, None, None]).float(), persistent=False)
        self.register_buffer(
            "bias", (weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale).float(), persistent=False
        )
        self.stride, self.act = stride, act
        self.groups = len(kernel) if kernel.shape[1] == 1 and kernel.shape[2] > 1 else 1
        self.kernel = kernel.shape[-1]

    def forward(self, x: Tensor) -> Tensor:
        padding = self.kernel // 2
        if self.stride == 2:  # as TensorFlow pads, where these weights were learned: one more behind than before
            x, padding = F.pad(x, (padding - 1, padding, padding - 1, padding)), 0
        x = F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)
        return F.relu6(x) if self.act else x


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow again (MobileNetV2, Sandler et al. 2018)."""

    def __init__(
        self, weights: Mapping[str, Tensor], name: str, *, stride: int, widens: bool, is_residual: bool
    ) -> None:
        super().__init__()
        self.widen = FixedConv(weights, f"{name}._expand_conv", f"{name}._bn0") if widens else nn.Identity()
        self.filter = FixedConv(weights, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride)
        self.narrow = FixedConv(weights, f"{name}._project_conv", f"{name}._bn2", act=False)
        self.is_residual = is_residual

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.narrow(self.filter(self.widen(x)))
        return x + y if self.is_residual else y


class EfficientNetLite0(nn.Module):
    """Maps of four sizes; gradients pass through to the pictures, and none of its weights learns or is saved."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        """Raises KeyError or RuntimeError where these are not the weights of this network."""
        super().__init__()
        self.stem = FixedConv(weights, "_conv_stem", "_bn0", stride=2)
        self.stages = nn.ModuleList()
        first = 0  # of a stage's blocks, which are numbered through
        for stage in _STAGES:
            self.stages.append(
                nn.Sequential(
                    *(
                        InvertedResidual(
                            weights,
                            f"_blocks.{first + i}",
                            stride=stage.stride if i == 0 else 1,
                            widens=stage.expansion > 1,
                            is_residual=i > 0,
                        )
                        for i in range(stage.num_blocks)
                    )
                )
            )
            first += stage.num_blocks
        with torch.no_grad():
            maps = self(torch.zeros(1, 3, 32, 32))
        if tuple(seen.shape[1] for seen in maps) != WIDTHS:
            raise RuntimeError(f"expected maps of {WIDTHS} channels")

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """[N, 3, S, S] in [-1, 1] -> [N, WIDTHS[i], S / 4 / 2^i, S / 4 / 2^i] for i = 0, 1, 2, 3"""
        x = self.stem(pictures.contiguous(memory_format=torch.channels_last))
        maps = []
        for stage, what in zip(self.stages, _STAGES, strict=True):
            x = stage(x)
            if what.is_seen:
                maps.append(x)
        return maps
