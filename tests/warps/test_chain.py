"""Chains: normal form, the order of columns, and the pictures they make."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.pictures import smooth
from unwarp.types import ConfigError
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
    canonicalize,
    named,
)

FRAME = (24, 32)
CHAIN = Chain(Displacement2d(3), Affine2d()).on(FRAME)
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
    affine = Affine2d().on(FRAME)
    a, b = (affine.map(thetas(affine, seed=seed)) for seed in (1, 2))
    chained = CHAIN.map(thetas(CHAIN))
    assert type(a.compose(b)) is AffineMap
    assert kinds(a.compose(chained)) == [DisplacementMap, AffineMap]
    assert kinds(a.compose(b).compose(chained)) == [DisplacementMap, AffineMap]


def test_one_affine_map_slips_out_from_under_a_displacement() -> None:
    affine = Affine2d().on(FRAME)
    anchor, many = affine.map(thetas(affine, 1)), affine.map(thetas(affine, 4))
    chained = CHAIN.map(thetas(CHAIN))
    assert kinds(chained.compose(anchor)) == [DisplacementMap, AffineMap]
    assert kinds(chained.compose(many)) == [AffineMap, DisplacementMap, AffineMap]
    torch.testing.assert_close(chained.compose(anchor).pull(POINTS), anchor.pull(chained.pull(POINTS)))


def test_the_identity_leaves_no_link() -> None:
    chained = CHAIN.map(thetas(CHAIN))
    assert kinds(chained.compose(IdentityMap(4))) == kinds(chained) == kinds(IdentityMap(4).compose(chained))
    warp = Chain(Identity(), Affine2d()).on(FRAME)
    assert type(warp.map(thetas(warp))) is AffineMap


def test_a_chain_of_identities_moves_nothing() -> None:
    still = Chain(Identity(), Identity()).on(FRAME).map(torch.zeros(3, 0))
    assert len(still) == 3
    torch.testing.assert_close(still.pull(POINTS), POINTS.expand(3, -1, -1))


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
    torch.testing.assert_close(canonicalize(x, CHAIN.map(theta)), pose.invert()(x))


def test_summary_puts_the_outer_warp_first() -> None:
    names = [f.name for f in CHAIN.summary(CHAIN.map(thetas(CHAIN)))]
    assert names[0] == "rotation_deg" and names[-1] == "residual_px"


@pytest.mark.parametrize("links", [(), (Affine2d(),)])
def test_a_chain_has_two_links_or_more(links: tuple[Warp, ...]) -> None:
    with pytest.raises(ConfigError, match="two warps or more"):
        Chain(*links)


@pytest.mark.parametrize(
    "warp",
    [named("displacement+similarity"), named("affine+displacement"), Chain(Similarity2d(), Affine2d())],
    ids=lambda warp: "+".join(part.name for part in warp.parts),
)
def test_the_chart_of_a_chain_gives_the_same_deformation_back(warp: Warp) -> None:
    warp = warp.on(FRAME)
    map = warp.map(thetas(warp))
    torch.testing.assert_close(warp.map(warp.theta(map)).pull(POINTS), map.pull(POINTS), atol=1e-9, rtol=0)
