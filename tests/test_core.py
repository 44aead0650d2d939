"""Factors, batches and domains."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from unwarp.core import IMAGES, SERIES, Batch, Domain, Factor


@pytest.mark.parametrize(
    ("factor", "label"),
    [
        (Factor("rotation_deg", "deg", -45, 45), "rotation (deg)"),
        (Factor("shift_x_px", "px", -5, 5), "shift x (px)"),
        (Factor("scale_x", "factor", 0.5, 2), "scale x (factor)"),
        (Factor("shear", "", -1, 1), "shear"),
    ],
)
def test_label_names_unit_once(factor: Factor, label: str) -> None:
    """A label does not repeat the unit that the name ends in."""
    assert factor.label == label


def test_half_range_is_half_the_range() -> None:
    """The half range is half the distance between the ends."""
    assert Factor("lag", "s", -1.0, 4.0).half_range == 2.5


def test_factors_are_values() -> None:
    """Equal factors are one key of a dictionary, and a factor cannot be changed."""
    factor = Factor("lag", "s", -1.0, 1.0)
    assert {factor: 1}[Factor("lag", "s", -1.0, 1.0)] == 1
    with pytest.raises(FrozenInstanceError):
        factor.low = 0.0  # type: ignore[misc]


def test_batch_length_counts_samples() -> None:
    """A batch is as long as its samples."""
    assert len(Batch(torch.zeros(3, 1, 8, 8), torch.arange(3))) == 3


def test_domains_are_registered() -> None:
    """A registered domain is available by its name, and by its axes if it is preferred."""
    try:
        spectra = replace(SERIES, name="spectrum", axes=("frequency",), has_times=False).register()
        assert Domain.registry["spectrum"] is spectra
        assert Domain.of_axes(1) is SERIES and Domain.of_axes(1, "spectrum") is spectra
        assert Domain.of_axes(2) is IMAGES and Domain.of_axes(7) is None
        with pytest.raises(ValueError, match="'spectrum' is registered already"):
            replace(spectra, batch_size=7).register()
        assert (
            replace(IMAGES, batch_size=7).register is not None
            and Domain.registry["image"] is IMAGES
        )
    finally:
        del Domain.registry["spectrum"]
