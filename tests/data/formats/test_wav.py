"""WAV files: samples in the units of the file, times from the rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unwarp.data.formats.files import read
from unwarp.data.recording_form import WaveForm
from unwarp.errors import DataError


def test_rate_gives_times(tmp_path: Path) -> None:
    """One file is one series with its channels."""
    (tmp_path / "a.wav").write_bytes(
        WaveForm(4, 24).encode(np.array([[1, -2], [300_000, 4]]), None, ())
    )
    source = read(tmp_path / "a.wav")
    assert source.x.tolist() == [[[1, -2], [300_000, 4]]]
    assert source.times.tolist() == [[0, 0.25]] and source.names == ["a"]
    assert "4 samples per second" in source.description


def test_damage_is_named(tmp_path: Path) -> None:
    """Other content is refused by the name of the file."""
    (tmp_path / "a.wav").write_bytes(b"RIFF1234WAVE")
    with pytest.raises(DataError, match=r"a\.wav"):
        read(tmp_path / "a.wav")
