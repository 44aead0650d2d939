"""Codes of oriented gradients: what changes them, what does not, and their scale."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.pictures import smooth_noise
from unwarp.core import IMAGES, SERIES
from unwarp.models.gradients import GradientCode, principal_axes

PICTURES = smooth_noise(60, (20, 24))


def code(x: Tensor, n_content: int = 6) -> GradientCode:
    """A code that is fitted to pictures."""
    measured = GradientCode(tuple(x.shape[1:]), n_content)
    measured.fit(x)
    return measured


def coloured(x: Tensor, colours: Tensor) -> Tensor:
    """Grey pictures (N, 1, H, W), each multiplied by a colour (N, C)."""
    return x * colours[:, :, None, None]


def test_light_only_scales_features() -> None:
    """An offset changes no feature, and a gain multiplies all by its square root."""
    measured = code(PICTURES)
    features = measured.features(PICTURES)
    assert torch.allclose(measured.features(PICTURES + 0.4), features, atol=1e-3)
    assert torch.allclose(measured.features(4 * PICTURES), 2 * features, atol=1e-3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_directions_turn_with_pictures(quarters: int) -> None:
    """A quarter turn moves the features of a direction to the direction two further."""
    x = PICTURES[:3, :, :19, :19]  # an odd side, so that the grid has the centre
    measured = GradientCode((1, 19, 19), 2)
    before = measured.features(x).reshape(3, 8, 10, 10)
    after = measured.features(torch.rot90(x, quarters, (2, 3))).reshape(3, 8, 10, 10)
    expected = torch.rot90(before, quarters, (2, 3)).roll(-2 * quarters, 1)
    assert torch.allclose(after, expected, atol=1e-4)


def test_edge_directions_are_separate() -> None:
    """A bright right half has its gradients to the right alone."""
    x = torch.zeros(1, 1, 16, 16)
    x[..., 8:] = 1.0
    strengths = GradientCode((1, 16, 16), 2).features(x).reshape(8, -1).square().sum(1)
    assert strengths.argmax() == 0 and strengths[2:7].max() < 1e-3 * strengths[0]


def test_first_column_has_unit_variance() -> None:
    """Columns have mean 0; their variances are square roots of eigenvalues, 1 for the first."""
    measured = code(PICTURES)
    codes = measured(PICTURES)[0]
    features = measured.features(PICTURES)
    eigenvalues = torch.linalg.svdvals(features - features.mean(0))[:6].square() / 60
    assert torch.allclose(codes.mean(0), torch.zeros(6), atol=1e-4)
    variances = (eigenvalues / eigenvalues[0]).sqrt()
    assert torch.allclose(codes.var(0, correction=0), variances, rtol=1e-3)
    assert (torch.corrcoef(codes.T) - torch.eye(6)).abs().max() < 1e-2


def test_axes_are_those_of_a_full_svd() -> None:
    """Subspace iteration finds the same axes and standard deviations."""
    scales = 0.8 ** torch.arange(40.0)
    x = torch.randn(100, 40, generator=torch.Generator().manual_seed(0)) * scales
    sds, axes = principal_axes(x - x.mean(0), 5)
    _, values, rows = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    assert torch.allclose(sds, values[:5] / 10, rtol=1e-4)
    assert torch.allclose((axes * rows[:5].T).sum(0).abs(), torch.ones(5), atol=1e-3)


def test_grey_pictures_have_one_code() -> None:
    """Equal channels give the code of a single one."""
    three = PICTURES.expand(-1, 3, -1, -1)
    assert torch.allclose(code(three)(three)[0], code(PICTURES)(PICTURES)[0], atol=1e-3)


def test_colours_are_told_apart() -> None:
    """Pictures that differ in hue alone have codes by hue; a hue does not hide the shape."""
    rng = torch.Generator().manual_seed(1)
    hues, shapes = torch.arange(60) % 3, torch.arange(60) // 3 % 4
    noise = 0.02 * torch.randn(60, 3, 20, 24, generator=rng)
    x = coloured(PICTURES[shapes], 0.4 + 0.6 * torch.eye(3)[hues]) + noise
    codes = code(x)(x)[0]
    nearest = torch.cdist(codes, codes).fill_diagonal_(torch.inf).argmin(1)
    assert torch.equal(hues[nearest], hues) and torch.equal(shapes[nearest], shapes)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 5), (1, 8, 8), (1, 130, 40)])
def test_any_size_has_codes(shape: tuple[int, ...]) -> None:
    """Tiny pictures have codes, and large ones as many features as reduced ones."""
    x = torch.rand(5, *shape, generator=torch.Generator().manual_seed(0))
    measured = code(x)
    assert measured(x)[0].shape == (5, 6) and not measured(x)[0].isnan().any()
    assert len(measured.means) <= 8 * 24 * 24 + shape[0]


def test_constant_pictures_have_zero_codes() -> None:
    """Pictures without variation have codes of 0."""
    x = torch.full((4, 3, 10, 10), 0.5)
    assert (code(x)(x)[0] == 0).all()


def test_gradient_code_restores() -> None:
    """All numbers of a code are in its state; few pictures leave columns of 0."""
    measured, other = code(PICTURES[:4]), GradientCode((1, 20, 24), 6)
    other.load_state_dict(measured.state_dict())
    assert torch.equal(other(PICTURES)[0], measured(PICTURES)[0])
    assert (measured(PICTURES)[0][:, 3:] == 0).all() and not list(measured.parameters())


def test_codes_do_not_depend_on_the_batch() -> None:
    """A picture alone has the code that it has in a batch."""
    measured = code(PICTURES)
    assert torch.allclose(measured(PICTURES)[0][3:4], measured(PICTURES[3:4])[0], atol=1e-5)


def test_gradients_are_for_pictures() -> None:
    """Images have such codes, series do not."""
    assert GradientCode.suits(IMAGES) and not GradientCode.suits(SERIES)
