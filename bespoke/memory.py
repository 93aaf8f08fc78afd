"""How is memory asked for while networks learn on a CPU? Once: what a step frees the next takes again."""

from __future__ import annotations

import ctypes
import os
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)
PRIMITIVES = 768  # a step of cpu64 takes 350, with borrowed eyes 550: with fewer each would be made anew in every step


def steady_memory() -> None:
    """Let this process hold what a step needs, no less and hardly more; to be called before anything is computed."""
    _keep_freed_memory()
    # oneDNN keeps a program for each shape that it has met, 1,024 of them unless told, and captions come in many
    # lengths. Where the processor has AMX each takes a megabyte.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(PRIMITIVES))


def _keep_freed_memory() -> None:
    """Let the C library use the memory of one step again in the next.

    Left to itself, glibc gives large tensors back to the system as they are freed and asks for zeroed pages again:
    a million page faults in twenty steps, and a twentieth of their time. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        for parameter in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            library.mallopt(parameter, 2**31 - 1)
