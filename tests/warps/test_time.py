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


def draw(warp: Warp, n: int = 6, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    raw = torch.randn(
        n, len(warp.factors), dtype=dtype, generator=torch.Generator().manual_seed(seed)
    )
    return warp.constrain(raw)


def columns(warp: Warp, map: Any) -> dict[str, Tensor]:
    return {factor.name: column for factor, column in warp.summary(map).items()}


@pytest.fixture(params=FAMILIES, ids=lambda warp: warp.name)
def family(request: pytest.FixtureRequest) -> MonotoneTime:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_time_never_stands_still_and_keeps_its_ends(
    family: MonotoneTime, dtype: torch.dtype
) -> None:
    raw = 5 * torch.randn(
        200, len(family.factors), dtype=dtype, generator=torch.Generator().manual_seed(0)
    )
    gamma = family.map(family.constrain(raw)).pull(LINE.to(dtype))[..., 0]
    assert (gamma.diff() >= 0.99 * MIN_SPEED / 64).all()
    ends = torch.tensor([0.0, 1.0], dtype=dtype).expand(200, 2)
    torch.testing.assert_close(gamma[:, [0, -1]], ends, atol=1e-6, rtol=0)


def test_human_columns_of_a_hand_made_map() -> None:
    """Half speed up to the middle, one and a half after it: the mean of t - gamma is 1 / 8."""
    map = TimeMap(torch.tensor([[0.0, 0.5, 1.0]]), torch.tensor([[0.0, 0.25, 1.0]]))
    found = columns(CosineTime(sampling_rate=10.0).bind((41,)), map)
    assert float(found["lag_s"]) == pytest.approx(0.125 * 4, abs=1e-6)
    assert (float(found["speed_min"]), float(found["speed_max"])) == pytest.approx(
        (0.5, 1.5), abs=1e-4
    )
    assert float(found["acceleration"]) == pytest.approx(1.0 * 64 / 4, abs=1e-2)


def test_the_mean_is_that_of_log_speeds(family: MonotoneTime) -> None:
    warp = SoftmaxTime(cells=4)
    theta = torch.tensor([[1.0, 0.0, -1.0], [0.0, 0.5, 1.0]]).double()
    logs = (warp.map(theta).pull(LINE[::16])[..., 0].diff() * 4).log()
    mean = (warp.mean(warp.map(theta)).pull(LINE[::16])[..., 0].diff() * 4).log()
    torch.testing.assert_close(
        mean - mean[:, :1], (logs - logs[:, :1]).mean(0, keepdim=True), atol=2e-3, rtol=0
    )
    both = CosineTime().map(torch.cat([draw(CosineTime()), -draw(CosineTime())]))
    torch.testing.assert_close(CosineTime().mean(both).pull(LINE)[0], LINE, atol=1e-12, rtol=0)
    same = family.map(draw(family, 1).expand(5, -1))
    torch.testing.assert_close(family.mean(same).pull(LINE), same[:1].pull(LINE), atol=1e-8, rtol=0)


def test_a_map_of_another_family_is_projected(family: MonotoneTime) -> None:
    smooth = CosineTime(waves=3).map(0.7 * draw(CosineTime(waves=3)))
    near = family.map(family.theta(smooth))
    still = (smooth.pull(LINE) - LINE).abs().max()
    assert (near.pull(LINE) - smooth.pull(LINE)).abs().max() < 0.02 < still / 4


def test_float32_charts_agree_with_float64(family: MonotoneTime) -> None:
    theta = 0.5 * draw(family)
    twice = (
        family.map(theta.to(dtype)).compose(family.map(theta.flip(0).to(dtype)))
        for dtype in (torch.float32, torch.float64)
    )
    single, double = (family.theta(map) for map in twice)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, atol=5e-3, rtol=0)


def test_a_cut_recording_is_placed_in_its_template() -> None:
    """The recording shows the template's times 0.1 to 0.8: it starts later, and runs at 0.7 of the speed."""
    warp = CosineTime(free_ends=True)
    cut = TimeMap(*torch.tensor([[[0.0, 1.0]], [[0.1, 0.8]]], dtype=torch.float64))
    theta = warp.theta(cut)
    torch.testing.assert_close(theta[0, :16], torch.zeros(16).double(), atol=1e-9, rtol=0)
    np.testing.assert_allclose(theta[0, 16:], [0.05, math.log(0.7)], atol=1e-12)
    torch.testing.assert_close(warp.map(theta).pull(LINE), cut.pull(LINE), atol=1e-12, rtol=0)
    assert [f.name for f in warp.factors[16:]] == ["lag", "log_tempo"]


def test_centring_loses_nothing_for_one_stage(family: MonotoneTime) -> None:
    map = family.map(draw(family, seed=3))
    anchor = family.mean(map)
    centred, chart = map.compose(anchor.invert()), family.recentre(anchor)
    torch.testing.assert_close(
        chart.map(chart.theta(centred)).pull(LINE), centred.pull(LINE), atol=1e-6, rtol=0
    )
    x = torch.sin(20 * Window.frame((128,)).lattice(LINE).mT).expand(6, 1, -1)
    again = align(x, chart.map(chart.theta(centred)))
    torch.testing.assert_close(again, align(x, centred), atol=1e-4, rtol=0)


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
def test_what_cannot_be_is_refused_by_name(make: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()
