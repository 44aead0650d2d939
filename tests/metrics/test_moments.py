"""Deskewing by moments: round, centred, and blind to affine deformation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.pictures import dot
from unwarp.core import Array
from unwarp.metrics.moments import deskew, moment_baselines
from unwarp.warps import Affine2d, Window

SIZE = (48, 64)
WARP = Affine2d(rotation=10, scale=1.3, shift=0.15, shear=0.3).bind(SIZE)


def blob() -> Tensor:
    """A smooth lopsided picture: three dots of unequal weight."""
    dots = ((0.2, 0.0, 1.0), (-0.2, 0.15, 0.7), (0.05, -0.25, 0.5))
    return torch.stack([weight * dot(SIZE, (x, y), 0.12) for x, y, weight in dots]).sum(0)


def deformed(n: int = 8) -> Array:
    """Random deformations (n) of the blob."""
    return WARP.sample(n, torch.Generator().manual_seed(0))(blob().expand(n, -1, -1, -1)).numpy()


def moments(x: Array) -> tuple[Tensor, Tensor]:
    """Centre of mass (n, 2) and covariance of the intensity (n, 2, 2)."""
    mass = torch.as_tensor(x).sum(1).flatten(1)
    mass = mass / mass.sum(1, keepdim=True)
    points = Window.frame(x.shape[2:]).lattice(mass)
    mean = mass @ points
    offset = points - mean[:, None]
    return mean, torch.einsum("np,npi,npj->nij", mass, offset, offset)


def test_deskewed_is_centred_and_round() -> None:
    """Deskewed pictures have zero mean and equal, uncorrelated second moments."""
    before_mean, before_cov = moments(deformed())
    mean, cov = moments(deskew(deformed(), spread=0.18))
    assert before_mean.abs().max() > 0.05 and before_cov[:, 0, 1].abs().max() > 0.004
    torch.testing.assert_close(mean, torch.zeros_like(mean), atol=0.005, rtol=0)
    torch.testing.assert_close(cov, 0.18**2 * torch.eye(2).expand_as(cov), atol=0.0015, rtol=0)


def test_spread_is_size_of_result() -> None:
    """The spread is the standard deviation along both axes."""
    _, cov = moments(deskew(blob().numpy(), spread=0.25))
    assert cov[0].diagonal().sqrt().numpy() == pytest.approx([0.25, 0.25], abs=0.005)


def test_deskew_removes_shear_scale_shift() -> None:
    """Copies that differ in shear, scale and shift become equal."""
    warp = Affine2d(rotation=1e-3, scale=1.3, shift=0.15, shear=0.3).bind(SIZE)
    views = warp.sample(8, torch.Generator().manual_seed(1))(blob().expand(8, -1, -1, -1)).numpy()
    upright = deskew(views)
    assert np.abs(views - views[:1]).max() > 0.5
    assert np.abs(upright - upright[:1]).max() < 0.1


def test_empty_pictures_stay_empty() -> None:
    """Pictures without any intensity stay 0."""
    assert np.abs(deskew(np.zeros((2, 1, 16, 16)))).max() == 0


def shapes(n: int, seed: int) -> tuple[Array, NDArray[np.integer]]:
    """Bars and rings under random shear, scale and shift."""
    points = Window.frame((32, 32)).lattice(torch.zeros(1))
    ring = torch.exp(-((points.norm(dim=1) - 0.35) ** 2) / 0.01)
    bar = torch.exp(-((points[:, 0] / 0.1) ** 2) - (points[:, 1] / 0.4) ** 4)
    labels = np.arange(n) % 2
    clean = torch.stack([(ring, bar)[label] for label in labels]).reshape(n, 1, 32, 32)
    warp = Affine2d(rotation=1, scale=1.3, shift=0.3, shear=0.4).bind((32, 32))
    return warp.sample(n, torch.Generator().manual_seed(seed))(clean).numpy(), labels


def test_baselines_on_bars_and_rings() -> None:
    """Classes that moments separate are read perfectly after deskewing only."""
    scores = moment_baselines(*shapes(60, 0), *shapes(40, 1))
    assert set(scores) == {
        "raw_neighbours",
        "raw_acc",
        "raw_nmi",
        "deskewed_neighbours",
        *(
            f"deskewed_{model}_{score}"
            for model in ("kmeans", "mixture")
            for score in ("acc", "nmi")
        ),
    }
    assert all(0 <= value <= 1 for value in scores.values())
    assert scores["deskewed_neighbours"] == 1.0
    assert scores["deskewed_kmeans_acc"] == 1.0 > scores["raw_acc"]


def test_series_have_no_moments() -> None:
    """Series have no such baseline."""
    series, labels = np.zeros((6, 1, 20)), np.arange(6) % 2
    assert moment_baselines(series, labels, series, labels) == {}
