"""Maps of time: exact inverses and products, and their use on events and series."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.warps import CosineTime, IdentityMap, Map, TimeMap, Window, align
from unwarp.warps.time_map import interpolate

TIMES = torch.linspace(-0.3, 1.3, 161, dtype=torch.float64)[:, None]


def random_maps(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> TimeMap:
    """Random smooth maps of `n` rows."""
    raw = torch.randn(n, 16, dtype=dtype, generator=torch.Generator().manual_seed(seed))
    return CosineTime().map(0.5 * raw)


def test_interpolate_agrees_with_numpy() -> None:
    """It is NumPy's between the knots and has slope 1 outside them."""
    random = np.random.default_rng(0)
    knots, values = (np.sort(random.uniform(size=(3, 9)), -1) for _ in range(2))
    points = random.uniform(-0.5, 1.5, (3, 50))
    interpolated = interpolate(*(torch.as_tensor(part) for part in (points, knots, values)))
    inside = np.stack([np.interp(a, k, v) for a, k, v in zip(points, knots, values, strict=True)])
    outside = points - np.clip(points, knots[:, :1], knots[:, -1:])
    np.testing.assert_allclose(interpolated.numpy(), inside + outside, atol=1e-12)


def test_time_map_deforms_known_curve() -> None:
    """With gamma = t^2, a series, its alignment and an event are those of the formula."""
    knots = torch.linspace(0, 1, 2001, dtype=torch.float64)[None]
    map, times = TimeMap(knots, knots**2), Window.frame((301,)).lattice(knots)[:, 0]
    x = torch.sin(7 * times)[None, None]
    torch.testing.assert_close(map(x)[0, 0], torch.sin(7 * times**2), atol=1e-4, rtol=0)
    torch.testing.assert_close(align(x, map)[0, 0], torch.sin(7 * times.sqrt()), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        map.push(torch.full((1, 1), 0.25).double()), torch.full((1, 1, 1), 0.5).double()
    )


def test_time_product_has_knots_of_both() -> None:
    """A product is one map of time with the knots of both, and exact between them."""
    one, two = random_maps(3, 0), random_maps(3, 1)
    product = one.compose(two)
    assert isinstance(product, TimeMap)
    assert product.observed_times.shape == (
        3,
        one.observed_times.shape[1] + two.observed_times.shape[1],
    )
    dense = torch.linspace(0, 1, 5001, dtype=torch.float64)[:, None]
    assert (product.pull(dense) - two.pull(one.pull(dense))).abs().max() < 1e-12


def test_time_inverse_twice_is_the_map() -> None:
    """Inverting twice gives the same knots."""
    map = random_maps(2)
    twice_inverted = map.invert().invert()
    assert torch.equal(twice_inverted.observed_times, map.observed_times)
    assert torch.equal(twice_inverted.template_times, map.template_times)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_long_time_product_is_invertible(dtype: torch.dtype) -> None:
    """A product of seven maps increases strictly, and push undoes its pull."""
    product: Map = IdentityMap(4)
    for seed in range(7):
        product = product.compose(random_maps(4, seed, dtype))
    assert isinstance(product, TimeMap)
    times = TIMES.to(dtype)
    assert (product.pull(times)[..., 0].diff() > 0).all()
    pushed = product.push(product.pull(times))
    torch.testing.assert_close(
        pushed, times.expand(4, -1, -1), atol=1e-4 if dtype == torch.float32 else 1e-9, rtol=0
    )


def test_coinciding_knots_are_allowed() -> None:
    """Two knots at one time give finite values and gradients."""
    knots = torch.tensor([[0.0, 0.0, 0.5, 0.5, 1.0, 1.0]], requires_grad=True)
    map = TimeMap(knots, knots)
    times = torch.tensor([[0.0], [0.25], [0.5], [1.0]])
    out = map.pull(times)
    torch.testing.assert_close(out[0], times)
    out.sum().backward()
    assert knots.grad is not None and knots.grad.isfinite().all()


def test_channels_share_one_time_map() -> None:
    """All channels are deformed as each by itself."""
    x = torch.randn(3, 4, 50, generator=torch.Generator().manual_seed(0)).double()
    map = random_maps(3)
    by_channel = torch.stack([map(x[:, c : c + 1])[:, 0] for c in range(4)], 1)
    torch.testing.assert_close(map(x), by_channel)
