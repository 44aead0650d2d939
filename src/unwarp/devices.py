"""Where to compute: devices by name, mixed precision and data-parallel processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from unwarp.errors import ConfigError

if TYPE_CHECKING:
    pass


def place(device: str) -> torch.device:
    """The device of a name; `auto` takes the first of CUDA, MPS and the CPU that is there.

    Raises:
        ConfigError: The device is unknown or absent.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    usable = [name for name, found in there.items() if found]
    if device not in (*usable, "auto"):
        raise ConfigError(
            f"device={device!r} is not available here; choose one of {', '.join([*usable, 'auto'])}"
        )
    return torch.device(usable[0] if device == "auto" else device)
