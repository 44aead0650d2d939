"""The number of processes of a run, as a launcher set it.

`torchrun` and `accelerate launch` tell it by the environment, which is read without torch.
"""

from __future__ import annotations

import os
from contextvars import ContextVar

is_alone: ContextVar[bool] = ContextVar("is_alone", default=False)
"""Whether the first process works while the others wait."""


def count_processes() -> int:
    """Number of processes that train together; 1 within `run_once`.

    >>> count_processes()
    1
    """
    if is_alone.get() or "LOCAL_RANK" not in os.environ:
        return 1
    return int(os.environ.get("WORLD_SIZE", "1"))


def process_index() -> int:
    """Number of this process, from 0.

    >>> process_index()
    0
    """
    return int(os.environ.get("RANK", "0")) if count_processes() > 1 else 0


def is_first_process() -> bool:
    """Whether this process decides, writes files and shows messages.

    >>> is_first_process()
    True
    """
    return process_index() == 0


def launch_hint() -> str:
    """A line about a launch that started too few processes.

    It is empty if all is well.
    """
    names = ("ACCELERATE_USE_CPU", "MASTER_ADDR", "MASTER_PORT")
    if "WORLD_SIZE" in os.environ or not all(name in os.environ for name in names):
        return ""
    return (
        "accelerate launch started one process, though several were asked for; start processes on "
        "CPUs with torchrun --nproc_per_node N"
    )
