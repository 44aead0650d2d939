"""The device and the precision of a training run.

`accelerate` provides device placement, mixed precision and data-parallel processes. It is imported
only when a run starts, as the import takes seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import torch

from unwarp.core import Precision
from unwarp.devices import resolve_device
from unwarp.errors import ConfigError
from unwarp.ranges import Choice
from unwarp.training.state import State

if TYPE_CHECKING:
    from accelerate import Accelerator


def stops_together(state: State, engine: Accelerator) -> bool:
    """Whether a run ends after this step, the same in all processes.

    A callback may stop the run in one process alone, such as the first one; the others would then
    wait for it forever. So all processes get its reason, and stop as well.

    Args:
        state: The state of this process; `history.stopped` becomes the reason of another one.
        engine: Accelerator of the run.
    """
    if engine.num_processes > 1:
        from accelerate.utils import gather_object

        reasons = gather_object([state.history.stopped])
        state.history.stopped = next(filter(None, reasons), "")
    return bool(state.history.stopped)


def make_accelerator(device: str, precision: Precision = "no") -> Accelerator:
    """The accelerator of a run, for its device, precision and processes.

    Each call resets the global state of `accelerate`, so that runs in one process may have
    different precisions.

    Args:
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no` for float32, or `fp16` or `bf16` for mixed precision.

    Returns:
        An `accelerate.Accelerator`. If the script was started by `accelerate launch`, training is
        data-parallel in several processes.

    Raises:
        ConfigError: The device or the precision is unknown, or the device is not available.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    if not Choice(get_args(Precision)).allows(precision):
        raise ConfigError(f"precision={precision!r} is unknown; choose no, fp16 or bf16")
    resolve_device(device)
    # accelerate keeps the precision of its first use in a process unless its state is reset
    AcceleratorState._reset_state(reset_partial_state=not torch.distributed.is_initialized())
    engine = Accelerator(cpu=device == "cpu", mixed_precision=precision)
    if device not in ("auto", engine.device.type):
        raise ConfigError(
            f"device={device!r} is not the device that accelerate selected, "
            f"{engine.device.type!r}; use device='auto'"
        )
    return engine
