"""Where to compute: devices by name, mixed precision and data-parallel processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from unwarp.types import ConfigError

if TYPE_CHECKING:
    from accelerate import Accelerator

Precision = Literal["no", "fp16", "bf16"]


def place(device: str) -> torch.device:
    """The device of a name; `auto` takes the first of CUDA, MPS and the CPU that is there.

    Raises:
        ConfigError: The device is unknown or absent.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    usable = [name for name, found in there.items() if found]
    if device not in (*usable, "auto"):
        raise ConfigError(f"device={device!r} is not available here; choose one of {', '.join([*usable, 'auto'])}")
    return torch.device(usable[0] if device == "auto" else device)


def accelerator(device: str, precision: Precision = "no") -> Accelerator:
    """Device placement, mixed precision and data-parallel processes, from accelerate.

    Raises:
        ConfigError: The device is unknown or absent.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    if precision not in ("no", "fp16", "bf16"):
        raise ConfigError(f"precision={precision!r} is unknown; choose no, fp16 or bf16")
    place(device)
    AcceleratorState._reset_state(reset_partial_state=not torch.distributed.is_initialized())
    engine = Accelerator(cpu=device == "cpu", mixed_precision=precision)
    if device not in ("auto", engine.device.type):
        raise ConfigError(
            f"device={device!r} was asked for, accelerate chose {engine.device.type!r}; use device='auto'"
        )
    return engine
