"""Families of monotone time: closed forms, human columns, means, free ends, projections."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp.errors import ConfigError
from unwarp.warps import (
    Chain,
    CosineTime,
    CpabTime,
    Displacement2d,
    MonotoneTime,
    SoftmaxTime,
    SplineTime,
    SquareTime,
    TimeMap,
    TimeShift,
    Warp,
    Window,
    align,
)
from unwarp.warps.time import MIN_SPEED

FAMILIES: list[MonotoneTime] = [CosineTime(), SoftmaxTime(), SquareTime(), SplineTime(), CpabTime()]
LINE = torch.linspace(0, 1, 65, dtype=torch.float64)[:, None]


def random_theta(
    warp: Warp, n: int = 6, seed: int = 0, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Random parameters (n, P) in the box of the family."""
    raw = torch.randn(
        n, len(warp.factors), dtype=dtype, generator=torch.Generator().manual_seed(seed)
    )
    return warp.constrain(raw)


def columns(warp: Warp, map: Any) -> dict[str, Tensor]:
    """Human columns of a map by name."""
    return {factor.name: column for factor, column in warp.summary(map).items()}


@pytest.fixture(params=FAMILIES, ids=lambda warp: warp.name)
def family(request: pytest.FixtureRequest) -> MonotoneTime:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_monotone_speed_is_positive(family: MonotoneTime, dtype: torch.dtype) -> None:
    """No speed is below `MIN_SPEED`, and both ends of the series stay, for any theta."""
    raw = 5 * torch.randn(
        200, len(family.factors), dtype=dtype, generator=torch.Generator().manual_seed(0)
    )
    gamma = family.map(family.constrain(raw)).pull(LINE.to(dtype))[..., 0]
    assert (gamma.diff() >= 0.99 * MIN_SPEED / 64).all()
    ends = torch.tensor([0.0, 1.0], dtype=dtype).expand(200, 2)
    torch.testing.assert_close(gamma[:, [0, -1]], ends, atol=1e-6, rtol=0)


def test_time_summary_of_two_speeds() -> None:
    """Half speed up to the middle and 1.5 after it have a mean lag of an eighth."""
    map = TimeMap(torch.tensor([[0.0, 0.5, 1.0]]), torch.tensor([[0.0, 0.25, 1.0]]))
    summary = columns(CosineTime(sampling_rate=10.0).bind((41,)), map)
    assert float(summary["lag_s"]) == pytest.approx(0.125 * 4, abs=1e-6)
    assert (float(summary["speed_min"]), float(summary["speed_max"])) == pytest.approx(
        (0.5, 1.5), abs=1e-4
    )
    assert float(summary["acceleration"]) == pytest.approx(1.0 * 64 / 4, abs=1e-2)


def test_monotone_mean_averages_log_speed(family: MonotoneTime) -> None:
    """The mean map has the mean log speed; that of opposite thetas or equal maps is exact."""
    warp = SoftmaxTime(cells=4)
    theta = torch.tensor([[1.0, 0.0, -1.0], [0.0, 0.5, 1.0]]).double()
    logs = (warp.map(theta).pull(LINE[::16])[..., 0].diff() * 4).log()
    mean = (warp.mean(warp.map(theta)).pull(LINE[::16])[..., 0].diff() * 4).log()
    torch.testing.assert_close(
        mean - mean[:, :1], (logs - logs[:, :1]).mean(0, keepdim=True), atol=2e-3, rtol=0
    )
    opposite = CosineTime().map(
        torch.cat([random_theta(CosineTime()), -random_theta(CosineTime())])
    )
    torch.testing.assert_close(CosineTime().mean(opposite).pull(LINE)[0], LINE, atol=1e-12, rtol=0)
    equal = family.map(random_theta(family, 1).expand(5, -1))
    torch.testing.assert_close(
        family.mean(equal).pull(LINE), equal[:1].pull(LINE), atol=1e-8, rtol=0
    )


def test_theta_projects_other_families(family: MonotoneTime) -> None:
    """Theta of a smooth map of another family gives a map near it."""
    smooth = CosineTime(waves=3).map(0.7 * random_theta(CosineTime(waves=3)))
    projected = family.map(family.theta(smooth))
    distance = (smooth.pull(LINE) - LINE).abs().max()
    assert (projected.pull(LINE) - smooth.pull(LINE)).abs().max() < 0.02 < distance / 4


def test_theta_of_products_in_float32(family: MonotoneTime) -> None:
    """Theta of a product is nearly the same in single and double precision."""
    theta = 0.5 * random_theta(family)
    products = (
        family.map(theta.to(dtype)).compose(family.map(theta.flip(0).to(dtype)))
        for dtype in (torch.float32, torch.float64)
    )
    single, double = (family.theta(map) for map in products)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, atol=5e-3, rtol=0)


def test_free_ends_place_cut_recordings() -> None:
    """A recording of the template times 0.1 to 0.8 has a lag of 0.05 and a tempo of 0.7."""
    warp = CosineTime(free_ends=True)
    cut = TimeMap(*torch.tensor([[[0.0, 1.0]], [[0.1, 0.8]]], dtype=torch.float64))
    theta = warp.theta(cut)
    torch.testing.assert_close(theta[0, :16], torch.zeros(16).double(), atol=1e-9, rtol=0)
    np.testing.assert_allclose(theta[0, 16:], [0.05, math.log(0.7)], atol=1e-12)
    torch.testing.assert_close(warp.map(theta).pull(LINE), cut.pull(LINE), atol=1e-12, rtol=0)
    assert [f.name for f in warp.factors[16:]] == ["lag", "log_tempo"]


def test_recentred_theta_is_exact(family: MonotoneTime) -> None:
    """Theta of the centred family gives centred maps of one stage without loss."""
    map = family.map(random_theta(family, seed=3))
    anchor = family.mean(map)
    centred, chart = map.compose(anchor.invert()), family.recentre(anchor)
    torch.testing.assert_close(
        chart.map(chart.theta(centred)).pull(LINE), centred.pull(LINE), atol=1e-6, rtol=0
    )
    x = torch.sin(20 * Window.frame((128,)).lattice(LINE).mT).expand(6, 1, -1)
    aligned = align(x, chart.map(chart.theta(centred)))
    torch.testing.assert_close(aligned, align(x, centred), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CosineTime(waves=64), "waves=64"),
        (lambda: CosineTime(bound=4.0), "bound=4.0"),
        (lambda: CosineTime(reach=0.0), "reach=0.0"),
        (lambda: CosineTime(sampling_rate=0.0), "rate=0.0"),
        (lambda: SoftmaxTime(cells=1), "cells=1"),
        (lambda: SoftmaxTime(reach=-1.0), "reach=-1.0"),
        (lambda: SquareTime(reach=1.0), "reach=1.0"),
        (lambda: SplineTime(bins=7), "bins=7"),
        (lambda: SplineTime(reach=0.0), "reach=0.0"),
        (lambda: CpabTime(pieces=5), "pieces=5"),
        (lambda: CpabTime(reach=0.0), "reach=0.0"),
        (lambda: TimeShift(reach=0.0), "reach=0.0"),
        (lambda: TimeShift().from_columns({"speed": torch.zeros(1)}), "lag"),
        (lambda: Chain(Displacement2d(), CosineTime()), "only then"),
    ],
)
def test_time_warps_refuse_bad_arguments(make: Any, words: str) -> None:
    """An argument out of bounds is refused by its name and value."""
    with pytest.raises(ConfigError, match=words):
        make()


def test_duration_counts_steps_between() -> None:
    """T steps have T - 1 intervals, at least one; a rate turns them into seconds."""
    for size, rate, duration in ((41, None, 40), (41, 10.0, 4), (2, 4.0, 0.25), (1, 4.0, 0.25)):
        assert TimeShift(size=(size,), sampling_rate=rate).duration == duration


def test_least_cells_and_rates_are_allowed() -> None:
    """Two cells are the least, and any positive rate is one."""
    assert SoftmaxTime(cells=2, sampling_rate=1e-9).cells == 2
    for rate in (0.0, -1.0, math.nan):
        with pytest.raises(ConfigError, match=f"sampling_rate={rate} is not "):
            SoftmaxTime(sampling_rate=rate)


def test_free_ends_have_documented_bounds() -> None:
    """The lag is at most a quarter of the series, and the tempo at most a factor of 1.5."""
    lag, tempo = SquareTime(free_ends=True).factors[-2:]
    assert (lag.low, lag.high) == (-0.25, 0.25)
    assert (math.exp(tempo.low), math.exp(tempo.high)) == pytest.approx((1 / 1.5, 1.5))
    assert not {"lag", "log_tempo"} & {factor.name for factor in SquareTime().factors}


def test_slow_maps_of_others_have_theta(family: MonotoneTime) -> None:
    """A map that stands still for a while, outside every family, has a finite theta."""
    stop = TimeMap(*torch.tensor([[[0.0, 0.4, 0.6, 1.0]], [[0.0, 0.5, 0.5, 1.0]]]).double())
    theta = family.theta(stop)
    assert theta.isfinite().all()
    assert (family.map(theta).pull(LINE) - stop.pull(LINE)).abs().max() < 0.15


def test_summary_ranges_of_time() -> None:
    """The lag is at most half the series; speeds and their reciprocals have one bound."""
    warp = CosineTime(size=(41,), sampling_rate=10.0)
    ranges = {f.name: (f.low, f.high) for f in warp.summary(warp.map(torch.zeros(1, 16)))}
    limit = math.exp(2.5)
    assert ranges["lag_s"] == (-2, 2) and ranges["acceleration"] == (0, limit * 64 / 4)
    assert ranges["speed_min"] == ranges["speed_max"] == (1 / limit, limit)
    shift = TimeShift(size=(41,))
    speeds = {f.name: (f.low, f.high) for f in shift.summary(shift.map(torch.zeros(1, 1)))}
    assert speeds["speed_min"] == (0.25, 4.0) and speeds["lag_samples"] == (-20, 20)
