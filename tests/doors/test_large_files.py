"""Large files go through the commands without filling the memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.doors.memory_use import megabytes_of

SIDE, N_PICTURES = 28, 120_000

COMMAND = """
import sys
from unwarp.app.cli.main import main
sys.argv = ["unwarp", *{words!r}]
try:
    main()
except SystemExit as error:
    assert not error.code
"""


def write_blobs(path: Path, n: int) -> None:
    """Write n pictures of blobs at random places, uint8."""
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:SIDE, :SIDE] / SIDE
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (n, SIDE, SIDE))
    for start in range(0, n, 10_000):
        places = rng.uniform(0.3, 0.7, (min(10_000, n - start), 2, 1, 1))
        squares = (x - places[:, 0]) ** 2 + ((y - places[:, 1]) * 1.6) ** 2
        images[start : start + 10_000] = np.round(255 * np.exp(-squares / 0.02))
    images.flush()


@pytest.mark.slow
def test_commands_need_little_memory(tmp_path: Path) -> None:
    """`fit` with its report, and `align`, of 120,000 pictures take 500 and 250 MB.

    A copy of the pictures in memory would take 94 MB more, and one in float32 376 MB.
    """
    write_blobs(tmp_path / "x.npy", N_PICTURES)
    source, run, out = (str(tmp_path / name) for name in ("x.npy", "run", "out.npy"))
    # a refinement works on few pictures at once, and takes about a millisecond for each
    fit = ["fit", source, "--out", run, "--steps", "60", "--refine", "none", "-q"]
    assert megabytes_of(COMMAND.format(words=fit), tmp_path) < 500
    align = ["align", run, source, "--out", out, "-q"]
    assert megabytes_of(COMMAND.format(words=align), tmp_path) < 250
    assert np.load(out, mmap_mode="r").shape == (N_PICTURES, SIDE, SIDE)
