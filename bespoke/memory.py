"""How is memory asked for while networks learn on a CPU? Once: what a step frees the next takes again."""

from __future__ import annotations

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)


def keep_freed_memory() -> None:
    """Let the C library use the memory of one step again in the next.

    Left to itself, glibc gives large tensors back to the system as they are freed and asks for zeroed pages again:
    a million page faults in twenty steps, and a twentieth of their time. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        for parameter in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            library.mallopt(parameter, 2**31 - 1)
