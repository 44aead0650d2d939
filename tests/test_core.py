"""Factors, batches, and what kind of error each error is."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from unwarp.core import IMAGES, SERIES, Batch, Domain, Factor, Registry
from unwarp.errors import CheckpointError, ConfigError, DataError, NotInvertibleError, TrainingError, UnwarpError


@pytest.mark.parametrize(
    ("factor", "label"),
    [
        (Factor("rotation_deg", "deg", -45, 45), "rotation (deg)"),
        (Factor("shift_x_px", "px", -5, 5), "shift x (px)"),
        (Factor("scale_x", "factor", 0.5, 2), "scale x (factor)"),
        (Factor("shear", "", -1, 1), "shear"),
    ],
)
def test_a_label_names_the_unit_once(factor: Factor, label: str) -> None:
    assert factor.label == label


def test_half_range_is_half_the_distance_between_the_ends() -> None:
    assert Factor("lag", "s", -1.0, 4.0).half_range == 2.5


def test_factors_are_values() -> None:
    factor = Factor("lag", "s", -1.0, 1.0)
    assert {factor: 1}[Factor("lag", "s", -1.0, 1.0)] == 1
    with pytest.raises(FrozenInstanceError):
        factor.low = 0.0  # type: ignore[misc]


def test_a_batch_is_as_long_as_its_samples() -> None:
    assert len(Batch(torch.zeros(3, 1, 8, 8), torch.arange(3))) == 3


@pytest.mark.parametrize("error", [DataError, ConfigError, CheckpointError, TrainingError, NotInvertibleError])
def test_every_error_is_the_library_s_own_and_a_standard_one(error: type[Exception]) -> None:
    assert issubclass(error, UnwarpError)
    assert issubclass(error, ValueError | RuntimeError)


def test_domains_are_known_once_registered() -> None:
    """A registered record is known by its name, and found by its number of axes where that is its own."""
    try:
        spectra = replace(SERIES, name="spectrum", axes=("frequency",), has_times=False).register()
        assert Domain.registry["spectrum"] is spectra
        assert Domain.of_axes(1) is SERIES and Domain.of_axes(1, "spectrum") is spectra
        assert Domain.of_axes(2) is IMAGES and Domain.of_axes(7) is None
        with pytest.raises(ValueError, match="'spectrum' is registered already"):
            replace(spectra, batch_size=7).register()
        assert replace(IMAGES, batch_size=7).register is not None and Domain.registry["image"] is IMAGES
    finally:
        del Domain.registry["spectrum"]


def test_registries_refuse_a_second_definition() -> None:
    """Running one definition again replaces it; another one of the same name is refused, both named."""
    registry: Registry[type] = Registry("thing", ValueError)
    registry.add("number", int)
    registry.add("number", int)
    with pytest.raises(ValueError, match=r"'number' is defined twice, as builtins\.int and as builtins\.str"):
        registry.add("number", str)
