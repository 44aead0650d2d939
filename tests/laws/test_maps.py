"""The contract of the maps of every family: inverses, products, rows and gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.autograd import gradcheck

from tests.laws.warps import (
    WARPS,
    N,
    assert_equal_maps,
    maps_in_box,
    maps_outside_box,
    partner_maps,
    points_of,
    random_theta,
    samples,
)
from tests.pictures import smooth_noise
from unwarp.errors import NotInvertibleError
from unwarp.warps import Map, Warp, align


@pytest.fixture(params=WARPS)
def warp(request: pytest.FixtureRequest) -> Warp:
    """Each family and each variant, bound to a size."""
    return WARPS[request.param]


def can_invert(map: Map) -> bool:
    """Whether a map returns an inverse."""
    try:
        map.invert()
    except NotInvertibleError:
        return False
    return True


@pytest.mark.parametrize("make_maps", [maps_in_box, maps_outside_box])
def test_inverse_undoes_or_is_refused(warp: Warp, make_maps: Callable[[Warp], Map]) -> None:
    """Push and invert undo pull; a family without an inverse refuses by type."""
    map, points = make_maps(warp), points_of(warp)
    if not can_invert(map):
        with pytest.raises(NotInvertibleError):
            map.push(points)
        return
    rows = points.expand(N, -1, -1)
    inverse = map.invert()
    torch.testing.assert_close(map.pull(map.push(points)), rows, atol=1e-9, rtol=0)
    torch.testing.assert_close(map.push(map.pull(points)), rows, atol=1e-9, rtol=0)
    torch.testing.assert_close(inverse.pull(points), map.push(points), atol=1e-9, rtol=0)
    torch.testing.assert_close(map.compose(inverse).pull(points), rows, atol=1e-9, rtol=0)
    torch.testing.assert_close(inverse.compose(map).pull(points), rows, atol=1e-9, rtol=0)


def test_compose_is_associative(warp: Warp) -> None:
    """Products are associative, and the inner map acts first."""
    a, b, c = (warp.map(random_theta(warp, seed=seed)) for seed in range(3))
    one_row, rows, points = partner_maps(warp, 1), partner_maps(warp, N), points_of(warp)
    triples = [
        (a, b, c),
        (a, rows, b),
        (rows, a, one_row),
        (a, one_row, rows),
        (maps_outside_box(warp), a, b),
    ]
    for f, g, h in triples:
        assert_equal_maps(f.compose(g).compose(h), f.compose(g.compose(h)), points)
        assert (f.compose(g).pull(points) - g.pull(f.pull(points))).abs().max() < 1e-9


def test_compose_expands_one_row(warp: Warp) -> None:
    """A map of one row counts for every row of the other factor."""
    map, points = warp.map(random_theta(warp)), points_of(warp)
    for product in (
        map.compose(partner_maps(warp, 1)),
        partner_maps(warp, 1).compose(map),
        partner_maps(warp, N).compose(map[:1]),
    ):
        assert len(product) == N
        assert product.pull(points).shape == (N, *points.shape)
        torch.testing.assert_close(
            product[2:3].pull(points), product.pull(points)[2:3], atol=1e-9, rtol=0
        )


def test_map_gradients_are_right(warp: Warp) -> None:
    """Gradients by theta, samples and points agree with finite differences."""
    theta = 0.7 * random_theta(warp, 1).detach()
    x = smooth_noise(1, (5, 6), sigma=1.0).double()
    x = x.squeeze(1) if warp.domain == "series" else x
    points = points_of(warp)[:6] * 0.7
    for tensor in (theta, x, points):
        tensor.requires_grad_(tensor.numel() > 0)
    assert gradcheck(lambda theta, x: warp.map(theta)(x), (theta, x))
    assert gradcheck(lambda theta, points: warp.map(theta).pull(points), (theta, points))
    if warp.map(theta).is_invertible:
        assert gradcheck(lambda theta, points: warp.map(theta).push(points), (theta, points))


def test_rows_are_independent(warp: Warp) -> None:
    """A row gives the same alone and in a batch, by theta or by index."""
    theta, x, points = random_theta(warp), samples(warp), points_of(warp)
    map = warp.map(theta)
    rows = torch.tensor([3, 1])
    points_by_row = points + torch.arange(N)[:, None, None] * 0.01
    for i in range(N):
        row = slice(i, i + 1)
        for single in (warp.map(theta[row]), map[row]):
            torch.testing.assert_close(single(x[row]), map(x)[row], atol=1e-10, rtol=0)
            torch.testing.assert_close(
                single.pull(points_by_row[row]), map.pull(points_by_row)[row], atol=1e-10, rtol=0
            )
    torch.testing.assert_close(map[rows].pull(points), map.pull(points)[rows])
    assert (len(map), len(map[rows])) == (N, 2)


def test_invertible_part_is_maximal(warp: Warp) -> None:
    """With the invertible part undone nothing invertible is left, and align undoes just it."""
    map, x, points = warp.map(random_theta(warp)), samples(warp), points_of(warp)
    remainder = map.invertible_part().invert().compose(map)
    partner = partner_maps(warp, 1)
    assert_equal_maps(remainder.invertible_part(), partner.compose(partner.invert()), points)
    if can_invert(map):
        assert_equal_maps(map.invertible_part(), map, points)
    torch.testing.assert_close(align(x, map), map.invertible_part().invert()(x))
