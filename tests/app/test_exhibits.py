"""Exhibits: the suffix of a file decides the form, and samples are selected by number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from unwarp.app.exhibits import Exhibit, parse_sample_numbers, select_samples
from unwarp.errors import ConfigError, DataError

X = np.random.default_rng(0).normal(size=(3, 2))
FRAMES = np.random.default_rng(1).integers(0, 255, (3, 8, 8, 3)).astype(np.uint8)


def test_suffix_decides_the_form(tmp_path: Path) -> None:
    """Arrays come back from `.npz`, a figure is PNG, frames are GIF."""
    exhibit = Exhibit({}, {"x": X}, Figure, lambda: FRAMES)
    for suffix in ("npz", "png", "gif"):
        exhibit.write(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["x"], X)
    for suffix in ("png", "gif"):
        with Image.open(tmp_path / f"a.{suffix}") as image:
            assert image.format == suffix.upper()


def test_exhibit_without_frames_has_no_gif(tmp_path: Path) -> None:
    """The message lists the forms that there are, and no file is left."""
    with pytest.raises(ConfigError, match=r"'\.gif'; give a file that ends in \.png or \.npz"):
        Exhibit({}, {"x": X}, Figure).write(tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())


def test_samples_keep_the_order_of_numbers() -> None:
    """Numbers count from 0; one that no sample has is refused with the option's name."""
    x = torch.arange(5)
    assert select_samples(x, parse_sample_numbers("4,0,4", "--to"), "--to").tolist() == [4, 0, 4]
    with pytest.raises(DataError, match=r"--to 5: no such sample; the source holds 5"):
        select_samples(x, (4, 5), "--to")
    with pytest.raises(ConfigError, match=r"--plus '1,x' is no list"):
        parse_sample_numbers("1,x", "--plus")
