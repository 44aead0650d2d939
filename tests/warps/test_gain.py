"""Gain and offset, alone and after a warp of time."""

from __future__ import annotations

import math

import pytest
import torch

from unwarp.errors import ConfigError
from unwarp.warps import Affine2d, Chain, CosineTime, Gain, GainMap, TimeMap, align

WARP = Chain(CosineTime(), Gain()).bind((48,))
X = torch.sin(torch.linspace(0, 9, 48)).expand(4, 2, -1).double()
THETA = WARP.constrain(
    torch.randn(4, 18, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
)


def test_gain_multiplies_then_adds() -> None:
    """Values become gain x value + offset, and the inverse undoes it."""
    map = Gain().map(torch.tensor([[math.log(2), 0.5], [0.0, -1.0]]))
    assert map(torch.ones(2, 1, 3)).tolist() == [[[2.5] * 3], [[0.0] * 3]]
    torch.testing.assert_close(map.invert()(map(X[:2].float())), X[:2].float())


def test_gain_commutes_with_time() -> None:
    """Products in either order have one normal form, the gain first."""
    time, gain = WARP.links[0].map(THETA[:, :16]), WARP.links[1].map(THETA[:, 16:])
    for product in (time.compose(gain), gain.compose(time), WARP.map(THETA)):
        assert [type(part) for part in product.parts] == [GainMap, TimeMap]
        torch.testing.assert_close(product(X), gain(time(X)))
    longer = WARP.map(THETA).compose(WARP.map(THETA.flip(0)))
    assert [type(part) for part in longer.parts] == [GainMap, TimeMap]
    first = WARP.map(THETA.flip(0))(X)
    torch.testing.assert_close(
        longer(X)[..., 5:-5], WARP.map(THETA)(first)[..., 5:-5], atol=0.05, rtol=0
    )


def test_align_undoes_time_and_gain() -> None:
    """A chain of time and gain is invertible as a whole."""
    map = WARP.map(THETA)
    assert map.is_invertible
    smooth = torch.sin(torch.linspace(0, 3, 2000)).expand(4, 1, -1).double()
    torch.testing.assert_close(align(map(smooth), map), smooth, atol=1e-3, rtol=0)


def test_gain_mean_is_geometric() -> None:
    """Gains are averaged in logs, offsets as they are."""
    mean = Gain().mean(Gain().map(torch.tensor([[math.log(2), 0.2], [math.log(0.5), 0.4]])))
    assert isinstance(mean, GainMap)
    torch.testing.assert_close(torch.stack([mean.gain, mean.offset]), torch.tensor([[1.0], [0.3]]))


def test_gain_columns_lead_back() -> None:
    """Theta comes back from the human columns; a missing one is named."""
    theta = THETA[:, 16:]
    columns = {f.name: column for f, column in Gain().summary(WARP.map(THETA)).items()}
    torch.testing.assert_close(Gain().from_columns(columns), theta)
    with pytest.raises(ConfigError, match="columns gain are missing"):
        Gain().from_columns({"offset": theta[:, 1]})


def test_gain_refuses_bad_ranges_and_chains() -> None:
    """Ranges out of bounds and chains in another order are refused."""
    for arguments in ({"most": 1.0}, {"offset": 0.0}):
        with pytest.raises(ConfigError, match=next(iter(arguments))):
            Gain(**arguments)
    for links in ((Gain(), CosineTime()), (Gain(), Gain()), (Gain(), Affine2d())):
        with pytest.raises(ConfigError, match="only then"):
            Chain(*links)


def test_gain_has_the_frame_of_its_chain() -> None:
    """After a warp of pictures a gain acts on pictures, in shares of their range."""
    warp = Chain(Affine2d(), Gain()).bind((4, 6))
    assert warp.domain == "image" and [part.size for part in warp.parts] == [(4, 6), (4, 6)]
    assert {f.name: f.unit for f in warp.factors}["gain_offset"] == "range"
    theta = torch.zeros(1, len(warp.factors))
    theta[0, -2:] = torch.tensor([2.0, 0.1]).log().where(torch.tensor([True, False]), 0.1)
    x = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(warp.map(theta)(x), 2 * x + 0.1)
