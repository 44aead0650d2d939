"""Paths, arrays and data sets are opened once, with the facts known of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.data.opening import as_source, resolve_domain
from unwarp.data.source import Source
from unwarp.errors import DataError

X = np.arange(12.0).reshape(3, 4)


def test_sources_pass_as_they_are() -> None:
    """A source is returned as it is; only times of the user replace its own."""
    source = Source(X)
    assert as_source(source) is source
    assert as_source(source, [0.0, 1.0, 2.0, 3.0]).times == [0.0, 1.0, 2.0, 3.0]
    assert source.times is None


def test_paths_are_read(tmp_path: Path) -> None:
    """A path may be text or a `Path`; the file gives the name of the source."""
    np.save(tmp_path / "waves.npy", X)
    for path in (tmp_path / "waves.npy", str(tmp_path / "waves.npy")):
        source = as_source(path)
        np.testing.assert_array_equal(source.x, X)
        assert source.name == "waves.npy" and "3 series" in source.description
    with pytest.raises(DataError, match="does not exist"):
        as_source(tmp_path / "nowhere")


def test_data_sets_state_their_domain() -> None:
    """The number of axes gives the domain, and values outside the mask become NaN."""
    assert as_source(Dataset(torch.zeros(2, 1, 5, 5))).domain == "image"
    mask = torch.tensor([[True, False, True], [True, True, True]])
    source = as_source(Dataset(torch.zeros(2, 1, 3), mask=mask))
    assert (
        source.domain == "series" and np.isnan(source.x).sum() == 1 and np.isnan(source.x[0, 0, 1])
    )


@pytest.mark.parametrize(
    ("names", "domain"),
    [
        (("image", "series", "series"), "image"),
        (("auto", "series", "image"), "series"),
        (("auto", "auto", "image"), "image"),
        (("auto", "auto", "auto"), "auto"),
    ],
)
def test_domain_of_user_comes_first(names: tuple[str, str, str], domain: str) -> None:
    """The user's domain precedes that of the file, and this one that of the warp."""
    assert resolve_domain(np.zeros((3, 4, 5)), *names) == domain


def test_warp_decides_three_axes() -> None:
    """The warp decides neither for two axes nor for four."""
    assert resolve_domain(np.zeros((3, 4)), "auto", "auto", "image") == "auto"
    assert resolve_domain(np.zeros((3, 1, 4, 4)), "auto", "auto", "series") == "auto"
