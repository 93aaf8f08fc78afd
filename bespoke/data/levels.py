"""How do levels of a picture become the numbers that networks see, and back? One scale: 0 is -1, 255 is 1."""

from __future__ import annotations

import torch
from PIL import Image
from torch import Tensor


def to_signed(levels: Tensor) -> Tensor:
    """uint8 -> float32 in [-1, 1], any shape."""
    return levels.float() / 127.5 - 1


def to_levels(signed: Tensor) -> Tensor:
    """Numbers, nominally in [-1, 1] -> uint8 on the CPU, the same shape; what lies outside becomes black or full."""
    return ((signed.clamp(-1, 1) + 1) * 127.5).round().to("cpu", torch.uint8)


def as_image(levels: Tensor) -> Image.Image:
    """[3, H, W] uint8 -> an RGB picture."""
    return Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy())
