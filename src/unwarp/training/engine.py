"""Where and with which numbers to train."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from unwarp.core import Precision
from unwarp.errors import ConfigError

if TYPE_CHECKING:
    from accelerate import Accelerator
from unwarp.devices import place


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
