"""Processes of one computer read what the others wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed

from tests.processes import run_processes
from unwarp.collectives.shared_memory import SLOT_BYTES, SharedMemory, size_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A file with room for two processes."""
    path = tmp_path / "memory"
    path.write_bytes(bytes(size_of(2)))
    yield path


def open_memory(path: Path, index: int) -> SharedMemory:
    """The memory of a file for one of two processes."""
    return SharedMemory(os.open(path, os.O_RDWR), index, n=2)


def tensor(index: int, step: int) -> Tensor:
    """The tensor that a process sends in an exchange, of several types and shapes."""
    generator = torch.Generator().manual_seed(100 * index + step)
    shapes = [(), (3,), (2, 0), (5, 7), (SLOT_BYTES // 8,)]
    dtype = (torch.float32, torch.float64, torch.bfloat16)[step % 3]
    return torch.randn(shapes[step % 5], generator=generator).to(dtype)


def test_tensors_arrive_in_order(file: Path) -> None:
    """Each exchange returns the tensors of both, whoever is late, in the same order."""
    rows: list[list[Tensor]] = [[], []]

    def exchange(index: int) -> None:
        memory = open_memory(file, index)
        for step in range(15):
            if step % 4 == 2 * index:
                time.sleep(0.01)
            rows[index].append(memory.gather(tensor(index, step)))

    threads = [threading.Thread(target=exchange, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for step, (first, second) in enumerate(zip(*rows, strict=True)):
        expected = torch.stack([tensor(0, step), tensor(1, step)])
        assert torch.equal(first, expected) and torch.equal(second, expected)


def test_lost_process_is_an_error(file: Path) -> None:
    """A process that ends without its tensor is named."""
    code = (
        "import os, sys, torch; from unwarp.collectives.shared_memory import SharedMemory\n"
        "memory = SharedMemory(os.open(sys.argv[1], os.O_RDWR), 1, n=2)\n"
        "print('ready', flush=True); memory.gather(torch.ones(2))"
    )
    command = [sys.executable, "-c", code, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        memory = open_memory(file, 0)
        assert torch.equal(memory.gather(torch.zeros(2)), torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
    with pytest.raises(distributed.DistError, match="process 1 has ended"):
        memory.gather(torch.zeros(2))


SCRIPT = """
import sys, time
from pathlib import Path
import torch
from unwarp.collectives import exchange
from unwarp.processes import connect_processes
from unwarp.collectives.shared_memory import SLOT_BYTES, shared_memory
from torch import distributed

connect_processes("cpu")
rank = distributed.get_rank()
is_shared = shared_memory() is not None
if rank == int(sys.argv[1]):
    time.sleep(1.5)  # late, but alive
for n in (1, SLOT_BYTES // 4, SLOT_BYTES):  # the last one is greater than a slot
    rows = exchange.gather(torch.full((n,), float(rank)))
    assert torch.equal(rows, torch.tensor([[0.0], [1.0]]).expand(2, n))
assert not list(Path("/dev/shm").glob("unwarp-*"))
print(is_shared)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="the system has no /dev/shm")
@pytest.mark.parametrize("late", ["0", "1"])
def test_connected_processes_share_memory(late: str) -> None:
    """Processes share memory, leave no file, wait for a late one, and send what is too large."""
    shared = {line.strip() for line in run_processes(["-c", SCRIPT, late])}
    assert len(shared) == 1
