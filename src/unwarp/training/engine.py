"""The device, the precision and the processes of a training run.

`accelerate` provides device placement, mixed precision and data-parallel processes. It is imported
only when a run starts, as the import takes seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

import torch
from torch import Tensor, distributed, nn

from unwarp.collectives.exchange import gather
from unwarp.core import Precision
from unwarp.devices import resolve_device
from unwarp.errors import ConfigError
from unwarp.launch import count_processes
from unwarp.processes import connect_processes
from unwarp.range_kinds import Choice
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
    if engine.num_processes > 1 and any_process(bool(state.history.stopped), engine):
        from accelerate.utils import gather_object

        reasons = gather_object([state.history.stopped])
        state.history.stopped = next(filter(None, reasons), "")
    return bool(state.history.stopped)


def any_process(flag: bool, engine: Accelerator) -> bool:
    """Whether a flag is set in any process.

    Args:
        flag: The flag of this process.
        engine: Accelerator of the run.
    """
    return greatest_of_processes(float(flag), engine) > 0


def greatest_of_processes(number: float, engine: Accelerator) -> float:
    """The greatest of the numbers of all processes.

    Args:
        number: The number of this process.
        engine: Accelerator of the run.
    """
    if engine.num_processes == 1:
        return number
    return float(gather(torch.tensor(number, dtype=torch.float64, device=engine.device)).max())


def least_of_processes(number: float | None, engine: Accelerator) -> float | None:
    """The least number of all processes; None if there is none.

    Args:
        number: The number of this process; None in all processes or in none.
        engine: Accelerator of the run.
    """
    return None if number is None else -greatest_of_processes(-number, engine)


def mean_of_processes(numbers: Tensor, engine: Accelerator) -> Tensor:
    """Means of numbers over all processes; NaN if one is NaN.

    Args:
        numbers: Numbers of this process, on the device of the run.
        engine: Accelerator of the run.
    """
    if engine.num_processes == 1:
        return numbers
    return gather(numbers).mean(0)


class SoleEngine:
    """The accelerator of a run of one process, while others wait.

    Args:
        engine: The accelerator of all processes.

    >>> from types import SimpleNamespace
    >>> sole = SoleEngine(SimpleNamespace(num_processes=2, device="cpu"))
    >>> sole.num_processes, sole.device
    (1, 'cpu')
    """

    num_processes, process_index = 1, 0

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def prepare_model(self, module: nn.Module) -> nn.Module:
        """The module for the device and precision, without the other processes.

        Args:
            module: The module of a loss.
        """
        return cast(nn.Module, self._engine.prepare_model(module, evaluation_mode=True))


def make_accelerator(device: str, precision: Precision = "no") -> Accelerator:
    """The accelerator of a run, for its device, precision and processes.

    Each call resets the global state of `accelerate`, so that runs in one process may have
    different precisions.

    Args:
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `no` for float32, or `fp16` or `bf16` for mixed precision.

    Returns:
        An `accelerate.Accelerator`. If `torchrun` or `accelerate launch` started several processes,
        training is data-parallel; not so within `run_once`.

    Raises:
        ConfigError: The device or the precision is unknown, or the device is not available.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    if not Choice(get_args(Precision)).allows(precision):
        raise ConfigError(f"precision={precision!r} is unknown; choose no, fp16 or bf16")
    resolve_device(device)
    if count_processes() > 1:
        connect_processes(device)
    # accelerate keeps the precision of its first use in a process unless its state is reset
    AcceleratorState._reset_state(reset_partial_state=not distributed.is_initialized())
    engine = Accelerator(cpu=device == "cpu", mixed_precision=precision)
    if device not in ("auto", engine.device.type):
        raise ConfigError(
            f"device={device!r} is not the device that accelerate selected, "
            f"{engine.device.type!r}; use device='auto'"
        )
    is_sole = engine.num_processes > 1 and count_processes() == 1
    return cast("Accelerator", SoleEngine(engine)) if is_sole else engine
