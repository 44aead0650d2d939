"""A server of the explorer in a process of its own, for measurements in a browser."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import unwarp

TOKEN = "token-of-the-benchmark"
N_DIGITS, TRAINING_STEPS = 500, 20


def make_model(folder: Path, n_copies: int) -> None:
    """Save a model and its data in a folder.

    Args:
        folder: The folder; it gets `model/` and `digits.npy`.
        n_copies: Number of deformed copies of each training digit; 0 for `N_DIGITS` of the test
            part.
    """
    from unwarp.datasets import digits, load
    from unwarp.datasets.affine_mnist import fixed_observations
    from unwarp.planning.presets import DIGITS

    x = as_bytes(load("affine-mnist", "test").x[:N_DIGITS])
    model = unwarp.Unwarper(recipe=DIGITS, max_steps=TRAINING_STEPS, device="cpu").fit(x)
    model.save(folder / "model")
    if n_copies:
        x = as_bytes(fixed_observations(digits.load("train"), draws=n_copies, seed=0).x)
    np.save(folder / "digits.npy", x)


def as_bytes(x: Any) -> np.ndarray[Any, Any]:
    """Pictures from 0 to 1, a tensor, as whole numbers from 0 to 255."""
    return np.asarray((255 * x).byte())


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        address: Its address, with the token.
        process_id: Number of its process.
        seconds: Time from its command to the address.
    """

    address: str
    process_id: int
    seconds: float

    @property
    def memory_gib(self) -> float:
        """Greatest memory of its process so far."""
        status = Path(f"/proc/{self.process_id}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 2**20


@contextmanager
def served(n_copies: int = 0) -> Iterator[Server]:
    """A server in a process of its own.

    Args:
        n_copies: As for `make_model`.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        make_model(folder, n_copies)
        arguments = [str(folder / "model"), "--data", str(folder / "digits.npy")]
        arguments += ["--no-browser", "--port", "0", "--token", TOKEN]
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "unwarp", "explore", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as server:
            try:
                address = address_of(server)
                yield Server(address, server.pid, time.perf_counter() - started)
            finally:
                server.terminate()


def address_of(server: subprocess.Popen[str]) -> str:
    """The address that a server prints.

    Args:
        server: The process of the server.

    Raises:
        RuntimeError: It ended without an address.
    """
    lines = []
    for line in server.stdout or ():
        lines.append(line)
        if "http://" in line:
            return f"http://{line.split('http://')[1].split('/')[0]}/?token={TOKEN}"
    raise RuntimeError(f"the server did not start: {''.join(lines)}")
