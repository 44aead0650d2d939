"""`LagSearch` in models: exact lags, in any door and after any storage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.models.lags.recordings import delayed, deviations, periodic
from unwarp import AE, VAE, train
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.models import Net
from unwarp.models.lags.search import LagSearch, lag_family
from unwarp.models.store import load, save
from unwarp.warps import Chain, CosineTime, Gain, TimeAffine, TimeShift

RECIPE = AE(
    warp=TimeShift(), start="search", n_content=2, views=0.0, padding="border",
    net=Net("mlp", (8,), (8,)),
)  # fmt: skip


def lags_of(search: LagSearch, x: torch.Tensor) -> torch.Tensor:
    """Lags (N,) of series in time steps."""
    return (x.shape[-1] - 1) * search.warp.theta(search(x))[:, 0]


def test_training_remembers_estimates() -> None:
    """In training a series is searched once, and its estimate is that of a new search."""
    x = torch.randn(6, 1, 60, generator=torch.Generator().manual_seed(0)).cumsum(-1)
    search = LagSearch((1, 60), TimeShift(size=(60,)))
    search.fit(x)
    points = torch.linspace(0, 1, 5)[:, None]
    expected = search.eval()(x).push(points)
    search.train()
    first = search(x[:4]).push(points)
    torch.testing.assert_close(torch.cat([first, search(x).push(points)[4:]]), expected)
    assert len(search._estimates) == 6 and len(search.eval()._estimates) == 0


@pytest.mark.parametrize("kind", ["plain", "levels", "channels", "gaps", "ends", "noise"])
def test_lags_are_exact(kind: str) -> None:
    """Where nothing else moved, lags are exact, also of new series."""
    x, lags = delayed(n=36, noise=0.2 if kind == "noise" else 0.05)
    if kind == "levels":
        x = x * torch.linspace(0.5, 3, 36)[:, None, None] + torch.linspace(-2, 2, 36)[:, None, None]
    if kind == "channels":
        x = torch.cat([x[..., 7:], 0.5 - 2 * x[..., :-7]], 1)
    for i in range(36 if kind in ("gaps", "ends") else 0):
        start = (31 * i) % 80 if kind == "gaps" else 70 + i
        x[i, :, start : start + 25 if kind == "gaps" else None] = torch.nan
    search = LagSearch((x.shape[1], x.shape[2]), TimeShift(size=(x.shape[2],)))
    search.fit(x[:24])
    assert deviations(lags_of(search, x), lags).max() < 1e-3


def test_lags_between_steps_are_found() -> None:
    """Lags that are no whole steps come within a tenth of a step."""
    x, lags = delayed(n=24, noise=0.01)
    share = torch.linspace(0, 1, 24)
    between = torch.stack(
        [torch.lerp(row[..., 1:], row[..., :-1], s) for row, s in zip(x, share, strict=True)]
    )
    search = LagSearch((1, 119), TimeShift(size=(119,)))
    search.fit(between)
    assert search.has_fractions and deviations(lags_of(search, between), lags + share).max() < 0.1


def test_phases_are_within_half_a_period() -> None:
    """Lags of periodic series are circular, and the period is told."""
    x, phase = periodic()
    search = LagSearch((1, 120), TimeShift(size=(120,), sampling_rate=10.0))
    assert "repeat every 3 s" in search.fit(x)[1] and search.is_circular
    cycles = lags_of(search, x) / search.period
    assert cycles.abs().max() <= 0.5
    turns = torch.exp(2j * torch.pi * (cycles - phase))
    assert (turns / turns.mean()).angle().abs().max() / (2 * torch.pi) < 0.01


def test_search_is_the_identity_at_first() -> None:
    """Before `fit` nothing moves, and a search that is fitted keeps its templates."""
    x, _ = delayed()
    search = LagSearch((1, 120), TimeShift(size=(120,)))
    assert len(search(x)) == 24 and not search(x).parts
    search.fit(x)
    values = search.values.clone()
    assert search.fit(x.flip(-1)) == () and torch.equal(values, search.values)


def test_training_fits_the_search(tmp_path: Path) -> None:
    """`train` fits the search, no network changes the lags, and a saved model has them."""
    x, lags = delayed()
    model = RECIPE.build((1, 120))
    assert not list(model.encoder.rungs)
    train(model, RECIPE.players(model), Dataset(x), steps=2, device="cpu")
    latent = model.embed(x)
    theta = model.chart.theta(latent.map)
    assert deviations(119 * theta[:, 0], lags).max() < 1e-3
    assert abs(float(theta.mean())) < 1e-6  # centred
    save(model, RECIPE, tmp_path / "model")
    again = load(tmp_path / "model")[0].embed(x)
    assert torch.equal(model.chart.theta(again.map), theta)


def test_stochastic_families_keep_a_stage() -> None:
    """A family that needs a density over the lag has a stage after the search."""
    recipe = VAE(warp=TimeShift(), start="search", net=Net("mlp", (8,), (8,)))
    assert len(list(recipe.build((1, 40)).encoder.rungs)) > 0


@pytest.mark.parametrize("warp", [CosineTime(), Chain(CosineTime(), Gain())])
def test_search_needs_a_warp_of_lags(warp: CosineTime | Chain) -> None:
    """A warp that holds no lag is refused, with the mend."""
    assert lag_family(warp) is None and lag_family(TimeAffine()) is not None
    with pytest.raises(ConfigError, match=r"start='search' needs a warp of lags.*'learned'"):
        AE(warp=warp, start="search").build((1, 40))
    with pytest.raises(ConfigError, match=r"whole series, got crop=0\.5; set crop=1"):
        replace(RECIPE, crop=0.5).build((1, 40))
    assert RECIPE.without_warp().build((1, 40)).encoder.start.kind == "learned"


def test_smooth_warps_begin_with_the_lag() -> None:
    """In a chain the search finds the lag, which stays, and theta has both parts."""
    x, lags = delayed()
    recipe = replace(RECIPE, warp=Chain(CosineTime(), TimeShift()))
    model = recipe.build((1, 120))
    train(model, recipe.players(model), Dataset(x), steps=1, device="cpu")
    theta = model.chart.theta(model.embed(x).map)
    assert deviations(119 * theta[:, -1], lags).max() < 0.2
    map = model.chart.map(theta)
    points = torch.linspace(0, 1, 9)[:, None]
    torch.testing.assert_close(map.pull(points), model.embed(x).map.pull(points), atol=1e-4, rtol=0)


def test_gaps_of_masks_do_not_count() -> None:
    """Inputs with mask channels give the lags of series with gaps."""
    x, _ = delayed()
    x[:, :, 40:60] = torch.nan
    search = LagSearch((1, 120), TimeShift(size=(120,)), has_masks=True)
    search.fit(x)
    masked = torch.cat([x.nan_to_num(9.0), torch.isfinite(x).float()], 1)
    alone = LagSearch((1, 120), TimeShift(size=(120,)))
    alone.load_state_dict(search.state_dict())
    assert torch.equal(lags_of(search, masked), lags_of(alone, x))
