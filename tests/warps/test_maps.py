"""The algebra of maps: products in normal form, inverses, and rendering."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tests.pictures import smooth
from tests.warps.chains import CHAIN, FRAME, POINTS, thetas
from unwarp.warps import (
    Affine2d,
    AffineMap,
    ChainMap,
    DisplacementMap,
    IdentityMap,
    Map,
)


def kinds(map: Map) -> list[type[Map]]:
    return [type(part) for part in map.parts]


def test_neighbouring_affine_maps_are_multiplied() -> None:
    affine = Affine2d().bind(FRAME)
    a, b = (affine.map(thetas(affine, seed=seed)) for seed in (1, 2))
    chained = CHAIN.map(thetas(CHAIN))
    assert type(a.compose(b)) is AffineMap
    assert kinds(a.compose(chained)) == [DisplacementMap, AffineMap]
    assert kinds(a.compose(b).compose(chained)) == [DisplacementMap, AffineMap]


def test_one_affine_map_slips_out_from_under_a_displacement() -> None:
    affine = Affine2d().bind(FRAME)
    anchor, many = affine.map(thetas(affine, 1)), affine.map(thetas(affine, 4))
    chained = CHAIN.map(thetas(CHAIN))
    assert kinds(chained.compose(anchor)) == [DisplacementMap, AffineMap]
    assert kinds(chained.compose(many)) == [AffineMap, DisplacementMap, AffineMap]
    torch.testing.assert_close(
        chained.compose(anchor).pull(POINTS), anchor.pull(chained.pull(POINTS))
    )


@dataclass(frozen=True)
class Squash(Map):
    """One invertible deformation that has no product with an affine one: seen at asinh of its template point."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, rows: Tensor | slice) -> Squash:
        return self

    def pull(self, points: Tensor) -> Tensor:
        return points.sinh().expand(1, -1, -1) if points.dim() == 2 else points.sinh()

    def push(self, points: Tensor) -> Tensor:
        return points.asinh().expand(1, -1, -1) if points.dim() == 2 else points.asinh()

    def invert(self) -> Map:
        return Stretch()


@dataclass(frozen=True)
class Stretch(Squash):
    """The inverse of `Squash`."""

    def pull(self, points: Tensor) -> Tensor:
        return super().push(points)

    def push(self, points: Tensor) -> Tensor:
        return super().pull(points)

    def invert(self) -> Map:
        return Squash()


def test_links_without_a_product_are_undone_last_first() -> None:
    affine = Affine2d().bind(FRAME)
    map = affine.map(thetas(affine)).compose(Squash()).compose(affine.map(thetas(affine, seed=5)))
    assert kinds(map) == [AffineMap, Squash, AffineMap]
    here = POINTS.expand(4, -1, -1)
    torch.testing.assert_close(map.invert().pull(map.pull(POINTS)), here, atol=1e-9, rtol=0)
    torch.testing.assert_close(map.push(map.pull(POINTS)), here, atol=1e-9, rtol=0)


def test_undoable_keeps_the_order_of_the_links_behind_the_last_displacement() -> None:
    affine = Affine2d().bind(FRAME)
    tail = affine.map(thetas(affine)).compose(Squash())
    map = tail.compose(CHAIN.map(thetas(CHAIN)))
    assert kinds(map) == [DisplacementMap, AffineMap, Squash, AffineMap]
    behind = tail.compose(CHAIN.links[1].map(thetas(CHAIN)[:, 18:]))
    torch.testing.assert_close(
        map.invertible_part().pull(POINTS), behind.pull(POINTS), atol=1e-9, rtol=0
    )


def test_the_identity_leaves_no_link() -> None:
    chained = CHAIN.map(thetas(CHAIN))
    assert (
        kinds(chained.compose(IdentityMap(4)))
        == kinds(chained)
        == kinds(IdentityMap(4).compose(chained))
    )


def test_rendering_link_by_link_is_close_to_reading_at_the_pulled_points() -> None:
    x = smooth(4, FRAME, sigma=4.0).double()
    map = CHAIN.map(thetas(CHAIN))
    assert isinstance(map, ChainMap)
    at_once = Map.__call__(map, x, padding="border")
    assert (map(x, padding="border") - at_once).abs().mean() < 0.005
    assert (at_once - x).abs().mean() > 0.05
