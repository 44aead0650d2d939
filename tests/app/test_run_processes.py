"""A run of two processes: one writes it, both train, and a lost one loses nothing."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import pytest

from tests.processes import run_processes, start_processes

FIT = ["-m", "unwarp", "fit", "pictures.npy", "--out", "run", "--steps", "210"]
OPTIONS = ["--warp", "affine", "--content", "joint", "--refine", "none"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with pictures."""
    x = np.random.default_rng(0).random((40, 12, 12)).astype(np.float32)
    np.save(tmp_path / "pictures.npy", x)
    return tmp_path


def weights(folder: Path) -> str:
    """Checksum of the weights of both models."""
    files = [folder / "run" / name / "model.safetensors" for name in ("model", "baseline")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@pytest.mark.slow
def test_lost_process_loses_nothing(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The survivor says so; the same command continues, with the same models as without it."""
    processes = start_processes([*FIT, *OPTIONS], folder=folder)
    deadline = time.monotonic() + 200
    while not (folder / "run" / "model.checkpoint").is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    processes[1].kill()
    _, errors = processes[0].communicate(timeout=200)
    processes[1].communicate(timeout=200)
    assert processes[0].returncode == 2, errors
    assert "a process of this run was lost" in errors and "Traceback" not in errors
    outputs = run_processes([*FIT, *OPTIONS], folder=folder)
    assert "report.html" in outputs[0] and outputs[1] == ""
    whole = tmp_path_factory.mktemp("whole")
    (whole / "pictures.npy").write_bytes((folder / "pictures.npy").read_bytes())
    run_processes([*FIT, *OPTIONS], folder=whole)
    assert weights(folder) == weights(whole)
