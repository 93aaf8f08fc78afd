"""In which precision do networks compute on a device? In bfloat16 where the hardware does, else in float32."""

from __future__ import annotations

import torch

from bespoke.settings import Precision


def computes_bf16(device: torch.device) -> bool:
    """Whether bfloat16 pays on `device`: elsewhere it is emulated, on a CPU at a hundredth of the speed."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # torch has no public name for this question.
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def autocast(device: torch.device, precision: Precision = "auto") -> torch.autocast:
    """The context that forward passes run in."""
    half = computes_bf16(device) if precision == "auto" else precision == "bf16"
    return torch.autocast(device.type, torch.bfloat16, enabled=half)
