"""Devices to compute on, by name, and torch's settings for a computation.

`core.DeviceName` lists the names: `auto`, `cpu`, `cuda`, `mps`. Training, embedding and alignment
all call `resolve_device`, so that an unavailable device gives the same message everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TypeVar

import torch
from torch import nn

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
    if not (isinstance(device, str) and device in (*names, "auto")):
        raise ConfigError(
            f"device={device!r} is not available here; choose one of {', '.join([*names, 'auto'])}"
        )
    return torch.device(names[0] if device == "auto" else device)


@contextmanager
def float32_gradients() -> Iterator[None]:
    """Context with float32 as torch's default and with gradients.

    Models are built and trained in it, so that the numbers do not depend on what the calling code
    has set. As a decorator it covers a whole function.

    >>> with torch.no_grad(), float32_gradients():
    ...     torch.is_grad_enabled()
    True
    """
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(default)


M = TypeVar("M", bound=nn.Module)


def place(module: M, device: torch.device | str) -> M:
    """A module on a device, in evaluation mode.

    It is touched only if it is elsewhere or in training: to move a module that is already there
    takes a quarter of the time of one small sample.

    Args:
        module: The module, which is changed in place.
        device: The device.

    Returns:
        The module itself.

    >>> place(nn.BatchNorm1d(2), "cpu").training
    False
    """
    first = next(chain(module.parameters(), module.buffers()), None)
    if first is not None and first.device != torch.device(device):
        module.to(device)
    return module.eval() if module.training else module
