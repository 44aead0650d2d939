"""Checkpoint files: each damaged byte is refused or has no effect."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from unwarp.data.dataset import Dataset
from unwarp.errors import CheckpointError
from unwarp.models.players import Optimiser, Player
from unwarp.training.checkpoint import Checkpoint
from unwarp.training.checkpoint_files import (
    read_decision,
    read_snapshot,
    write_decision,
    write_snapshot,
)
from unwarp.training.loop import train
from unwarp.training.snapshot import SNAPSHOT_VERSION, DamageError, Snapshot

MAX_BYTES = 20_000


def is_equal(a: Snapshot, b: Snapshot) -> bool:
    """Whether two snapshots are equal to the bit."""
    return (
        a.record() == b.record()
        and a.tensors.keys() == b.tensors.keys()
        and all(torch.equal(a.tensors[k], b.tensors[k]) for k in a.tensors)
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint of a linear model."""
    path = tmp_path_factory.mktemp("run") / "run.checkpoint"
    net = nn.Linear(3, 2)
    player = Player("net", net, lambda b, s, g: {"e": net(b.x).square().mean()}, Optimiser())
    data = Dataset(torch.rand(6, 3, generator=torch.Generator().manual_seed(0)))
    train(net, (player,), data, steps=3, device="cpu", callbacks=(Checkpoint(path, interval=1),))
    return path


def check_flips(path: Path, folder: Path, step: int) -> None:
    """Flip every `step`-th byte in turn; each file is refused or gives the same snapshot."""
    content, original, copy = path.read_bytes(), read_snapshot(path), folder / "copy"
    bits = np.random.default_rng(0).integers(1, 256, len(content))
    for i in range(0, len(content), step):
        damaged = bytearray(content)
        damaged[i] ^= int(bits[i])
        copy.unlink(missing_ok=True)  # the earlier file may still be mapped to memory
        copy.write_bytes(damaged)
        try:
            snapshot = read_snapshot(copy)
        except CheckpointError:
            continue
        assert is_equal(snapshot, original), f"byte {i} of {len(content)}"


def test_sampled_flips_are_refused(path: Path, tmp_path: Path) -> None:
    """A flipped byte is refused or has no effect: some bytes of each part of a file."""
    assert path.stat().st_size <= MAX_BYTES
    check_flips(path, tmp_path, 13)


@pytest.mark.slow
def test_all_flips_are_refused(path: Path, tmp_path: Path) -> None:
    """A flipped byte is refused or has no effect: every byte of a file."""
    check_flips(path, tmp_path, 1)


def test_truncated_files_are_refused(path: Path, tmp_path: Path) -> None:
    """A file of any smaller length is damaged."""
    content = path.read_bytes()
    for length in [0, 1, 7, 8, 9, 100, *range(200, len(content), 97), len(content) - 1]:
        (tmp_path / f"{length}").write_bytes(content[:length])
        with pytest.raises(DamageError):
            read_snapshot(tmp_path / f"{length}")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (None, "has no valid"),
        ({"state": "{"}, "has no valid"),
        ({"state": "[1]"}, "not a record"),
        ({"state": json.dumps({"format_version": 3, "step": 1})}, "format version 3"),
        ({"state": json.dumps({"format_version": 99})}, "format version 99"),
        ({"state": json.dumps({"format_version": "4"})}, "format version '4'"),
        ({"state": "{}", "checksums": "[]"}, "checksum"),
        ({"state": "{}", "checksums": "{}"}, "checksum"),
        ({"state": json.dumps({"format_version": SNAPSHOT_VERSION})}, "checksum"),
        ({"state": "[" * 100_000}, "has no valid"),
    ],
)
def test_foreign_files_are_refused(
    metadata: dict[str, str] | None, message: str, tmp_path: Path
) -> None:
    """Other safetensors files, and those of other versions, are errors that say so."""
    save_file({"x": torch.zeros(2)}, tmp_path / "foreign", metadata)
    with pytest.raises(CheckpointError, match=message):
        read_snapshot(tmp_path / "foreign")


def test_unreadable_paths_are_refused(tmp_path: Path) -> None:
    """A folder or an absent file is an error by type."""
    for name in (".", "absent"):
        with pytest.raises(CheckpointError):
            read_snapshot(tmp_path / name)
        with pytest.raises(CheckpointError):
            read_decision(tmp_path / name)


def test_full_disk_is_an_error_by_type(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk names the file and says what to do."""
    snapshot = read_snapshot(path)

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("unwarp.training.checkpoint_files.write_file", fail)
    with pytest.raises(CheckpointError, match=r"new cannot be written: no space .*make space"):
        write_snapshot(tmp_path / "new", snapshot)


def test_decisions_are_checked(tmp_path: Path) -> None:
    """A decision comes back as it was; each flipped byte is refused or has no effect."""
    path, facts, answer = tmp_path / "decision", {"seed": 1}, {"choice": "none", "saved": [0.1]}
    write_decision(path, facts, answer)
    assert read_decision(path) == (facts, answer)
    content = path.read_bytes()
    for i in range(len(content)):
        damaged = bytearray(content)
        damaged[i] ^= 1 + i % 255
        path.write_bytes(damaged)
        try:
            assert read_decision(path) == (facts, answer)
        except CheckpointError:
            continue
