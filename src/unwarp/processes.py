"""Connected processes, which train one model together.

Everything but the training, such as the choice of a warp or a written file, is made by the first
process, and the others wait for it.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import distributed, nn

from unwarp.collectives.shared_memory import shared_memory
from unwarp.errors import ProcessError, UnwarpError
from unwarp.launch import count_processes, is_alone, is_first_process

T = TypeVar("T")

MAX_WAIT = timedelta(days=7)
"""Longest time for which a process waits for another one that is alive."""

DISCONNECT_SECONDS = 0.1
"""Time for the threads of a connection to end their work."""


def connect_processes(device: str = "auto") -> None:
    """Connect the processes, if there are several that are not connected.

    Args:
        device: Device of the run: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ProcessError: Another process cannot be reached.
    """
    if count_processes() == 1 or distributed.is_initialized():
        return
    from accelerate import PartialState

    is_cpu = device == "cpu" or not torch.cuda.is_available()
    with told_loss("at the start"):
        PartialState(cpu=is_cpu, timeout=MAX_WAIT)
    atexit.register(_disconnect)


def _disconnect() -> None:
    """End the connection.

    A thread of gloo frees the tensors of the last exchange, for which it needs the interpreter. It
    would abort the process, should it ask once the interpreter has ended (`terminate called`).
    """
    shared_memory.cache_clear()
    if distributed.is_initialized():
        distributed.destroy_process_group()
        time.sleep(DISCONNECT_SECONDS)


def run_once(compute: Callable[[], T]) -> T:
    """The result of a function that the first process runs alone.

    Args:
        compute: Function without arguments. Its result goes to the other processes by pickle.

    Returns:
        The result, in all processes.

    Raises:
        UnwarpError: The function raised it, in the first process.
        ProcessError: Another process was lost.

    >>> run_once(lambda: 3)
    3
    """
    if count_processes() == 1:
        return compute()
    connect_processes()
    outcome: list[Any] = [None, None]
    if is_first_process():
        token = is_alone.set(True)
        try:
            outcome[0] = compute()
        except UnwarpError as error:
            outcome[1] = error
        finally:
            is_alone.reset(token)
    with told_loss("while the first one worked"):
        distributed.broadcast_object_list(outcome, src=0)
    if outcome[1] is not None:
        raise outcome[1]
    result: T = outcome[0]
    return result


def share_weights(module: nn.Module) -> None:
    """Give all processes the weights and buffers of the first one.

    Args:
        module: The module, which is changed in place.

    Raises:
        ProcessError: Another process was lost.
    """
    with told_loss("at the end of the training"):
        for value in module.state_dict().values():
            distributed.broadcast(value, src=0)


@contextmanager
def told_loss(moment: str) -> Iterator[None]:
    """Context in which a lost process is an error with a remedy.

    Args:
        moment: When it is, in words.

    Raises:
        ProcessError: The connection to another process failed.
    """
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, distributed.DistError) and "gloo" not in str(error).lower():
            raise
        raise lost_process(moment, error) from error


def lost_process(moment: str, error: Exception) -> ProcessError:
    """The error for a process that another one lost.

    Args:
        moment: When it was, in words.
        error: The error of the connection.

    >>> str(lost_process("at step 7", RuntimeError("Connection closed by peer")))[:71]
    'a process of this run was lost at step 7 (Connection closed by peer); s'
    """
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ProcessError(
        f"a process of this run was lost {moment} ({reason}); start all processes again with the "
        "same command: a run with a checkpoint continues from it"
    )
