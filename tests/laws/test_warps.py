"""The contract of every family of warps: signs, boxes, theta, summaries and means."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from tests.laws.warps import (
    FRAME,
    WARPS,
    N,
    assert_equal_maps,
    points_of,
    random_theta,
    samples,
)
from tests.pictures import centre_of_mass, dot
from unwarp.core import Factor
from unwarp.warps import Warp, Window

IDENTITY_VALUE_OF_UNIT = {
    "sd": 0.0,
    "range": 0.0,
    "deg": 0.0,
    "px": 0.0,
    "factor": 1.0,
    "samples": 0.0,
    "1/samples": 0.0,
    "": 0.0,
}

PLANAR = [name for name, warp in WARPS.items() if warp.factors and warp.domain == "image"]
TEMPORAL = [name for name, warp in WARPS.items() if warp.domain == "series" and name != "gain"]


@pytest.fixture(params=WARPS)
def warp(request: pytest.FixtureRequest) -> Warp:
    """Each family and each variant, bound to a size."""
    return WARPS[request.param]


def test_zero_is_the_identity(warp: Warp) -> None:
    """A network output of 0 gives the identity, on points and on samples."""
    raw = torch.zeros(N, len(warp.factors), dtype=torch.float64)
    identity, points = warp.map(warp.constrain(raw)), points_of(warp)
    torch.testing.assert_close(identity.pull(points), points.expand(N, -1, -1), atol=1e-12, rtol=0)
    torch.testing.assert_close(identity(samples(warp)), samples(warp), atol=1e-12, rtol=0)


def test_centring_keeps_all_rows(warp: Warp) -> None:
    """Maps with the mean divided out have as many rows as before, and a theta."""
    map = warp.map(random_theta(warp))
    centred = map.compose(warp.mean(map).invert())
    assert len(centred) == N
    assert warp.theta(centred).shape == (N, len(warp.factors))


def test_theta_of_map_is_theta(warp: Warp) -> None:
    """The chart returns the parameters that a map was built from."""
    theta = random_theta(warp)
    chart = warp.theta(warp.map(theta))
    assert chart.shape == theta.shape
    torch.testing.assert_close(chart.double(), theta, atol=1e-9, rtol=0)


def test_theta_gradients_are_right(warp: Warp) -> None:
    """Gradients of the chart agree with finite differences, as the prior needs them."""
    theta = (0.7 * random_theta(warp, 1)).requires_grad_(len(warp.factors) > 0)
    inner = warp.map(0.5 * random_theta(warp, 1, seed=1))
    if warp.factors:
        assert gradcheck(lambda theta: warp.theta(warp.map(theta)), theta)
    if warp.factors and warp.name != "time-cpab":
        assert gradcheck(lambda theta: warp.theta(warp.map(theta).compose(inner)), theta)


def test_warps_have_no_weights(warp: Warp) -> None:
    """Neither a family nor its maps are modules or hold parameters."""

    def tensors(item: object) -> list[Tensor]:
        if isinstance(item, Tensor):
            return [item]
        if isinstance(item, tuple):
            return [t for part in item for t in tensors(part)]
        return (
            [t for f in fields(item) for t in tensors(getattr(item, f.name))]
            if is_dataclass(item)
            else []
        )

    map = warp.map(random_theta(warp))
    contents = tensors(warp) + tensors(map)
    assert not isinstance(warp, nn.Module) and not isinstance(map, nn.Module)
    assert not any(isinstance(t, nn.Parameter) or t.requires_grad for t in contents)


@pytest.mark.parametrize("axis", [0, 1], ids="xy")
@pytest.mark.parametrize("name", PLANAR)
def test_sign_law_of_pictures(name: str, axis: int) -> None:
    """A shift of +0.5 moves a dot of the template to +0.5."""
    warp = WARPS[name]
    columns = [i for i, f in enumerate(warp.factors) if re.search(rf"shift_{'xy'[axis]}$", f.name)]
    columns = columns or [
        i for i, f in enumerate(warp.factors) if re.search(rf"(^|_){'xy'[axis]}_\d+_\d+$", f.name)
    ]
    theta = torch.zeros(1, len(warp.factors))
    theta[0, columns] = 0.5
    observed = torch.zeros(2).index_fill(0, torch.tensor(axis), 0.5)
    torch.testing.assert_close(
        centre_of_mass(warp.map(theta)(dot(FRAME)))[0], observed, atol=1e-3, rtol=0
    )
    torch.testing.assert_close(
        warp.map(theta).pull(observed[None])[0, 0], torch.zeros(2), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("sign", [-1, 1], ids=["earlier", "later"])
@pytest.mark.parametrize("name", TEMPORAL)
def test_sign_law_of_time(name: str, sign: int) -> None:
    """A positive lag moves a peak of the template to a later time."""
    warp = WARPS[name]

    def lag(theta: Tensor) -> Tensor:
        summary = warp.summary(warp.map(theta))
        return next(column for f, column in summary.items() if f.name == "lag_samples")

    zero = torch.zeros(1, len(warp.factors), dtype=torch.float64, requires_grad=True)
    uphill = torch.autograd.grad(lag(zero).sum(), zero)[0].sign()
    theta = 0.1 * sign * uphill.nan_to_num() * torch.tensor([f.half_range for f in warp.factors])
    times = Window.frame((2001,)).lattice(theta)
    bump = torch.exp(-((times - 0.5) ** 2) / 2e-4).reshape(1, 1, -1)
    peak = float(times[warp.map(theta)(bump).argmax()])
    assert sign * float(lag(theta)) > 0 and sign * (peak - 0.5) > 0
    middle = torch.full((1, 1), 0.5).double()
    assert float(warp.map(theta).push(middle)) == pytest.approx(peak, abs=2e-3)


def test_constrain_fills_the_box(warp: Warp) -> None:
    """Any numbers give parameters in the box, up to its ends."""
    raw = 10 * torch.randn(200, len(warp.factors), generator=torch.Generator().manual_seed(0))
    theta = warp.constrain(raw)
    low, high = (torch.tensor([getattr(f, end) for f in warp.factors]) for end in ("low", "high"))
    assert ((theta >= low - 1e-6) & (theta <= high + 1e-6)).all()
    is_on, rim = high > 0, 0.05 * (high - low)
    assert ((theta < low + rim).any(0) & (theta > high - rim).any(0))[is_on].all()
    assert (theta[:, ~is_on] == 0).all()


def test_sample_repeats_and_fills_its_share(warp: Warp) -> None:
    """Random maps repeat by seed and fill the asked part of the box."""
    maps = [
        warp.sample(300, torch.Generator().manual_seed(seed), fraction=0.5) for seed in (0, 0, 1)
    ]
    a, b, c = (warp.theta(map) for map in maps)
    half_ranges = torch.tensor(
        [f.high * (1.0 if f.periodic or f.discrete else 0.5) for f in warp.factors]
    )
    assert a.shape == (300, len(warp.factors))
    assert torch.equal(a, b)
    assert not warp.factors or not torch.equal(a, c)
    assert (a.abs() <= half_ranges + 1e-5).all()
    assert (a.abs().amax(0) >= 0.9 * half_ranges).all()


def test_summary_of_identity_is_neutral(warp: Warp) -> None:
    """Columns have distinct names, one value per map, and neutral values at the identity."""
    columns = warp.summary(warp.map(random_theta(warp)))
    assert all(isinstance(f, Factor) and column.shape == (N,) for f, column in columns.items())
    assert len({f.name for f in columns}) == len(columns)
    identity = warp.map(torch.zeros(N, len(warp.factors)))
    for factor, column in warp.summary(identity).items():
        neutral = torch.full((N,), IDENTITY_VALUE_OF_UNIT[factor.unit])
        torch.testing.assert_close(column, neutral, atol=1e-6, rtol=0)


def test_ranges_contain_the_identity(warp: Warp) -> None:
    """Ranges of theta are symmetric about 0 or 0 to 1; those of summaries have the identity."""
    for factor in warp.factors:
        assert factor.low == -factor.high <= 0 or (factor.discrete and factor.low == 0)
        assert not factor.discrete or factor.high == 1
    for factor in warp.summary(warp.map(torch.zeros(1, len(warp.factors)))):
        neutral = IDENTITY_VALUE_OF_UNIT[factor.unit]
        is_off = factor.low == factor.high
        assert is_off or factor.low <= neutral < factor.high
        is_size = factor.name in ("acceleration", "residual_px", "mirror")
        assert is_size or is_off or factor.low < neutral


@pytest.mark.parametrize(
    "name",
    ["affine", "similarity", "rigid", "translation", "affine, mirror", "gain", "time-shift"],
)
def test_summary_ranges_are_those_of_theta(name: str) -> None:
    """At both ends of a column of theta, its summary column is at the ends of its own range."""
    warp = WARPS[name]
    for i, factor in enumerate(warp.factors):
        column = re.sub(r"^log_|_(deg|px|samples)$", "", factor.name)
        for end in ("low", "high"):
            theta = torch.zeros(1, len(warp.factors), dtype=torch.float64)
            theta[0, i] = getattr(factor, end)
            summary = warp.summary(warp.map(theta))
            pairs = {re.sub(r"_(deg|px|samples)$", "", f.name): f for f in summary}
            names = ["scale_x", "scale_y"] if column == "scale" else [column]
            for other in () if column in ("shear", "lag") else names:
                value = float(summary[pairs[other]])
                assert value == pytest.approx(getattr(pairs[other], end)), (factor, other)


def test_mean_is_one_invertible_map(warp: Warp) -> None:
    """The mean deformation has one row and an inverse."""
    mean = warp.mean(warp.map(random_theta(warp)))
    assert len(mean) == 1
    identity = warp.map(torch.zeros(1, len(warp.factors), dtype=torch.float64))
    assert_equal_maps(mean.compose(mean.invert()), identity, points_of(warp))


def test_recentred_family_has_centred_maps(warp: Warp) -> None:
    """Theta of the centred family gives the centred maps, and the anchor leads back."""
    theta = random_theta(warp, dtype=torch.float32)
    anchor = warp.mean(warp.map((theta + warp.constrain(torch.full_like(theta, 0.4))) / 2))
    centred = warp.map(theta).compose(anchor.invert())
    chart, points = warp.recentre(anchor), points_of(warp).float()
    assert_equal_maps(chart.map(chart.theta(centred)), centred, points, 1e-4)
    assert_equal_maps(centred.compose(anchor), warp.map(theta), points, 1e-4)
