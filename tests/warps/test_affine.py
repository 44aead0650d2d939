"""Affine families: the published order of factors, human columns, signs, and means."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.pictures import smooth_noise
from tests.warps.affine_maps import FRAME, WARP, random_maps, rotation
from unwarp.errors import ConfigError, DataError
from unwarp.warps import Affine2d, AffineMap, Rigid2d, Similarity2d, Warp, translation
from unwarp.warps.affine_map import affine_part


def test_affine_follows_published_order() -> None:
    """In pixels of a frame that is not square, push is R G S p + t."""
    angle, log_x, log_y, k, shift_x, shift_y = theta = (0.4, 0.3, -0.2, 0.35, 0.5, -0.25)
    r = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    g, s = np.array([[1, k], [0, 1]]), np.diag(np.exp([log_x, log_y]))
    half_size = np.array([16.0, 12.0])
    points = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    expected = (points * half_size) @ (r @ g @ s).T + np.array([shift_x, shift_y]) * half_size
    map = WARP.map(torch.tensor([theta], dtype=torch.float64))
    observed = map.push(torch.as_tensor(points))[0].numpy() * half_size
    np.testing.assert_allclose(observed, expected, atol=1e-12)


def test_affine_summary_has_human_units() -> None:
    """The columns hold the degrees, factors and pixels that theta was set to."""
    theta = torch.tensor(
        [[math.radians(30), math.log(1.5), math.log(0.8), 0.5, 0.25, -0.5]], dtype=torch.float64
    )
    columns = {f.name: float(column) for f, column in WARP.summary(WARP.map(theta)).items()}
    linear = {
        "rotation_deg": 30,
        "scale_x": 1.5,
        "scale_y": 0.8,
        "shear_deg": math.degrees(math.atan(0.5)),
    }
    assert columns == pytest.approx(linear | {"shift_x_px": 4.0, "shift_y_px": -6.0})


def test_ranges_of_columns_are_those_of_theta() -> None:
    """At the end of the range of a parameter, its human column is at the end of its own."""
    warp = Affine2d(size=(24, 32), rotation=30, scale=1.4, shear=0.5, shift=0.5)
    names = ("rotation_deg", "scale_x", "scale_y", "shear_deg", "shift_x_px", "shift_y_px")
    theta = torch.diag(torch.tensor([factor.high for factor in warp.factors]))
    columns = {factor.name: (factor, x) for factor, x in warp.summary(warp.map(theta)).items()}
    for row, name in enumerate(names):
        factor, values = columns[name]
        assert float(values[row]) == pytest.approx(factor.high, rel=1e-5), name


def test_similarity_is_affine_without_shear() -> None:
    """A similarity equals the affine map with two equal scales and no shear."""
    similarity = Similarity2d().bind(FRAME)
    theta = torch.tensor([[0.3, 0.2, 0.1, -0.4]], dtype=torch.float64)
    affine_theta = torch.tensor([[0.3, 0.2, 0.2, 0.0, 0.1, -0.4]], dtype=torch.float64)
    torch.testing.assert_close(
        similarity.map(theta).push(torch.eye(2).double()),
        WARP.map(affine_theta).push(torch.eye(2).double()),
    )


def test_similarity_theta_is_projection() -> None:
    """No theta nearby gives a matrix nearer to that of an affine map."""
    similarity = Similarity2d(size=(32, 32))
    theta = similarity.theta(random_maps(1))
    target = random_maps(1).matrix.flatten()

    def distance(change: Tensor) -> float:
        return float((similarity.map(theta + change).matrix.flatten() - target).square().sum())

    assert all(distance(torch.zeros(4)) <= distance(1e-2 * torch.randn(4)) for _ in range(20))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_rotation_is_counter_clockwise(quarters: int) -> None:
    """Positive quarter turns agree with those of NumPy, counter-clockwise as seen."""
    x = smooth_noise(1, (20, 20)).double()
    turned = rotation(90 * quarters, Affine2d(rotation=180).bind((20, 20)))(x)
    np.testing.assert_allclose(turned[0, 0], np.rot90(x[0, 0], quarters), atol=1e-9)


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


def test_rigid_is_similarity_of_scale_one() -> None:
    """A rigid map equals the similarity of scale 1, and its summary has no scale."""
    rigid, similarity = Rigid2d(size=FRAME), Similarity2d(size=FRAME)
    theta = torch.tensor([[0.3, 0.1, -0.4]], dtype=torch.float64)
    similarity_theta = torch.tensor([[0.3, 0.0, 0.1, -0.4]], dtype=torch.float64)
    torch.testing.assert_close(rigid.map(theta).matrix, similarity.map(similarity_theta).matrix)
    assert [f.name for f in rigid.summary(rigid.map(theta))] == [
        "rotation_deg",
        "shift_x_px",
        "shift_y_px",
    ]


@pytest.mark.parametrize("linear", [[-1.0, 1.0], [1.0, -2.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
def test_affine_theta_refuses_reflections(linear: list[float]) -> None:
    """A map without theta is refused by its row, instead of NaN for it."""
    shift = torch.zeros(1, 2, 1)
    matrix = torch.cat([torch.tensor(linear).diag()[None], shift], -1)
    upright = torch.cat([torch.eye(2)[None], shift], -1)
    with pytest.raises(DataError, match=r"map 1 has scale_y=.*positive determinant"):
        WARP.theta(AffineMap(torch.cat([upright, matrix])))
    assert torch.isfinite(WARP.theta(AffineMap(upright))).all()


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


def test_similarity_theta_of_affine_maps() -> None:
    """Of a map with two scales, it has the mean of both as scale, and no angle of its own."""
    similarity = Similarity2d().bind(FRAME)
    theta = torch.tensor([[0.0, math.log(2.0), math.log(1.0), 0.0, 0.1, 0.2]]).double()
    expected = torch.tensor([[0.0, math.log(1.5), 0.1, 0.2]]).double()
    torch.testing.assert_close(similarity.theta(WARP.map(theta)), expected)


def test_theta_of_a_flipped_map_can_train() -> None:
    """A map that requires gradients is not checked, since a check waits for the device."""
    matrix = torch.tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], requires_grad=True)
    assert WARP.theta(AffineMap(matrix)).shape == (1, 6)


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
