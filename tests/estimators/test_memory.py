"""The memory of a training is told before it starts, and an impossible one is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from unwarp import Unwarper
from unwarp.errors import ConfigError
from unwarp.estimators import memory
from unwarp.estimators.memory import MemoryEstimate
from unwarp.training.callbacks import Callback

MB = 10**6


class Listener(Callback):
    """Callback that keeps all messages."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_message(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (12, 20, 20)).astype(np.uint8)


def few_steps(**arguments: object) -> Unwarper:
    # pictures of pure noise would be searched for few kinds by default, which takes long
    options = {"max_steps": 1, "n_clusters": 2, "device": "cpu", "start": "learned"}
    return Unwarper(**options | arguments)  # type: ignore[arg-type]


def test_estimate_is_told_before_training(images: np.ndarray) -> None:
    """Whoever reads messages reads the memory and its parts, before the first step."""
    listener = Listener()
    few_steps().fit(np.repeat(images, 300, 0), callbacks=[listener])
    line = next(line for line in listener.lines if line.startswith("memory"))
    assert re.fullmatch(
        r"memory: about \d+ MB \(images as they are 1 MB, scaled 6 MB, training \d+ MB\)", line
    )


def test_memory_maps_take_no_memory(images: np.ndarray, tmp_path: Path) -> None:
    """A memory map, and a part of one, is not counted."""
    np.save(tmp_path / "x.npy", np.repeat(images, 300, 0))
    listener = Listener()
    few_steps().fit(np.load(tmp_path / "x.npy", mmap_mode="r")[5:], callbacks=[listener])
    assert not any("as they are" in line for line in listener.lines)


def test_impossible_training_is_refused(
    images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full-size images that do not fit are refused with the options that make them fit."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 2000 * MB)
    x = np.tile(images, (1, 26, 26))[:, :512, :512]
    with pytest.raises(ConfigError, match=r"most of it for training .*working_size=48.*batch_size"):
        few_steps(working_size=None).fit(x)


def test_remedies_help(images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The options that the message names make the same training possible."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 150 * MB)
    x = np.tile(images, (1, 5, 5))
    with pytest.raises(ConfigError):
        few_steps(working_size=None).fit(x)
    few_steps(working_size=24, batch_size=8).fit(x)


def test_series_are_refused_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Series that need too much memory are refused in the words for series."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 70 * MB)
    x = np.random.default_rng(0).normal(size=(20, 900))
    with pytest.raises(ConfigError, match=r"series are needed.*training.*; .*batch_size"):
        few_steps(warp="time").fit(x)


@pytest.mark.parametrize("part", ["samples", "copies", "training", "results"])
def test_largest_part_is_named(part: str) -> None:
    """The message names what takes most, and a remedy for it."""
    sizes = dict.fromkeys(("samples", "copies", "training", "results"), MB) | {part: 900 * MB}
    available = 1 if part == "samples" else 100 * MB
    with pytest.raises(ConfigError) as error:
        MemoryEstimate(**sizes).check(available)
    assert memory.REMEDIES[part] in str(error.value)
    assert "\n" not in str(error.value)


def test_enough_memory_is_enough() -> None:
    """What fits exactly is not refused; the samples themselves are in memory already."""
    estimate = MemoryEstimate(10**15, 5, 7, 3)
    estimate.check(12)
    with pytest.raises(ConfigError):
        estimate.check(11)
