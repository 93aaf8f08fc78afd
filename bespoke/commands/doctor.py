"""What can this machine do, and what is missing? Measured where measuring takes less than a second."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import torch

from bespoke.commands.extras import EXTRAS
from bespoke.commands.screen import say
from bespoke.data.store import cache_folder
from bespoke.errors import UserError
from bespoke.precision import computes_bf16

GIGABYTE = 2**30
_TRIED = 2**16  # bytes that are written to the cache and taken away again
_MATRIX = 1024  # side of the matrices that are multiplied


def doctor() -> None:
    """Print what this machine can do, what is missing, and the command that installs it.

    Raises UserError, when all else has been told, where the cache cannot be written, without which nothing is trained.
    """
    for name, value in machine():
        say(f"{name:12} {value}")
    missing = [extra for extra in EXTRAS if importlib.util.find_spec(extra.module) is None]
    for extra in EXTRAS:
        state = f"missing, needed for {extra.purpose}" if extra in missing else f"there, for {extra.purpose}"
        say(f"{extra.module:12} {state}")
    if missing:
        wanted = " ".join(f"'{extra.requirement}'" for extra in missing)
        say(f"Install what is missing with: {sys.executable} -m pip install {wanted}")
    if refusal := cache_refusal():
        raise UserError(
            f"{cache_folder()}: the cache cannot be written ({refusal}); set BESPOKE_CACHE to another folder"
        )
    say("Nothing that `bespoke train` and `bespoke generate` need is missing.")


def machine() -> list[tuple[str, str]]:
    """Names and findings, in the order they are shown."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("torch", torch.__version__),
        ("cores", f"{cores} ({torch.get_num_threads()} used for training)"),
        ("memory", memory()),
        ("disk", f"{disk(Path.cwd())} here, {disk(cache_folder())} for the cache in {cache_folder()}"),
        ("precision", precision(torch.device("cpu"))),
        ("GPU", gpus()),
    ]


def memory() -> str:
    """Gigabytes in all and free, where the system tells."""
    if not hasattr(os, "sysconf"):
        return "not known on this system"
    page = os.sysconf("SC_PAGE_SIZE")
    total = page * os.sysconf("SC_PHYS_PAGES") / GIGABYTE
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        free = f", {int(lines['MemAvailable'].split()[0]) / 2**20:.1f} GB of it free"
    except (OSError, KeyError, ValueError):
        free = ""
    return f"{total:.1f} GB{free}"


def disk(folder: Path) -> str:
    """Free space where `folder` is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return f"{shutil.disk_usage(folder).free / GIGABYTE:.0f} GB free"


def cache_refusal() -> str:
    """Why nothing can be written to the cache; empty where it can. Tried, for rights and mounts say only half of it."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache_folder()) as file:
            file.write(bytes(_TRIED))
    except OSError as error:
        return (error.strerror or "no reason given").lower()
    return ""


def precision(device: torch.device) -> str:
    """Which precision is used on this device, and how bf16 and fp32 compare on it."""
    full, half = speed(torch.float32, device), speed(torch.bfloat16, device)
    ratio = f"bf16 is {half / full:.2g} times as fast as fp32 ({half:.0f} and {full:.0f} GFLOP/s in matrix products)"
    return f"{ratio}: {'bf16' if computes_bf16(device) else 'fp32'} is used"


def speed(dtype: torch.dtype, device: torch.device, seconds: float = 0.2) -> float:
    """GFLOP/s of square matrix products. Says nothing about convolutions beyond which type is faster."""
    a = torch.ones(_MATRIX, _MATRIX, dtype=dtype, device=device)
    float((a @ a)[0, 0])  # the first product sets up
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds or not count:
        float((a @ a)[0, 0])  # waits for a GPU
        count += 1
    return count * 2 * _MATRIX**3 / spent / 1e9


def gpus() -> str:
    """Name, memory and bf16 of every GPU that torch can use."""
    if not torch.cuda.is_available():
        return "none that torch can use; the presets called gpu need one"
    found = []
    for index in range(torch.cuda.device_count()):
        name, total = torch.cuda.get_device_name(index), torch.cuda.get_device_properties(index).total_memory
        found.append(f"{name}, {total / GIGABYTE:.0f} GB, {precision(torch.device('cuda', index))}")
    return "; ".join(found)
