"""Exchange of tensors between connected processes.

A training exchanges a few numbers about twenty times a step, for which the collectives of gloo take
longer than the step. Processes of one computer exchange them through memory.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn
from torch.futures import Future
from torch.nn.parallel import DistributedDataParallel

from unwarp.collectives.shared_memory import SLOT_BYTES, SharedMemory, shared_memory


def gather(x: Tensor) -> Tensor:
    """The tensors of all processes, stacked in the order of processes.

    Args:
        x: A tensor of the same shape and type in each process, without gradient.

    Returns:
        Tensors (number of processes, *x.shape), equal in all processes.

    Raises:
        RuntimeError: Another process was lost.
    """
    x = x.detach().contiguous()
    memory = shared_memory() if x.device.type == "cpu" else None
    if memory and x.nbytes <= SLOT_BYTES:
        return memory.gather(x)
    rows = [torch.empty_like(x) for _ in range(distributed.get_world_size())]
    distributed.all_gather(rows, x)
    return torch.stack(rows)


def share_gradients(module: nn.Module) -> nn.Module:
    """Average gradients through memory, if the processes share one.

    Args:
        module: A module as the engine prepared it; it is changed in place if it is data-parallel.

    Returns:
        The same module.
    """
    if not isinstance(module, DistributedDataParallel) or module.device_type != "cpu":
        return module
    if memory := shared_memory():
        # a lambda, as PyTorch refuses annotations that are strings
        module.register_comm_hook(memory, lambda memory, bucket: _average(memory, bucket.buffer()))
    return module


def _average(memory: SharedMemory, gradients: Tensor) -> Future[Tensor]:
    """The mean of gradients (D,) over all processes, in place."""
    for part in torch.split(gradients, SLOT_BYTES // gradients.element_size()):
        part.copy_(memory.gather(part).mean(0))
    future: Future[Tensor] = Future()
    future.set_result(gradients)
    return future
