"""Maps of time: exact inverses and products, and what becomes of events and series."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp.warps import CosineTime, IdentityMap, TimeMap, Window, align
from unwarp.warps.time_map import interpolate

TIMES = torch.linspace(-0.3, 1.3, 161, dtype=torch.float64)[:, None]


def gammas(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> TimeMap:
    raw = torch.randn(n, 16, dtype=dtype, generator=torch.Generator().manual_seed(seed))
    return CosineTime().map(0.5 * raw)


def test_interpolation_is_that_of_numpy_and_goes_on_with_slope_one() -> None:
    random = np.random.default_rng(0)
    knots, values = (np.sort(random.uniform(size=(3, 9)), -1) for _ in range(2))
    at = random.uniform(-0.5, 1.5, (3, 50))
    found = interpolate(*(torch.as_tensor(part) for part in (at, knots, values))).numpy()
    inside = np.stack([np.interp(a, k, v) for a, k, v in zip(at, knots, values, strict=True)])
    beyond = at - np.clip(at, knots[:, :1], knots[:, -1:])
    np.testing.assert_allclose(found, inside + beyond, atol=1e-12)


def test_a_known_curve_is_read_where_it_says() -> None:
    knots = torch.linspace(0, 1, 2001, dtype=torch.float64)[None]
    map, times = TimeMap(knots, knots**2), Window.frame((301,)).lattice(knots)[:, 0]
    x = torch.sin(7 * times)[None, None]
    torch.testing.assert_close(map(x)[0, 0], torch.sin(7 * times**2), atol=1e-4, rtol=0)
    torch.testing.assert_close(align(x, map)[0, 0], torch.sin(7 * times.sqrt()), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        map.push(torch.full((1, 1), 0.25).double()), torch.full((1, 1, 1), 0.5).double()
    )


def test_a_product_has_the_knots_of_both_and_stays_one_map() -> None:
    one, two = gammas(3, 0), gammas(3, 1)
    product = one.compose(two)
    assert isinstance(product, TimeMap)
    assert product.observed_times.shape == (
        3,
        one.observed_times.shape[1] + two.observed_times.shape[1],
    )
    dense = torch.linspace(0, 1, 5001, dtype=torch.float64)[:, None]
    assert (product.pull(dense) - two.pull(one.pull(dense))).abs().max() < 1e-12


def test_inverting_twice_gives_the_same_map_back() -> None:
    map = gammas(2)
    assert torch.equal(map.invert().invert().observed_times, map.observed_times) and torch.equal(
        map.invert().invert().template_times, map.template_times
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_long_product_still_increases_and_can_be_undone(dtype: torch.dtype) -> None:
    product: Tensor | TimeMap | IdentityMap = IdentityMap(4)
    for seed in range(7):
        product = product.compose(gammas(4, seed, dtype))  # type: ignore[union-attr,assignment]
    assert isinstance(product, TimeMap)
    times = TIMES.to(dtype)
    assert (product.pull(times)[..., 0].diff() > 0).all()
    back = product.push(product.pull(times))
    torch.testing.assert_close(
        back, times.expand(4, -1, -1), atol=1e-4 if dtype == torch.float32 else 1e-9, rtol=0
    )


def test_knots_that_coincide_do_no_harm() -> None:
    knots = torch.tensor([[0.0, 0.0, 0.5, 0.5, 1.0, 1.0]], requires_grad=True)
    map = TimeMap(knots, knots)
    times = torch.tensor([[0.0], [0.25], [0.5], [1.0]])
    out = map.pull(times)
    torch.testing.assert_close(out[0], times)
    out.sum().backward()
    assert knots.grad is not None and knots.grad.isfinite().all()


def test_series_of_many_channels_share_one_map() -> None:
    x = torch.randn(3, 4, 50, generator=torch.Generator().manual_seed(0)).double()
    map = gammas(3)
    alone = torch.stack([map(x[:, c : c + 1])[:, 0] for c in range(4)], 1)
    torch.testing.assert_close(map(x), alone)
