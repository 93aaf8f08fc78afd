"""How do modules and optimizers become named tensors and come back, exactly and without pickle?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def pack(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A module's state dict under names that no other module's can meet: `prefix/name`."""
    return {f"{prefix}/{name}": tensor for name, tensor in state.items()}


def unpack(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict that `pack` put under `prefix`, ready for `load_state_dict`."""
    start = f"{prefix}/"
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def pack_optimizer(prefix: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimizer such as Adam has learned (moments, step counters) and each group's learning rate, exactly.

    The other settings of a group (betas, eps) are the config's and not saved.
    """
    state = optimizer.state_dict()
    packed = {
        f"{prefix}/state/{index}/{name}": torch.as_tensor(value)
        for index, slots in state["state"].items()
        for name, value in slots.items()
    }
    for index, group in enumerate(state["param_groups"]):
        packed[f"{prefix}/lr/{index}"] = torch.tensor(float(group["lr"]), dtype=torch.float64)
    return packed


def unpack_optimizer(prefix: str, tensors: Mapping[str, Tensor], optimizer: torch.optim.Optimizer) -> None:
    """Puts what `pack_optimizer` saved into an optimizer built over the same parameters.

    Moments take their parameter's memory format, so that the next step runs the same kernels, and are copies.
    Raises ValueError if the groups or the shapes are not those that were saved.
    """
    saved = unpack(prefix, tensors)
    groups = optimizer.state_dict()["param_groups"]
    rates = unpack("lr", saved)
    if len(rates) != len(groups):
        raise ValueError(f"{prefix}: {len(rates)} parameter groups were saved, {len(groups)} are expected")
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in unpack("state", saved).items():
        index, _, slot = name.partition("/")
        if int(index) >= len(parameters):
            raise ValueError(f"{prefix}: saved for more than the {len(parameters)} parameters of this optimizer")
        parameter = parameters[int(index)].detach()
        if slot != "step" and tensor.shape != parameter.shape:
            shapes = f"{tuple(tensor.shape)} was saved, {tuple(parameter.shape)} is expected"
            raise ValueError(f"{prefix}: {slot} of parameter {index}: {shapes}")
        copied = tensor.clone() if slot == "step" else torch.empty_like(parameter).copy_(tensor)
        state.setdefault(int(index), {})[slot] = copied
    optimizer.load_state_dict(
        {
            "state": state,
            "param_groups": [group | {"lr": rates[str(index)].item()} for index, group in enumerate(groups)],
        }
    )
