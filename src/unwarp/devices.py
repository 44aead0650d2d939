"""Devices to compute on, by name.

`core.DeviceName` lists the names: `auto`, `cpu`, `cuda`, `mps`. Training, embedding and alignment
all call `resolve_device`, so that an unavailable device gives the same message everywhere.
"""

from __future__ import annotations

import torch

from unwarp.errors import ConfigError


def resolve_device(device: str) -> torch.device:
    """The device with a given name.

    Args:
        device: `cpu`, `cuda` or `mps`; `auto` takes the first available of CUDA, MPS and the CPU.

    Returns:
        A device that PyTorch can use on this machine.

    Raises:
        ConfigError: The name is unknown, or this machine or this build of PyTorch lacks the device.

    >>> resolve_device("cpu")
    device(type='cpu')
    """
    availability = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    names = [name for name, is_usable in availability.items() if is_usable]
    if device not in (*names, "auto"):
        raise ConfigError(
            f"device={device!r} is not available here; choose one of {', '.join([*names, 'auto'])}"
        )
    return torch.device(names[0] if device == "auto" else device)
