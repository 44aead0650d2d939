"""Chains: normal form, the order of columns, and the pictures they make."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from tests.pictures import smooth
from unwarp.errors import ConfigError
from unwarp.warps import (
    Affine2d,
    AffineMap,
    Chain,
    ChainMap,
    Displacement2d,
    DisplacementMap,
    Identity,
    IdentityMap,
    Map,
    Similarity2d,
    Warp,
    align,
    named,
)

FRAME = (24, 32)
CHAIN = Chain(Displacement2d(3), Affine2d()).bind(FRAME)
POINTS = torch.rand(30, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 2 - 1


def thetas(warp: Warp, n: int = 4, seed: int = 0) -> Tensor:
    raw = torch.randn(n, len(warp.factors), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return warp.constrain(0.5 * raw)


def kinds(map: Map) -> list[type[Map]]:
    return [type(part) for part in map.parts]


def test_columns_stand_in_argument_order_under_the_name_of_their_warp() -> None:
    names = [f.name for f in CHAIN.factors]
    assert len(names) == 2 * 9 + 6
    assert all(name.startswith("displacement_") for name in names[:18])
    assert names[18:] == [f"affine_{f.name}" for f in Affine2d().factors]
    assert [f.half_range for f in CHAIN.factors[18:]] == [f.half_range for f in Affine2d().factors]


def test_the_first_warp_acts_on_the_template_first() -> None:
    theta = thetas(CHAIN)
    residual, affine = CHAIN.links[0].map(theta[:, :18]), CHAIN.links[1].map(theta[:, 18:])
    torch.testing.assert_close(CHAIN.map(theta).pull(POINTS), residual.pull(affine.pull(POINTS)))


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
    torch.testing.assert_close(chained.compose(anchor).pull(POINTS), anchor.pull(chained.pull(POINTS)))


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
    torch.testing.assert_close(map.invertible_part().pull(POINTS), behind.pull(POINTS), atol=1e-9, rtol=0)


def test_the_identity_leaves_no_link() -> None:
    chained = CHAIN.map(thetas(CHAIN))
    assert kinds(chained.compose(IdentityMap(4))) == kinds(chained) == kinds(IdentityMap(4).compose(chained))


def test_rendering_link_by_link_is_close_to_reading_at_the_pulled_points() -> None:
    x = smooth(4, FRAME, sigma=4.0).double()
    map = CHAIN.map(thetas(CHAIN))
    assert isinstance(map, ChainMap)
    at_once = Map.__call__(map, x, padding="border")
    assert (map(x, padding="border") - at_once).abs().mean() < 0.005
    assert (at_once - x).abs().mean() > 0.05


def test_canonicalize_undoes_the_affine_end() -> None:
    x = smooth(4, FRAME).double()
    theta = thetas(CHAIN)
    pose = CHAIN.links[1].map(theta[:, 18:])
    torch.testing.assert_close(align(x, CHAIN.map(theta)), pose.invert()(x))


def test_summary_puts_the_outer_warp_first() -> None:
    names = [f.name for f in CHAIN.summary(CHAIN.map(thetas(CHAIN)))]
    assert names[0] == "rotation_deg" and names[-1] == "residual_px"


@pytest.mark.parametrize(
    "links",
    [
        (),
        (Affine2d(),),
        (Similarity2d(), Affine2d()),
        (Affine2d(), Displacement2d()),
        (Displacement2d(), Displacement2d()),
        (Identity(), Affine2d()),
    ],
    ids=lambda links: "+".join(link.name for link in links) or "none",
)
def test_chains_that_theta_would_not_describe_are_refused(links: tuple[Warp, ...]) -> None:
    with pytest.raises(ConfigError, match="only then does theta describe it"):
        Chain(*links)


@pytest.mark.parametrize("name", ["displacement+similarity", "displacement+affine"])
def test_the_chart_of_a_chain_gives_the_same_deformation_back(name: str) -> None:
    warp = named(name).bind(FRAME)
    map = warp.map(thetas(warp))
    torch.testing.assert_close(warp.map(warp.theta(map)).pull(POINTS), map.pull(POINTS), atol=1e-9, rtol=0)
