"""Elastic distances agree with the recursions of their papers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp.core import Array
from unwarp.distances import ADTW, MSM, ElasticDistance
from unwarp.errors import ConfigError, DataError

Recursion = Callable[[Array, Array, float], float]
PENALTY, COST = 0.3, 0.5


def series(*shape: int, seed: int = 0) -> Tensor:
    """Random walks (N, C, T) in float64."""
    steps = np.random.default_rng(seed).normal(size=shape)
    return torch.from_numpy(steps.cumsum(-1) / 3)


def corridor(n: int, m: int, band: float) -> Array:
    """Cells within a share of the shorter length from the line between the ends."""
    if n > m:
        return corridor(m, n, band).T
    if band == 1:
        return np.ones((n, m), bool)
    i, j = np.arange(n)[:, None], np.arange(m)
    return np.abs(i - (j + 1) * n // (m + 1)) <= int(band * n)


def amerced(x: Array, y: Array, band: float) -> float:
    """ADTW of two series (C, T) by Herrmann and Webb, cell by cell."""
    inside = corridor(x.shape[1], y.shape[1], band)
    total = np.full((x.shape[1] + 1, y.shape[1] + 1), np.inf)
    total[0, 0] = 0
    for i, j in np.argwhere(inside):
        step = min(total[i, j], total[i, j + 1] + PENALTY, total[i + 1, j] + PENALTY)
        total[i + 1, j + 1] = np.square(x[:, i] - y[:, j]).sum() + step
    return float(total[-1, -1])


def split_cost(value: float, before: float, after: float) -> float:
    """The price of a split or a merge by Stefan, Athitsos and Das."""
    if before <= value <= after or before >= value >= after:
        return COST
    return COST + min(abs(value - before), abs(value - after))


def edited(x: Array, y: Array, band: float) -> float:
    """MSM of two series (C, T), the sum over channels, cell by cell."""
    if len(x) > 1:
        return sum(edited(a[None], b[None], band) for a, b in zip(x, y, strict=True))
    (x,), (y,) = x, y
    inside = corridor(len(x), len(y), band)
    total = np.full(inside.shape, np.inf)
    total[0, 0] = abs(x[0] - y[0])
    for i, j in np.argwhere(inside)[1:]:
        steps = [np.inf]
        if i and j:
            steps.append(total[i - 1, j - 1] + abs(x[i] - y[j]))
        if i:
            steps.append(total[i - 1, j] + split_cost(x[i], x[i - 1], y[j]))
        if j:
            steps.append(total[i, j - 1] + split_cost(y[j], x[i], y[j - 1]))
        total[i, j] = min(steps)
    return float(total[-1, -1])


CASES = [(ADTW, {"penalty": PENALTY}, amerced), (MSM, {"cost": COST}, edited)]


@pytest.mark.parametrize(("family", "price", "recursion"), CASES)
@pytest.mark.parametrize("band", [0.0, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_distance_is_the_recursion(
    family: type[ElasticDistance],
    price: dict[str, float],
    recursion: Recursion,
    band: float,
    channels: int,
) -> None:
    """All pairs have the cost that the paper's recursion gives, cell by cell."""
    x, y = series(4, channels, 20), series(3, channels, 20, seed=1)
    expected = [[recursion(a.numpy(), b.numpy(), band) for b in y] for a in x]
    assert family(band=band, **price)(x, y).numpy() == pytest.approx(np.array(expected))


@pytest.mark.parametrize(("family", "price", "recursion"), CASES)
@pytest.mark.parametrize("band", [0.2, 1.0])
def test_missing_ends_shorten_a_series(
    family: type[ElasticDistance], price: dict[str, float], recursion: Recursion, band: float
) -> None:
    """A series with NaN at both ends has the distances of its observed part."""
    x, y = series(3, 2, 24), series(3, 2, 18, seed=1)
    ends = [(0, 24), (2, 17), (5, 20)], [(0, 18), (1, 18), (0, 12)]
    parts = [
        [row[:, a:b].numpy() for row, (a, b) in zip(group, spans, strict=True)]
        for group, spans in zip((x, y), ends, strict=True)
    ]
    for group, spans in zip((x, y), ends, strict=True):
        for row, (a, b) in zip(group, spans, strict=True):
            row[:, :a], row[:, b:] = torch.nan, torch.nan
    expected = [[recursion(a, b, band) for b in parts[1]] for a in parts[0]]
    assert family(band=band, **price)(x, y).numpy() == pytest.approx(np.array(expected))


@pytest.mark.parametrize("distance", [ADTW(), MSM()])
def test_gaps_are_filled_linearly(distance: ElasticDistance) -> None:
    """A gap inside a series counts as the line between its neighbours."""
    x, y = series(2, 1, 30), series(2, 1, 30, seed=1)
    filled, gappy = x.clone(), x.clone()
    gappy[..., 10:14] = torch.nan
    line = torch.linspace(0, 1, 6, dtype=x.dtype)[1:-1]
    filled[..., 10:14] = x[..., 9:10] + line * (x[..., 14:15] - x[..., 9:10])
    assert torch.allclose(distance(gappy, y), distance(filled, y))


@pytest.mark.parametrize("distance", [ADTW(), MSM()])
def test_pairs_do_not_depend_on_the_batch(distance: ElasticDistance) -> None:
    """A pair alone has the distance that it has among others, of other lengths too."""
    x, y = series(5, 1, 40), series(4, 1, 40, seed=1)
    x[1, :, 30:], y[2, :, :7] = torch.nan, torch.nan
    together = distance(x, y)
    alone = torch.stack([torch.cat([distance(a[None], b[None])[0] for b in y]) for a in x])
    assert torch.allclose(together, alone)


def test_move_split_merge_is_a_metric() -> None:
    """It is symmetric, 0 from a series to itself, and obeys the triangle inequality."""
    x = series(7, 1, 25)
    d = MSM(band=1.0)(x, x)
    assert torch.allclose(d, d.T) and d.diagonal().abs().max() < 1e-12
    assert (d[:, None] <= d[:, :, None] + d[None] + 1e-9).all()


def test_band_of_zero_matches_steps() -> None:
    """Without any shift in time ADTW is the squared Euclidean distance."""
    x, y = series(3, 2, 15), series(4, 2, 15, seed=1)
    squared = torch.cdist(x.flatten(1), y.flatten(1)).square()
    assert torch.allclose(ADTW(band=0.0)(x, y), squared)
    assert torch.allclose(ADTW(band=1.0, penalty=1e6)(x, y), squared)


def test_distance_refuses_other_arrays() -> None:
    """Two axes, other channels, a series without values and odd settings are refused."""
    x = series(2, 1, 10)
    with pytest.raises(DataError, match="no series"):
        ADTW()(x[:, 0], x)
    with pytest.raises(DataError, match="channels"):
        MSM()(x, series(2, 2, 10))
    with pytest.raises(DataError, match="series 1 has no values"):
        x[1] = torch.nan
        ADTW()(x, x)
    for family, settings in ((ADTW, {"band": 2.0}), (ADTW, {"penalty": -1.0}), (MSM, {"cost": -1})):
        with pytest.raises(ConfigError):
            family(**settings)  # type: ignore[arg-type]
