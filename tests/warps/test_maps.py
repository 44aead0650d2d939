"""The algebra of maps: products in normal form, inverses, and rendering."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tests.pictures import smooth_noise
from tests.warps.chains import CHAIN, FRAME, POINTS, thetas
from unwarp.warps import Affine2d, AffineMap, ChainMap, DisplacementMap, IdentityMap, Map


def part_types(map: Map) -> list[type[Map]]:
    """Classes of the parts of a map, first acts first."""
    return [type(part) for part in map.parts]


def test_compose_multiplies_affine_maps() -> None:
    """Affine maps in a row become one."""
    affine = Affine2d().bind(FRAME)
    a, b = (affine.map(thetas(affine, seed=seed)) for seed in (1, 2))
    chained = CHAIN.map(thetas(CHAIN))
    assert type(a.compose(b)) is AffineMap
    assert part_types(a.compose(chained)) == [DisplacementMap, AffineMap]
    assert part_types(a.compose(b).compose(chained)) == [DisplacementMap, AffineMap]


def test_compose_moves_affine_behind_field() -> None:
    """One affine map that acts first goes behind the displacement; several stay in front."""
    affine = Affine2d().bind(FRAME)
    anchor, poses = affine.map(thetas(affine, 1)), affine.map(thetas(affine, 4))
    chained = CHAIN.map(thetas(CHAIN))
    assert part_types(chained.compose(anchor)) == [DisplacementMap, AffineMap]
    assert part_types(chained.compose(poses)) == [AffineMap, DisplacementMap, AffineMap]
    torch.testing.assert_close(
        chained.compose(anchor).pull(POINTS), anchor.pull(chained.pull(POINTS))
    )


@dataclass(frozen=True)
class Squash(Map):
    """An invertible map without a product with an affine map: push(p) = asinh(p)."""

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


def test_invert_reverses_parts() -> None:
    """Parts that have no product are inverted last first."""
    affine = Affine2d().bind(FRAME)
    map = affine.map(thetas(affine)).compose(Squash()).compose(affine.map(thetas(affine, seed=5)))
    assert part_types(map) == [AffineMap, Squash, AffineMap]
    points = POINTS.expand(4, -1, -1)
    torch.testing.assert_close(map.invert().pull(map.pull(POINTS)), points, atol=1e-9, rtol=0)
    torch.testing.assert_close(map.push(map.pull(POINTS)), points, atol=1e-9, rtol=0)


def test_invertible_part_keeps_order() -> None:
    """It is the product of the parts behind the last displacement, in their order."""
    affine = Affine2d().bind(FRAME)
    tail = affine.map(thetas(affine)).compose(Squash())
    map = tail.compose(CHAIN.map(thetas(CHAIN)))
    assert part_types(map) == [DisplacementMap, AffineMap, Squash, AffineMap]
    expected = tail.compose(CHAIN.links[1].map(thetas(CHAIN)[:, 18:]))
    torch.testing.assert_close(
        map.invertible_part().pull(POINTS), expected.pull(POINTS), atol=1e-9, rtol=0
    )


def test_identity_vanishes_in_products() -> None:
    """A product with the identity has the parts of the other map."""
    chained = CHAIN.map(thetas(CHAIN))
    assert (
        part_types(chained.compose(IdentityMap(4)))
        == part_types(chained)
        == part_types(IdentityMap(4).compose(chained))
    )


def test_chain_map_resamples_by_part() -> None:
    """Resampling part by part is close to one reading at the pulled points."""
    x = smooth_noise(4, FRAME, sigma=4.0).double()
    map = CHAIN.map(thetas(CHAIN))
    assert isinstance(map, ChainMap)
    single_reading = Map.__call__(map, x, padding="border")
    assert (map(x, padding="border") - single_reading).abs().mean() < 0.005
    assert (single_reading - x).abs().mean() > 0.05
