"""The affine families: bounds of their ranges, human columns, and means."""

from __future__ import annotations

import math

import pytest
import torch

from tests.warps.affine_maps import FRAME
from unwarp.errors import ConfigError
from unwarp.warps import Affine2d, Rigid2d, Similarity2d, Warp, translation
from unwarp.warps.affine_map import affine_part


@pytest.mark.parametrize("family", [Affine2d, Similarity2d])
@pytest.mark.parametrize(
    "arguments", [{"rotation": -1.0}, {"rotation": 181.0}, {"scale": 0.9}, {"scale": -2.0}]
)
def test_affine_refuses_bad_ranges(
    family: type[Affine2d | Similarity2d], arguments: dict[str, float]
) -> None:
    """A range out of bounds is refused by the name of its argument."""
    with pytest.raises(ConfigError, match=next(iter(arguments))):
        family(**arguments)  # type: ignore[arg-type]


def test_affine_refuses_negative_ranges() -> None:
    """A negative range is refused with the argument and its value."""
    with pytest.raises(ConfigError, match=r"range is negative in .*shift=-1\.0"):
        Rigid2d(shift=-1.0)


def test_ranges_of_zero_are_fixed_columns() -> None:
    """A shift or a shear of 0 is allowed, and its column is 0 for any output of a network."""
    warp = Affine2d(shift=0.0, shear=0.0, rotation=180.0, scale=1.0001)
    theta = warp.constrain(torch.full((1, 6), 9.0))
    assert theta[0, 3:].tolist() == [0.0, 0.0, 0.0] and warp.factors[0].periodic
    assert not Affine2d(rotation=179.9).factors[0].periodic


@pytest.mark.parametrize("family", [Affine2d, Similarity2d])
def test_mean_angle_is_circular(family: type[Affine2d | Similarity2d]) -> None:
    """The mean of 170 and -170 degrees is 180 degrees, not 0."""
    warp = family(rotation=90).bind(FRAME)
    theta = torch.zeros(2, len(warp.factors))
    theta[:, 0] = torch.tensor([math.radians(170), math.radians(-170)])
    mean = next(iter(warp.summary(warp.mean(warp.map(theta))).values()))
    assert float(mean.abs()) == pytest.approx(180, abs=1e-3)


@pytest.mark.parametrize("family", [Affine2d, Similarity2d])
def test_full_circle_has_no_mean_angle(family: type[Affine2d | Similarity2d]) -> None:
    """With all angles allowed the mean angle is 0, and the other columns have their means."""
    warp = family(rotation=180).bind(FRAME)
    theta = torch.full((3, len(warp.factors)), 0.2)
    mean = warp.theta(warp.mean(warp.map(theta)))
    linear = slice(0, -2)  # all columns but the shifts
    expected = torch.full_like(mean, 0.2).index_fill(1, torch.tensor(0), 0.0)
    torch.testing.assert_close(mean[:, linear], expected[:, linear])
    centred = warp.map(theta).compose(warp.mean(warp.map(theta)).invert())
    torch.testing.assert_close(warp.theta(centred)[:, -2:], torch.zeros(3, 2), atol=1e-6, rtol=0)
    assert warp.factors[0].periodic and next(iter(warp.summary(warp.map(theta)))).periodic


@pytest.mark.parametrize("family", [Affine2d, Rigid2d, Similarity2d])
def test_full_circle_mean_finds_centre(
    family: type[Affine2d | Rigid2d | Similarity2d],
) -> None:
    """Objects off the middle that turn by all angles are brought to the middle by centring."""
    warp = family(rotation=180).bind(FRAME)
    generator = torch.Generator().manual_seed(0)
    theta = torch.rand(64, len(warp.factors), generator=generator, dtype=torch.float64)
    theta = (2 * theta - 1) * 0.3
    theta[:, 0] = torch.arange(64) * math.pi / 32 - math.pi
    theta[:, -2:] = 0
    turned = warp.map(theta)
    off_middle = turned.compose(translation(torch.tensor([[0.2, -0.1]], dtype=torch.float64)))
    centred = off_middle.compose(warp.mean(off_middle).invert())
    torch.testing.assert_close(warp.theta(centred)[:, -2:], theta[:, -2:])
    # the mean shift alone would not tell the centre
    assert float(warp.theta(off_middle)[:, -2:].mean(0).abs().max()) < 0.05


@pytest.mark.parametrize("family", [Affine2d, Rigid2d, Similarity2d])
def test_affine_columns_lead_back(family: type[Affine2d | Rigid2d | Similarity2d]) -> None:
    """Theta comes back from the human columns; missing ones are named with all that it needs."""
    warp = family().bind(FRAME)
    raw = torch.randn(4, len(warp.factors), generator=torch.Generator().manual_seed(2)).double()
    theta = warp.constrain(raw)
    columns = {f.name: column for f, column in warp.summary(warp.map(theta)).items()}
    torch.testing.assert_close(warp.from_columns(columns), theta)
    for name in columns:
        rest = {key: value for key, value in columns.items() if key != name}
        with pytest.raises(ConfigError, match=f"columns {name} are missing; {warp.name!r} needs"):
            warp.from_columns(rest)


@pytest.mark.parametrize(
    "warp",
    [Rigid2d(rotation=0), Similarity2d(rotation=0, scale=1), Affine2d(0.0, scale=1, shear=0)],
)
def test_translations_are_a_family(warp: Warp) -> None:
    """With all other factors off, maps, their products and all columns but shifts stay fixed."""
    warp = warp.bind((20, 30))
    first, second = (warp.sample(6, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    product = affine_part(first.compose(second)).matrix
    torch.testing.assert_close(product[..., :2], torch.eye(2).expand(6, 2, 2))
    theta, n_fixed = warp.theta(first.compose(second)), len(warp.factors) - 2
    torch.testing.assert_close(theta[:, :n_fixed], torch.zeros(6, n_fixed))
    torch.testing.assert_close(theta[:, n_fixed:], product[..., 2])


def test_factor_that_is_off_is_projected() -> None:
    """Theta of any other map has no rotation and no scale if these are off."""
    map = Affine2d().sample(5, torch.Generator().manual_seed(0))
    assert (Similarity2d(rotation=0).theta(map)[:, 0] == 0).all()
    assert (Similarity2d(scale=1).theta(map)[:, 1] == 0).all()
    assert (Rigid2d(rotation=0).theta(map)[:, 0] == 0).all()
