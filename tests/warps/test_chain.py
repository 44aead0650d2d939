"""Chains: the order of their columns, and the chains that are refused."""

from __future__ import annotations

import pytest
import torch

from tests.warps.chains import CHAIN, FRAME, POINTS, thetas
from unwarp.errors import ConfigError
from unwarp.warps import (
    Affine2d,
    Chain,
    Displacement2d,
    Identity,
    Similarity2d,
    Warp,
    warp_named,
)


def test_chain_factors_have_prefixes() -> None:
    """Columns come in the order of the arguments, named after their warp."""
    names = [f.name for f in CHAIN.factors]
    assert len(names) == 2 * 9 + 6
    assert all(name.startswith("displacement_") for name in names[:18])
    assert names[18:] == [f"affine_{f.name}" for f in Affine2d().factors]
    assert [f.half_range for f in CHAIN.factors[18:]] == [f.half_range for f in Affine2d().factors]


def test_chain_applies_first_link_first() -> None:
    """The first warp acts on the template first, so it pulls last."""
    theta = thetas(CHAIN)
    residual, affine = CHAIN.links[0].map(theta[:, :18]), CHAIN.links[1].map(theta[:, 18:])
    torch.testing.assert_close(CHAIN.map(theta).pull(POINTS), residual.pull(affine.pull(POINTS)))


def test_chain_summary_has_last_link_first() -> None:
    """The pose comes before the residual in the human columns."""
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
def test_chain_refuses_ambiguous_links(links: tuple[Warp, ...]) -> None:
    """Links that theta would not determine are refused."""
    with pytest.raises(ConfigError, match="only then does theta describe the deformation"):
        Chain(*links)


def test_chain_refuses_other_objects() -> None:
    """A link is a warp, and a size a tuple."""
    for link in (None, "affine", Affine2d):
        with pytest.raises(ConfigError, match=r"^links=.* is no warp; give warps"):
            Chain(Displacement2d(2), link)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="size=3"):
        Chain(Displacement2d(2), Affine2d(), size=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["displacement+similarity", "displacement+affine"])
def test_chain_theta_gives_same_map(name: str) -> None:
    """Theta of a chain's map gives the same deformation again."""
    warp = warp_named(name).bind(FRAME)
    map = warp.map(thetas(warp))
    torch.testing.assert_close(
        warp.map(warp.theta(map)).pull(POINTS), map.pull(POINTS), atol=1e-9, rtol=0
    )
