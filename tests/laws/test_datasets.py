"""The contract of data sets, for each that is at hand: parts disjoint and alike, maps true."""

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

FEW = 64
"""Samples that are deformed to judge the true maps."""

COINCIDENCES = 1e-3
"""Share of samples that may look alike: tiny shapes in two poses can cover the same pixels."""

Parts = tuple[Dataset, Dataset]


@pytest.fixture(scope="module", params=built_in())
def name(request: pytest.FixtureRequest) -> str:
    """Name of a data set; its tests follow each other, so that one set at a time is in memory."""
    return str(request.param)


@pytest.fixture(scope="module")
def parts(name: str) -> Parts:
    """Training and test part of a data set that is at hand."""
    try:
        return datasets.load(name, "train"), datasets.load(name, "test")
    except DataError as error:
        pytest.skip(str(error))


@pytest.fixture
def deformed(parts: Parts) -> Dataset:
    """A few test samples whose deformations are known."""
    if parts[1].maps is None:
        pytest.skip("its deformations are not known")
    return parts[1].subset(np.arange(min(FEW, len(parts[1]))))


def codes(x: Tensor) -> list[int]:
    """A number for the content of each sample."""
    return [hash(row.tobytes()) for row in x.numpy()]


def distance(x: Tensor, y: Tensor) -> float:
    """Root of the mean squared difference."""
    return float((x - y).square().mean().sqrt())


def test_dataset_parts_are_disjoint(parts: Parts) -> None:
    """No sample of one part is in the other, but for coincidences."""
    train, test = parts
    assert len(set(codes(train.x)) & set(codes(test.x))) <= COINCIDENCES * len(test)


def test_dataset_parts_are_alike(parts: Parts) -> None:
    """Both parts have one shape, one name, finite float32 samples and the same classes and factors."""
    for part in parts:
        assert part.shape == parts[0].shape and part.name == parts[0].name
        assert part.x.dtype == torch.float32 and bool(part.x[:1000].isfinite().all())
        assert part.factors == parts[0].factors
    labels = [None if part.labels is None else set(part.labels.tolist()) for part in parts]
    assert labels[0] == labels[1]


def test_dataset_parts_are_named(name: str, parts: Parts) -> None:
    """A part that does not exist is refused, with the parts that do."""
    with pytest.raises(DataError, match="train or test"):
        datasets.load(name, "training")


def test_dataset_is_the_same_again(name: str, parts: Parts) -> None:
    """A part has the same samples whenever it is loaded."""
    again = datasets.load(name, "test")
    assert torch.equal(again.x, parts[1].x)


def test_dataset_ids_share_labels(parts: Parts) -> None:
    """Samples that show one original have one class."""
    for part in parts:
        if part.ids is not None and part.labels is not None:
            classes = {
                (i, label) for i, label in zip(part.ids.tolist(), part.labels.tolist(), strict=True)
            }
            assert len(classes) == len(set(part.ids.tolist()))


def test_dataset_factors_lie_in_range(parts: Parts) -> None:
    """Known factors lie within the ranges that they name, and each of them varies."""
    for part in parts:
        for factor, column in zip(
            part.factors, [] if part.factor_values is None else part.factor_values.T, strict=True
        ):
            assert factor.low - 1e-6 <= column.min() < column.max() <= factor.high + 1e-6


def test_dataset_maps_are_true(deformed: Dataset) -> None:
    """Undone and done again, the true deformation brings a sample back; left undone, it does not."""
    assert deformed.maps is not None
    x, upright = deformed.x, align(deformed.x, deformed.maps, padding="border")
    again = deformed.maps(upright, padding="border")
    assert distance(again, x) < 0.7 * distance(upright, x)


def test_dataset_maps_align_pairs(deformed: Dataset) -> None:
    """Samples of one original agree better once their deformations are undone."""
    assert deformed.maps is not None
    if deformed.ids is None or len(set(deformed.ids.tolist())) == len(deformed):
        pytest.skip("it shows each original once")
    upright = align(deformed.x, deformed.maps, padding="border")
    rows = np.flatnonzero(np.diff(deformed.ids) == 0)
    assert distance(upright[rows], upright[rows + 1]) < 0.7 * distance(
        deformed.x[rows], deformed.x[rows + 1]
    )
