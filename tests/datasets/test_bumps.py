"""The synthetic bumps: each series is the template of its class under its true map."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.datasets import bumps
from unwarp.errors import DataError
from unwarp.warps import align

TIME = torch.linspace(0, 1, 128)


def nearest_centroid(x: torch.Tensor, labels: np.ndarray) -> float:
    """Accuracy of the nearest class mean."""
    means = torch.stack([x[torch.as_tensor(labels == k)].mean(0) for k in range(4)]).flatten(1)
    return float(np.mean(torch.cdist(x.flatten(1), means).argmin(1).numpy() == labels))


@pytest.fixture(scope="module")
def clean() -> Dataset:
    """Long series without noise."""
    return bumps.load("test", length=512, noise=0.0)


def test_bumps_are_in_classes_and_pairs() -> None:
    """Fifty series of each of four classes, in pairs of one class."""
    data = bumps.load()
    assert data.x.shape == (200, 1, 128) and data.x.dtype == torch.float32
    assert data.labels is not None and data.ids is not None
    assert np.bincount(data.labels).tolist() == [50] * 4
    assert np.bincount(data.ids).tolist() == [2] * 100
    assert np.array_equal(data.labels[::2], data.labels[1::2])


def test_alignment_gives_the_templates(clean: Dataset) -> None:
    """Aligned by its true map, each series is the template of its class."""
    assert clean.maps is not None
    upright = align(clean.x, clean.maps, padding="border")[:, 0].split(50)
    time = torch.linspace(0, 1, 512)
    for shape, rows in zip(bumps.CLASSES, upright, strict=True):
        assert (rows - bumps.template(shape, time)).abs().max() < 0.01


def test_pairs_share_a_template(clean: Dataset) -> None:
    """The relative map of a pair leads from one series to the other."""
    assert clean.maps is not None
    first, second = torch.arange(0, 200, 2), torch.arange(1, 200, 2)
    relative = clean.maps[second].compose(clean.maps[first].invert())
    assert (relative(clean.x[first], padding="border") - clean.x[second]).abs().max() < 0.03
    distance = (relative.pull(TIME[:, None])[..., 0] - TIME).abs().amax(1)
    assert 0.12 < float(distance.mean()) < 0.24


def test_alignment_separates_classes() -> None:
    """Nearest centroids confuse the classes before alignment, and not after it."""
    data = bumps.load()
    assert data.maps is not None and data.labels is not None
    assert nearest_centroid(data.x, data.labels) < 0.8
    assert nearest_centroid(align(data.x, data.maps, padding="border"), data.labels) == 1.0


def test_noise_changes_no_map() -> None:
    """Noise has the standard deviation that is asked for, and leaves the maps as they are."""
    quiet, loud = bumps.load(noise=0.0), bumps.load(noise=0.1)
    assert float((loud.x - quiet.x).std()) == pytest.approx(0.1, rel=0.02)
    assert quiet.maps is not None and loud.maps is not None
    assert torch.equal(quiet.maps.pull(TIME[:, None]), loud.maps.pull(TIME[:, None]))


def test_parts_are_fixed_and_differ() -> None:
    """A part is the same at every load, and differs from the other one."""
    assert torch.equal(bumps.load("train").x, bumps.load("train").x)
    assert not torch.allclose(bumps.load("train").x, bumps.load("test").x, atol=0.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"part": "valid"}, "train or test"), ({"n_per_class": 5}, "even number")],
)
def test_other_parts_and_numbers_are_refused(arguments: dict[str, str | int], message: str) -> None:
    """Unknown parts and odd numbers of series are refused."""
    with pytest.raises(DataError, match=message):
        bumps.load(**arguments)  # type: ignore[arg-type]
