"""Is bfloat16 used where the hardware computes it, and nowhere else?"""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
import torch

from bespoke.precision import autocast, computes_bf16
from bespoke.settings import Precision

CPU = torch.device("cpu")
CPUINFO = Path("/proc/cpuinfo")


@pytest.mark.skipif(platform.machine() != "x86_64" or not CPUINFO.exists(), reason="asks Linux for the CPU's flags")
def test_a_cpu_gets_bf16_where_its_flags_say_so() -> None:
    flags = next(line for line in CPUINFO.read_text("ascii").splitlines() if line.startswith("flags")).split()
    assert computes_bf16(CPU) == ("avx512_bf16" in flags or "amx_bf16" in flags)


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        ("bf16", torch.bfloat16),
        ("fp32", torch.float32),
        ("auto", torch.bfloat16 if computes_bf16(CPU) else torch.float32),
    ],
)
def test_products_come_out_in_the_precision_asked_for(precision: Precision, expected: torch.dtype) -> None:
    a = torch.ones(2, 2)
    with autocast(CPU, precision):
        assert (a @ a).dtype == expected


@pytest.mark.gpu
def test_a_gpu_gets_bf16_where_it_computes_it() -> None:
    assert computes_bf16(torch.device("cuda")) == (torch.cuda.get_device_capability() >= (8, 0))
