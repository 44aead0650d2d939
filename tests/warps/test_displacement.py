"""Displacement fields: their control vectors, both ways to evaluate them, centred frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.pictures import smooth_noise
from unwarp.errors import ConfigError, NotInvertibleError
from unwarp.warps import Affine2d, Displacement2d, DisplacementMap, IdentityMap, translation

FloatArray = NDArray[np.floating]
FRAME = (24, 32)
WARP = Displacement2d(4).bind(FRAME)


def random_theta(n: int = 3, seed: int = 0) -> Tensor:
    """Random control vectors (n, 32), float64."""
    raw = torch.randn(n, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return WARP.constrain(raw)


def random_points(n: int = 50) -> Tensor:
    """Random points (n, 2) in and around the frame, float64."""
    return 2.4 * torch.rand(n, 2, dtype=torch.float64) - 1.2


def test_field_at_shared_points_agrees() -> None:
    """Points that all rows share read the field as points of each row do."""
    map, p = WARP.map(random_theta()), random_points()
    torch.testing.assert_close(map.pull(p), map.pull(p.expand(3, -1, -1)), atol=1e-12, rtol=0)
    torch.testing.assert_close(map.pull(p), map.pull(p[None]), atol=1e-12, rtol=0)


def test_constant_field_pulls_by_minus_d() -> None:
    """Equal control vectors d give pull(p) = p - d everywhere."""
    d = torch.tensor([0.07, -0.11], dtype=torch.float64)
    map = WARP.map(d.repeat_interleave(16)[None])
    p = random_points()
    torch.testing.assert_close(map.pull(p)[0], p - d, atol=1e-12, rtol=0)


def cubic(t: FloatArray) -> FloatArray:
    """Keys' convolution kernel (1981) with a = -0.75."""
    t = np.abs(t)
    inner, outer = 1.25 * t**3 - 2.25 * t**2 + 1, -0.75 * t**3 + 3.75 * t**2 - 6 * t + 3
    return np.where(t <= 1, inner, np.where(t < 2, outer, 0.0))


def test_field_is_cubic_convolution() -> None:
    """The field is Keys' convolution of its control vectors, repeated beyond the edge."""
    theta, p = random_theta(), random_points()
    nodes = np.pad(theta.reshape(3, 2, 4, 4).numpy(), ((0, 0), (0, 0), (4, 4), (4, 4)), mode="edge")
    weights_x, weights_y = (
        cubic((4 * p.numpy()[:, [axis]] + 3) / 2 - np.arange(-4, 8)) for axis in (0, 1)
    )
    field = np.einsum("ncij,pi,pj->npc", nodes, weights_y, weights_x)
    np.testing.assert_allclose((p - WARP.map(theta).pull(p)).numpy(), field, atol=1e-12)


def test_nodes_are_cell_centres() -> None:
    """Column `y_1_2` moves the centre of the cell in row 1 and column 2, along y."""
    theta = torch.zeros(1, 32, dtype=torch.float64)
    names = [f.name for f in WARP.factors]
    theta[0, names.index("y_1_2")] = 0.1
    node = torch.tensor([[2 * 2.5 / 4 - 1, 2 * 1.5 / 4 - 1]], dtype=torch.float64)
    displacement = node - WARP.map(theta).pull(node)[0]
    torch.testing.assert_close(
        displacement, torch.tensor([[0.0, 0.1]], dtype=torch.float64), atol=1e-12, rtol=0
    )


def test_lattice_covers_its_extent() -> None:
    """A window of half the size scales the field, which is constant beyond the lattice."""
    half_size = Displacement2d(4).bind(FRAME, extent=0.5).map(random_theta())
    full_size, p = WARP.map(random_theta()), random_points()
    torch.testing.assert_close(
        0.5 * p - half_size.pull(0.5 * p), p - full_size.pull(p), atol=1e-12, rtol=0
    )
    outside, edge = torch.tensor([[3.0, 0.1], [1.25, 0.1]], dtype=torch.float64)
    torch.testing.assert_close(
        outside - full_size.pull(outside[None]),
        edge - full_size.pull(edge[None]),
        atol=1e-12,
        rtol=0,
    )


def test_residual_px_is_root_mean_square() -> None:
    """Vectors of (3, 4) pixels have a residual of 5 pixels."""
    theta = torch.cat([torch.full((1, 16), 3 / 16), torch.full((1, 16), 4 / 12)], 1)
    column = WARP.summary(WARP.map(theta))
    assert [f.name for f in column] == ["residual_px"]
    assert float(next(iter(column.values()))) == pytest.approx(5.0)


def test_displacement_has_no_inverse() -> None:
    """Push and inverse are refused, and the invertible part is the identity."""
    map = WARP.map(random_theta())
    with pytest.raises(NotInvertibleError, match="invertible_part"):
        map.invert()
    with pytest.raises(NotInvertibleError):
        map.push(random_points())
    assert len(map.invertible_part()) == 3
    assert isinstance(map.invertible_part(), IdentityMap)


@pytest.mark.parametrize("grid", [1, 0, -3])
def test_displacement_refuses_small_grid(grid: int) -> None:
    """A lattice needs two control vectors along each axis."""
    with pytest.raises(ConfigError, match="give 2 to 64"):
        Displacement2d(grid)


def test_shift_before_field_moves_field() -> None:
    """A shift that acts first becomes part of the field's frame."""
    shift = translation(torch.tensor([[0.25, -0.5]], dtype=torch.float64))
    map, p = WARP.map(random_theta()), random_points()
    displaced = map.compose(shift).parts[0]
    assert isinstance(displaced, DisplacementMap)
    d = torch.tensor([0.25, -0.5], dtype=torch.float64)
    torch.testing.assert_close(p - displaced.pull(p), (p + d) - map.pull(p + d), atol=1e-12, rtol=0)


def test_recentred_displacement_keeps_theta() -> None:
    """The centred family has the same theta, and zero still is the identity."""
    anchor = Affine2d().map(torch.tensor([[0.2, 0.1, -0.1, 0.1, 0.05, 0.0]]))
    centred = WARP.recentre(anchor)
    theta = random_theta().float()
    torch.testing.assert_close(centred.theta(centred.map(theta)), theta)
    x = smooth_noise(3, FRAME)
    torch.testing.assert_close(centred.map(0 * theta)(x), x, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "fields", [{"reach": -0.1}, {"extent": 0.0}, {"extent": 1.1}, {"extent": -0.5}]
)
def test_displacement_refuses_bad_ranges(fields: dict[str, float]) -> None:
    """A negative reach and an extent outside of (0, 1] are refused; their ends are allowed."""
    name, value = next(iter(fields.items()))
    with pytest.raises(ConfigError, match=f"{name}={value}.* is out of range"):
        Displacement2d(**fields)  # type: ignore[arg-type]
    still = Displacement2d(2, reach=0.0, extent=1.0)
    assert not still.constrain(torch.ones(1, 8)).any()


def test_theta_without_displacement_is_zero() -> None:
    """A map without a displacement has zero vectors, and its residual is 0 pixels."""
    map = Affine2d(size=FRAME).map(torch.full((2, 6), 0.1))
    assert torch.equal(WARP.theta(map), torch.zeros(2, 32))
    (column,) = WARP.summary(map).values()
    assert column.tolist() == [0.0, 0.0]


def test_residual_range_is_in_pixels() -> None:
    """The range of the column is that of the reach along the longer side of the frame."""
    for size in ((24, 32), (32, 24)):
        warp = Displacement2d(4).bind(size)
        (factor,) = warp.summary(warp.map(torch.zeros(1, 32)))
        assert (factor.low, factor.high) == (0, pytest.approx(0.15 * 32 / 2))


def test_several_maps_stay_before_a_field() -> None:
    """Only one affine map changes places with a field; several rows have no common frame."""
    map = WARP.map(random_theta())
    one, several = (
        Affine2d(size=FRAME).map(torch.full((n, 6), 0.1, dtype=torch.float64)) for n in (1, 3)
    )
    assert map.merge(several) is None and map.merge(map) is None
    moved = map.merge(one)
    assert moved is not None and moved[1] is one and isinstance(moved[0], DisplacementMap)
