"""Mirrors: the order of the parts, signs, theta of reflections, and means of mirrored maps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.pictures import dot, smooth_noise
from tests.warps.affine_maps import FRAME
from unwarp.errors import DataError
from unwarp.models.codec import describe, restore
from unwarp.warps import (
    Affine2d,
    AffineMap,
    Chain,
    Displacement2d,
    Rigid2d,
    Similarity2d,
    Warp,
    to_matrix,
    translation,
    warp_named,
)
from unwarp.warps.affine_map import affine_part
from unwarp.warps.mirror import mirror_first, reflections

Family = type[Affine2d | Rigid2d | Similarity2d]
FAMILIES = [Affine2d, Rigid2d, Similarity2d]


def rng(seed: int = 0) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


def random_theta(warp: Warp, n: int = 40) -> Tensor:
    """Random parameters (n, P) in the box, float64, with and without a mirror."""
    raw = torch.randn(n, len(warp.factors), generator=rng(), dtype=torch.float64)
    return warp.constrain(raw)


def test_mirror_follows_published_order() -> None:
    """In pixels, push is R G S F p + t, on a frame that is not square."""
    angle, log_x, log_y, k, shift_x, shift_y = numbers = (0.4, 0.3, -0.2, 0.35, 0.5, -0.25)
    r = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    g, s, f = np.array([[1, k], [0, 1]]), np.diag(np.exp([log_x, log_y])), np.diag([-1, 1])
    half_size = np.array([16.0, 12.0])
    points = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    expected = (points * half_size) @ (r @ g @ s @ f).T + np.array([shift_x, shift_y]) * half_size
    map = Affine2d(mirror=True, size=FRAME).map(
        torch.tensor([[*numbers, 1.0]], dtype=torch.float64)
    )
    observed = map.push(torch.as_tensor(points))[0].numpy() * half_size
    np.testing.assert_allclose(observed, expected, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_mirror_alone_flips_pictures(family: Family) -> None:
    """A mirror without any movement exchanges left and right, exactly."""
    x, warp = smooth_noise(2, FRAME).double(), family(mirror=True).bind(FRAME)
    theta = torch.zeros(2, len(warp.factors), dtype=torch.float64)
    theta[1, -1] = 1
    np.testing.assert_allclose(warp.map(theta)(x)[1], x[1].flip(-1), atol=1e-9)
    np.testing.assert_allclose(warp.map(theta)(x)[0], x[0], atol=1e-9)


def test_mirror_comes_before_the_rotation() -> None:
    """A dot at the right goes to the left, then a quarter turn brings it to the bottom."""
    warp = Rigid2d(rotation=180, mirror=True).bind((21, 21))
    map = warp.map(torch.tensor([[math.pi / 2, 0.0, 0.0, 1.0]]))
    torch.testing.assert_close(map.push(torch.tensor([[0.5, 0.0]]))[0, 0], torch.tensor([0.0, 0.5]))
    expected = dot((21, 21), (0.0, 0.5))
    torch.testing.assert_close(map(dot((21, 21), (0.5, 0.0))), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_mirror_is_that_of_the_matrix(family: Family) -> None:
    """The column says the sign of the determinant; without a mirror nothing else changes."""
    warp, plain = family(mirror=True).bind(FRAME), family().bind(FRAME)
    theta = random_theta(warp)
    matrices = to_matrix(warp.map(theta), FRAME, "pixel")[:, :2, :2]
    assert torch.equal(torch.linalg.det(matrices) < 0, theta[:, -1] == 1)
    assert 0 < int(theta[:, -1].sum()) < len(theta)
    unmirrored = matrices * (1 - 2 * theta[:, -1])[:, None, None] ** torch.tensor([1, 0])
    expected = to_matrix(plain.map(theta[:, :-1]), FRAME, "pixel")[:, :2, :2]
    torch.testing.assert_close(unmirrored, expected)


@pytest.mark.parametrize("family", FAMILIES)
def test_mirror_family_is_a_group(family: Family) -> None:
    """Theta describes products and inverses, also of two reflections, exactly."""
    warp, points = family(mirror=True).bind(FRAME), torch.eye(2, dtype=torch.float64)
    a, b = (warp.sample(30, rng(seed), like=points) for seed in (0, 1))
    for map in (a.compose(b), a.invert()):
        torch.testing.assert_close(warp.map(warp.theta(map)).push(points), map.push(points))
    bits = [warp.theta(map)[:, -1] for map in (a, b, a.compose(b), a.invert())]
    assert torch.equal((bits[0] + bits[1]) % 2, bits[2]) and torch.equal(bits[0], bits[3])


def test_affine_mirror_knows_all_signs() -> None:
    """Any matrix but a singular one has an exact theta; without a mirror the message names it."""
    matrix = torch.randn(50, 2, 3, generator=rng(), dtype=torch.float64)
    warp, points = Affine2d(mirror=True, size=FRAME), torch.eye(2, dtype=torch.float64)
    map = AffineMap(matrix)
    torch.testing.assert_close(warp.map(warp.theta(map)).push(points), map.push(points))
    with pytest.raises(DataError, match=r"mirror=True"):
        Affine2d(size=FRAME).theta(map)
    with pytest.raises(DataError, match="singular"):
        warp.theta(AffineMap(torch.zeros(1, 2, 3)))


@pytest.mark.parametrize("family", FAMILIES)
def test_mirror_columns_lead_back(family: Family) -> None:
    """Theta comes back from the human columns, the last of which is the mirror, 0 or 1."""
    warp = family(mirror=True).bind(FRAME)
    theta = random_theta(warp)
    columns = {f.name: column for f, column in warp.summary(warp.map(theta)).items()}
    assert list(columns)[-1] == warp.factors[-1].name == "mirror"
    assert torch.equal(columns["mirror"], theta[:, -1])
    torch.testing.assert_close(warp.from_columns(columns), theta)
    plain = family().bind(FRAME)
    expected = plain.summary(plain.map(theta[:, :-1]))
    for factor, column in expected.items():
        torch.testing.assert_close(columns[factor.name], column)


@pytest.mark.parametrize("rotation", [40.0, 180.0])
@pytest.mark.parametrize("family", FAMILIES)
def test_mirror_mean_finds_the_template(family: Family, rotation: float) -> None:
    """For maps A F^m B with A around the identity, the mean is B, which keeps orientation."""
    warp = family(rotation=rotation, mirror=True).bind(FRAME)
    half = random_theta(warp) * 0.2
    half[:, -2:] = 0
    theta = torch.cat([half, -half])  # with each A its opposite, so that means are 0
    if rotation == 180:  # no direction is preferred, so that only the shift of B can be found
        theta[:, 0] = torch.arange(len(theta)) * 2 * math.pi / len(theta)
    theta = torch.cat([theta, theta])
    theta[:, -3:-1] = 0  # shifts of the observations
    theta[:, -1] = torch.arange(len(theta)) >= len(theta) / 2
    base = torch.zeros(1, len(warp.factors), dtype=torch.float64)
    base[0, 0] = 0.3 if rotation < 180 else 0
    base[0, -3:-1] = torch.tensor([0.2, -0.1])
    inner = warp.map(base)
    mean = warp.mean(warp.map(theta).compose(inner))
    points = torch.eye(2, dtype=torch.float64)
    torch.testing.assert_close(mean.push(points), inner.push(points), atol=0.012, rtol=0)
    assert float(reflections(mean)) == 0
    # a shift of the templates alone is found exactly
    shift = translation(base[:, -3:-1])
    if rotation == 180:
        mean = warp.mean(warp.map(theta).compose(shift))
        torch.testing.assert_close(affine_part(mean).matrix[..., 2], base[:, -3:-1])


def test_centred_maps_keep_their_mirror() -> None:
    """Centring changes no mirror."""
    warp = Similarity2d(mirror=True).bind(FRAME)
    map = warp.map(random_theta(warp))
    centred = map.compose(warp.mean(map).invert())
    assert torch.equal(warp.theta(centred)[:, -1], warp.theta(map)[:, -1])


def test_chain_keeps_the_mirror() -> None:
    """After a displacement, the mirror has the prefix of its link, and survives a mean."""
    warp = Chain(Displacement2d(2), Rigid2d(mirror=True)).bind(FRAME)
    theta = random_theta(warp)
    map = warp.map(theta)
    assert warp.factors[-1].name == "rigid_mirror" and warp.factors[-1].discrete
    assert torch.equal(warp.theta(map)[:, -1], theta[:, -1])
    anchor = warp.mean(map)
    centred, chart = map.compose(anchor.invert()), warp.recentre(anchor)
    assert torch.equal(chart.theta(centred)[:, -1], theta[:, -1])
    summary = {factor.name: column for factor, column in warp.summary(map).items()}
    assert torch.equal(summary["mirror"], theta[:, -1])


def test_mirror_is_off_by_default() -> None:
    """Families have no such column, and records of saved models without the field are read."""
    for name in ("affine", "rigid", "similarity"):
        warp = warp_named(name)
        assert all(factor.name != "mirror" for factor in warp.factors)
        record = describe(warp)
        assert record.pop("mirror") is False
        assert restore(record) == warp
        mirrored = restore(record | {"mirror": True})
        assert mirrored.factors[-1].discrete and restore(describe(mirrored)) == mirrored
        assert mirrored.continuous == warp and warp.continuous == warp


def test_sample_mirrors_half_of_the_time() -> None:
    """Both values are drawn equally often, whatever the share of the ranges."""
    warp = Rigid2d(mirror=True)
    for fraction in (0.1, 1.0):
        mirrors = warp.theta(warp.sample(4000, rng(), fraction))[:, -1]
        assert float(mirrors.mean()) == pytest.approx(0.5, abs=0.03)


def test_mirror_is_its_own_inverse() -> None:
    """Two mirrors are none, and maps without the column stay the same object."""
    map = Affine2d().sample(3, rng())
    mirrors = torch.tensor([[1.0], [0.0], [1.0]])
    assert isinstance(map, AffineMap)
    twice = mirror_first(mirror_first(map, mirrors), mirrors)
    assert torch.equal(twice.matrix, map.matrix)
    assert mirror_first(map, torch.zeros(3, 0)) is map
    assert torch.equal(reflections(mirror_first(map, mirrors)), mirrors)
