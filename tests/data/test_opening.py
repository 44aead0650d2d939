"""Whatever a user has is opened once, and what it says of itself is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.data.opening import as_source, check_policy, policy_for_scaling, resolve_domain
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError

X = np.arange(12.0).reshape(3, 4)


def test_sources_pass_as_they_are() -> None:
    """A source is not opened again; only times replace its own."""
    source = Source(X)
    assert as_source(source) is source
    assert as_source(source, [0.0, 1.0, 2.0, 3.0]).times == [0.0, 1.0, 2.0, 3.0]
    assert source.times is None


def test_paths_are_read(tmp_path: Path) -> None:
    """As text and as a path; the file gives the name."""
    np.save(tmp_path / "waves.npy", X)
    for path in (tmp_path / "waves.npy", str(tmp_path / "waves.npy")):
        source = as_source(path)
        np.testing.assert_array_equal(source.x, X)
        assert source.name == "waves.npy" and "3 series" in source.description
    with pytest.raises(DataError, match="does not exist"):
        as_source(tmp_path / "nowhere")


def test_data_sets_say_their_domain() -> None:
    """By their number of axes; what a mask leaves out becomes NaN."""
    assert as_source(Dataset(torch.zeros(2, 1, 5, 5))).domain == "image"
    mask = torch.tensor([[True, False, True], [True, True, True]])
    source = as_source(Dataset(torch.zeros(2, 1, 3), mask=mask))
    assert (
        source.domain == "series" and np.isnan(source.x).sum() == 1 and np.isnan(source.x[0, 0, 1])
    )


@pytest.mark.parametrize(
    ("said", "domain"),
    [
        (("image", "series", "series"), "image"),
        (("auto", "series", "image"), "series"),
        (("auto", "auto", "image"), "image"),
        (("auto", "auto", "auto"), "auto"),
    ],
)
def test_domains_follow_who_says_them(said: tuple[str, str, str], domain: str) -> None:
    """The user goes before the file, the file before the warp."""
    assert resolve_domain(np.zeros((3, 4, 5)), *said) == domain


def test_warps_decide_three_axes_alone() -> None:
    """Two axes are series and four are pictures, whatever the warp acts on."""
    assert resolve_domain(np.zeros((3, 4)), "auto", "auto", "image") == "auto"
    assert resolve_domain(np.zeros((3, 1, 4, 4)), "auto", "auto", "series") == "auto"


def test_policies_are_checked() -> None:
    """An unknown one is refused; scales are fitted without gaps."""
    assert check_policy("mask") == "mask"
    assert [policy_for_scaling(how) for how in ("error", "interpolate", "mask")] == [  # type: ignore[arg-type]
        "error",
        "interpolate",
        "interpolate",
    ]
    with pytest.raises(ConfigError, match="choose one of error, interpolate, mask"):
        check_policy("drop")
