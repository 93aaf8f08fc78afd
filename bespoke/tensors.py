"""How are tensors written? As safetensors, as open to the team as every other file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor


def save_tensors(tensors: Mapping[str, Tensor], file: Path) -> None:
    """Write dense tensors, no two of which share memory. Raises OSError where the disk refuses.

    save_file alone lets nobody read them but whoever wrote, and tells of a full disk by an error of its own.
    """
    file.unlink(missing_ok=True)
    file.touch()
    mode = file.stat().st_mode
    try:
        save_file(dict(tensors), file)
    except SafetensorError as error:
        refused = re.search(r"os error (\d+)", str(error))
        if refused is None:
            raise
        number = int(refused[1])
        raise OSError(number, os.strerror(number), str(file)) from error
    file.chmod(mode)
