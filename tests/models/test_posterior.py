"""Posteriors: stages with and without noise, and heads of networks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unwarp.models.posterior import (
    GaussianHead,
    PoseEstimate,
    Posterior,
    StagePosterior,
    gaussian_columns,
    sample_or_mean,
)
from unwarp.warps import (
    Affine2d,
    Displacement2d,
    Identity,
    IdentityMap,
    Similarity2d,
    translation,
)

CIRCLE = Similarity2d(rotation=180)


def test_stage_map_of_mean_and_sample() -> None:
    """Both maps follow the warp; without noise they are one object."""
    mean, raw = torch.full((2, 4), 0.1), torch.full((2, 4), -0.2)
    noisy, certain = (StagePosterior(CIRCLE, mean, None, value) for value in (raw, mean))
    points = torch.eye(2)
    for map, parameters in ((noisy.sampled_map, raw), (noisy.mean_map, mean)):
        expected = CIRCLE.map(CIRCLE.constrain(parameters))
        torch.testing.assert_close(map.push(points), expected.push(points))
    assert certain.mean_map is certain.sampled_map


def test_stage_log_sd_leaves_out_circles() -> None:
    """A periodic column has a uniform prior, so its standard deviation is left out."""
    mean, log_sd = torch.zeros(2, 4), torch.arange(8.0).reshape(2, 4)
    is_periodic = [factor.periodic for factor in CIRCLE.factors]
    columns = [i for i, periodic in enumerate(is_periodic) if not periodic]
    gaussian = StagePosterior(CIRCLE, mean, log_sd, mean).gaussian_log_sd
    assert gaussian is not None and torch.equal(gaussian, log_sd[:, columns])
    assert any(is_periodic) and len(columns) == 3
    stages = [StagePosterior(CIRCLE, mean, value, mean) for value in (None, log_sd)]
    assert stages[0].gaussian_log_sd is None
    parts = (mean, IdentityMap(2), mean, mean, None, None)
    for stage, expected in ((None, None), (stages[0], None), (stages[1], log_sd[:, columns])):
        theta_log_sd = Posterior(*parts, last_stage=stage).theta_log_sd
        assert (theta_log_sd is None) == (expected is None)
        assert expected is None or torch.equal(theta_log_sd, expected)


def test_gaussian_columns_can_vary() -> None:
    """Columns on a full circle and columns with a range of 0 have no Gaussian prior."""
    assert gaussian_columns(Affine2d(rotation=180, shift=0.0)) == [1, 2, 3]
    assert gaussian_columns(Affine2d(rotation=90, shear=0.0)) == [0, 1, 2, 4, 5]
    assert gaussian_columns(Similarity2d(mirror=True)) == [0, 1, 2, 3]
    assert gaussian_columns(Identity()) == []


def test_estimate_composes_on_the_inside() -> None:
    """The start acts last, each later stage first; a residual is not undone."""
    start = translation(torch.tensor([[0.5, 0.0]]))
    turn, field = torch.tensor([[0.4, 0.0, 0.0, 0.0]]), torch.full((1, 8), 0.3)
    outer = StagePosterior(CIRCLE, 0 * turn, None, turn)
    residual = StagePosterior(Displacement2d(2), field, None, field)
    first = PoseEstimate.begin(start).refine(outer)
    second = first.refine(residual)
    points = torch.eye(2)
    expected = start.push(outer.sampled_map.push(points))
    torch.testing.assert_close(first.undoable.push(points), expected)
    torch.testing.assert_close(first.mean.push(points)[0], points)
    assert second.undoable is first.undoable and second.earlier is first.predicted
    pulled = residual.sampled_map.pull(outer.sampled_map.pull(points))
    torch.testing.assert_close(second.predicted.pull(points), pulled)


def test_head_splits_its_output() -> None:
    """The first half is the mean; the second half, shifted and clamped, the log deviation."""
    output = torch.tensor([[1.0, 2.0, 0.5, 99.0]])
    mean, log_sd = GaussianHead(nn.Identity(), stochastic=True, initial_log_sd=-3.0)(output)
    assert mean.tolist() == [[1.0, 2.0]] and log_sd.tolist() == [[-2.5, 0.0]]
    mean, log_sd = GaussianHead(nn.Identity(), stochastic=False)(output)
    assert mean is output and log_sd is None
    for size in (1, 3, 5):
        mean, log_sd = GaussianHead(nn.Identity(), stochastic=True)(torch.zeros(2, 2 * size))
        assert log_sd is not None and mean.shape == log_sd.shape == (2, size)


@pytest.mark.parametrize("initial", [-1.0, 0.0])
def test_head_bounds_its_log_deviation(initial: float) -> None:
    """Outputs beyond [-8, 3] are clamped, those within it are not; all gradients are finite."""
    outputs = torch.tensor([[-1e9, -8.0, -7.9, 0.0, 2.9, 3.0, 1e9]]).mT
    head = GaussianHead(nn.Identity(), stochastic=True, initial_log_sd=initial)
    log_sd = head(torch.cat([torch.zeros(7, 1), outputs], -1))[1]
    expected = torch.tensor([-8.0, -8.0, -7.9, 0.0, 2.9, 3.0, 3.0])[:, None] + initial
    torch.testing.assert_close(log_sd, expected)


@pytest.mark.parametrize("is_deterministic", [True, False])
def test_sample_needs_spread_and_generator(is_deterministic: bool) -> None:
    """Without a standard deviation or a generator the mean itself comes back."""
    mean, generator = torch.zeros(3, 2), torch.Generator().manual_seed(0)
    log_sd = None if is_deterministic else torch.zeros(3, 2)
    assert sample_or_mean(mean, log_sd, None) is mean
    sample = sample_or_mean(mean, log_sd, generator)
    assert (sample is mean) == is_deterministic and sample.shape == mean.shape
