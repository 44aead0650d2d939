"""Code that does not wait for a GPU.

A GPU works through a queue. The CPU fills it, and waits for its end whenever it reads a value or
copies a tensor from ordinary memory. Meanwhile the queue runs empty. So code of a training step
asks `can_read` before it looks at values, and sends tensors by `send`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_has_gaps: ContextVar[bool | None] = ContextVar("_has_gaps", default=None)
"""Whether samples of the present training step may have missing values; None outside of one."""


@contextmanager
def training_step(has_gaps: bool) -> Iterator[None]:
    """Context in which no code waits for a GPU.

    Args:
        has_gaps: Whether samples may have missing values.

    >>> with training_step(has_gaps=False):
    ...     can_read(torch.zeros(1)), can_read(torch.zeros(1, device="meta"))
    (True, False)
    """
    token = _has_gaps.set(has_gaps)
    try:
        yield
    finally:
        _has_gaps.reset(token)


def can_read(tensor: Tensor) -> bool:
    """Whether code may look at values now, for example to refuse some.

    It may not in a graph that `torch.compile` or `torch.export` traces. Nor in a training step on a
    GPU: to read a value there, the CPU waits until all earlier work is done.

    Args:
        tensor: The tensor with the values.
    """
    if torch.compiler.is_compiling():
        return False
    return tensor.device.type == "cpu" or _has_gaps.get() is None


def may_have_gaps() -> bool:
    """Whether samples of the present training step may have missing values.

    >>> may_have_gaps()
    True
    """
    return _has_gaps.get() is not False


def send(tensor: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """A tensor on a device, without waiting for the device.

    A plain `to` of a tensor in ordinary memory waits until the device has done all earlier work. A
    copy from page-locked memory does not.

    Args:
        tensor: The tensor.
        device: The device.
        dtype: The dtype of the result; None for that of the tensor.

    Returns:
        The tensor itself if it is there already and has the dtype.

    >>> send(torch.ones(2), torch.device("cpu"), torch.float64)
    tensor([1., 1.], dtype=torch.float64)
    """
    tensor = tensor.to(dtype or tensor.dtype)
    if tensor.device == device or tensor.device.type != "cpu":
        return tensor.to(device)
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def send_like(tensor: Tensor, like: Tensor) -> Tensor:
    """A tensor on the device of another one, without waiting.

    It gets the dtype, too.

    Args:
        tensor: The tensor.
        like: The other tensor.

    >>> send_like(torch.ones(2), torch.zeros(1, dtype=torch.float64)).dtype
    torch.float64
    """
    return send(tensor, like.device, like.dtype)
