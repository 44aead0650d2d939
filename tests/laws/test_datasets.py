"""The contract of data sets: parts disjoint and alike, true maps. Absent sets are skipped."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp import datasets
from unwarp.data.dataset import Dataset
from unwarp.datasets.registry import built_in
from unwarp.errors import DataError
from unwarp.warps import align

MAX_ALIGNED_SAMPLES = 64
"""Samples of a data set that are aligned to check its true maps."""

MAX_EQUAL_FRACTION = 1e-3
"""Fraction of samples that may be equal: small shapes in two poses can cover the same pixels."""

Parts = tuple[Dataset, Dataset]


@pytest.fixture(scope="module", params=built_in())
def name(request: pytest.FixtureRequest) -> str:
    """Name of a data set; its tests follow each other, so that one set at a time is in memory."""
    return str(request.param)


@pytest.fixture(scope="module")
def parts(name: str) -> Parts:
    """Training and test part of a data set, if its files are installed."""
    try:
        return datasets.load(name, "train"), datasets.load(name, "test")
    except DataError as error:
        pytest.skip(str(error))


@pytest.fixture
def deformed(parts: Parts) -> Dataset:
    """A few test samples with known deformations."""
    if parts[1].maps is None:
        pytest.skip("its deformations are unknown")
    return parts[1].subset(np.arange(min(MAX_ALIGNED_SAMPLES, len(parts[1]))))


def codes(x: Tensor) -> list[int]:
    """A hash of the values of each sample."""
    return [hash(row.tobytes()) for row in x.numpy()]


def distance(x: Tensor, y: Tensor) -> float:
    """Root of the mean squared difference."""
    return float((x - y).square().mean().sqrt())


def test_dataset_parts_are_disjoint(parts: Parts) -> None:
    """No sample of one part is in the other, but for coincidences."""
    train, test = parts
    assert len(set(codes(train.x)) & set(codes(test.x))) <= MAX_EQUAL_FRACTION * len(test)


def test_dataset_parts_are_alike(parts: Parts) -> None:
    """Both parts share shape, name, classes and factors, and have finite float32 samples."""
    for part in parts:
        assert part.shape == parts[0].shape and part.name == parts[0].name
        assert part.x.dtype == torch.float32 and bool(part.x[:1000].isfinite().all())
        assert part.factors == parts[0].factors
    labels = [None if part.labels is None else set(part.labels.tolist()) for part in parts]
    assert labels[0] == labels[1]


def test_dataset_refuses_other_parts(name: str, parts: Parts) -> None:
    """A part that does not exist is refused with the names of the parts."""
    with pytest.raises(DataError, match="train or test"):
        datasets.load(name, "training")


def test_dataset_is_deterministic(name: str, parts: Parts) -> None:
    """A part has the same samples at every load."""
    reloaded = datasets.load(name, "test")
    assert torch.equal(reloaded.x, parts[1].x)


def test_dataset_ids_share_labels(parts: Parts) -> None:
    """Samples of one original have one class."""
    for part in parts:
        if part.ids is not None and part.labels is not None:
            classes = {
                (original, label)
                for original, label in zip(part.ids.tolist(), part.labels.tolist(), strict=True)
            }
            assert len(classes) == len(set(part.ids.tolist()))


def test_dataset_factors_are_in_range(parts: Parts) -> None:
    """Known factors stay within the ranges that they name, and each of them varies."""
    for part in parts:
        for factor, column in zip(
            part.factors, [] if part.factor_values is None else part.factor_values.T, strict=True
        ):
            assert factor.low - 1e-6 <= column.min() < column.max() <= factor.high + 1e-6


def test_dataset_maps_are_true(deformed: Dataset) -> None:
    """Aligned and deformed again by its true map, a sample comes back."""
    assert deformed.maps is not None
    x, aligned = deformed.x, align(deformed.x, deformed.maps, padding="border")
    restored = deformed.maps(aligned, padding="border")
    assert distance(restored, x) < 0.7 * distance(aligned, x)


def test_dataset_maps_align_pairs(deformed: Dataset) -> None:
    """Samples of one original agree better after alignment by their true maps."""
    assert deformed.maps is not None
    if deformed.ids is None or len(set(deformed.ids.tolist())) == len(deformed):
        pytest.skip("it shows each original once")
    aligned = align(deformed.x, deformed.maps, padding="border")
    rows = np.flatnonzero(np.diff(deformed.ids) == 0)
    assert distance(aligned[rows], aligned[rows + 1]) < 0.7 * distance(
        deformed.x[rows], deformed.x[rows + 1]
    )
