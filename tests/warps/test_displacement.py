"""Displacement fields: the lattice of control vectors, the two paths of the field, centred frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.pictures import smooth
from unwarp.errors import ConfigError, NotInvertibleError
from unwarp.warps import Affine2d, Displacement2d, DisplacementMap, IdentityMap, translation

FloatArray = NDArray[np.floating]
FRAME = (24, 32)
WARP = Displacement2d(4).bind(FRAME)


def controls(n: int = 3, seed: int = 0) -> Tensor:
    raw = torch.randn(n, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return WARP.constrain(raw)


def points(n: int = 50) -> Tensor:
    return 2.4 * torch.rand(n, 2, dtype=torch.float64) - 1.2


def test_a_shared_lattice_and_one_lattice_a_row_read_the_same_field() -> None:
    map, p = WARP.map(controls()), points()
    torch.testing.assert_close(map.pull(p), map.pull(p.expand(3, -1, -1)), atol=1e-12, rtol=0)
    torch.testing.assert_close(map.pull(p), map.pull(p[None]), atol=1e-12, rtol=0)


def test_a_constant_field_reads_at_p_minus_d_everywhere() -> None:
    d = torch.tensor([0.07, -0.11], dtype=torch.float64)
    map = WARP.map(d.repeat_interleave(16)[None])
    p = points()
    torch.testing.assert_close(map.pull(p)[0], p - d, atol=1e-12, rtol=0)


def cubic(t: FloatArray) -> FloatArray:
    """Keys' convolution kernel (1981) with a = -0.75."""
    t = np.abs(t)
    near, tail = 1.25 * t**3 - 2.25 * t**2 + 1, -0.75 * t**3 + 3.75 * t**2 - 6 * t + 3
    return np.where(t <= 1, near, np.where(t < 2, tail, 0.0))


def test_the_field_is_the_cubic_convolution_of_its_nodes_repeated_at_the_edge() -> None:
    theta, p = controls(), points()
    nodes = np.pad(theta.reshape(3, 2, 4, 4).numpy(), ((0, 0), (0, 0), (4, 4), (4, 4)), mode="edge")
    across, down = (cubic((4 * p.numpy()[:, [axis]] + 3) / 2 - np.arange(-4, 8)) for axis in (0, 1))
    field = np.einsum("ncij,pi,pj->npc", nodes, down, across)
    np.testing.assert_allclose((p - WARP.map(theta).pull(p)).numpy(), field, atol=1e-12)


def test_nodes_stand_at_cell_centres_rows_down_and_take_effect_there() -> None:
    theta = torch.zeros(1, 32, dtype=torch.float64)
    names = [f.name for f in WARP.factors]
    theta[0, names.index("y_1_2")] = 0.1
    node = torch.tensor([[2 * 2.5 / 4 - 1, 2 * 1.5 / 4 - 1]], dtype=torch.float64)
    move = node - WARP.map(theta).pull(node)[0]
    torch.testing.assert_close(
        move, torch.tensor([[0.0, 0.1]], dtype=torch.float64), atol=1e-12, rtol=0
    )


def test_the_lattice_covers_its_window_and_is_level_from_a_cell_beyond_its_nodes() -> None:
    half = Displacement2d(4).bind(FRAME, extent=0.5).map(controls())
    whole, p = WARP.map(controls()), points()
    torch.testing.assert_close(0.5 * p - half.pull(0.5 * p), p - whole.pull(p), atol=1e-12, rtol=0)
    far, edge = torch.tensor([[3.0, 0.1], [1.25, 0.1]], dtype=torch.float64)
    torch.testing.assert_close(
        far - whole.pull(far[None]), edge - whole.pull(edge[None]), atol=1e-12, rtol=0
    )


def test_residual_is_the_root_mean_square_vector_in_pixels() -> None:
    theta = torch.cat([torch.full((1, 16), 3 / 16), torch.full((1, 16), 4 / 12)], 1)
    column = WARP.summary(WARP.map(theta))
    assert [f.name for f in column] == ["residual_px"]
    assert float(next(iter(column.values()))) == pytest.approx(5.0)


def test_neither_push_nor_inverse() -> None:
    map = WARP.map(controls())
    with pytest.raises(NotInvertibleError, match="invertible_part"):
        map.invert()
    with pytest.raises(NotInvertibleError):
        map.push(points())
    assert len(map.invertible_part()) == 3
    assert isinstance(map.invertible_part(), IdentityMap)


@pytest.mark.parametrize("grid", [1, 0, -3])
def test_a_lattice_needs_two_nodes(grid: int) -> None:
    with pytest.raises(ConfigError, match="at least 2"):
        Displacement2d(grid)


def test_a_shift_before_the_field_carries_the_field_along() -> None:
    shift = translation(torch.tensor([[0.25, -0.5]], dtype=torch.float64))
    map, p = WARP.map(controls()), points()
    carried = map.compose(shift).parts[0]
    assert isinstance(carried, DisplacementMap)
    d = torch.tensor([0.25, -0.5], dtype=torch.float64)
    torch.testing.assert_close(p - carried.pull(p), (p + d) - map.pull(p + d), atol=1e-12, rtol=0)


def test_the_centred_family_keeps_theta_and_its_identity() -> None:
    anchor = Affine2d().map(torch.tensor([[0.2, 0.1, -0.1, 0.1, 0.05, 0.0]]))
    chart = WARP.recentre(anchor)
    theta = controls().float()
    torch.testing.assert_close(chart.theta(chart.map(theta)), theta)
    x = smooth(3, FRAME)
    torch.testing.assert_close(chart.map(0 * theta)(x), x, atol=1e-5, rtol=0)
