"""Lags and tempos: directions, closure, and human columns."""

from __future__ import annotations

import pytest
import torch

from unwarp.errors import ConfigError
from unwarp.warps import TimeAffine, align

WARP = TimeAffine(size=(101,), sampling_rate=50.0)
THETA = torch.tensor([[0.1, 0.2], [-0.2, -0.3]])
TIMES = torch.linspace(0, 1, 11)[:, None]


def test_hurried_series_have_a_tempo_above_one() -> None:
    """Two events of a hurried observation are nearer to one another than in the template."""
    events = WARP.map(THETA).push(torch.tensor([[0.4], [0.6]]))[..., 0]
    torch.testing.assert_close(events.diff()[:, 0], 0.2 / THETA[:, 1].exp())
    columns = {factor.name: value for factor, value in WARP.summary(WARP.map(THETA)).items()}
    torch.testing.assert_close(columns["tempo"], THETA[:, 1].exp())
    torch.testing.assert_close(columns["lag_s"], 2 * THETA[:, 0])


def test_products_are_in_the_family() -> None:
    """Theta of a product, or an inverse, is that of the same map."""
    first, second = WARP.map(THETA), WARP.map(THETA.flip(0) / 2)
    for map in (first.compose(second), first.invert()):
        torch.testing.assert_close(WARP.map(WARP.theta(map)).pull(TIMES), map.pull(TIMES))


def test_columns_give_theta() -> None:
    """Lag and tempo in human units determine theta; a missing one is named."""
    columns = {factor.name: value for factor, value in WARP.summary(WARP.map(THETA)).items()}
    torch.testing.assert_close(WARP.from_columns(columns), THETA)
    with pytest.raises(ConfigError, match="tempo is missing"):
        WARP.from_columns({"lag_s": torch.zeros(1)})


def test_ends_are_cut_off() -> None:
    """A series is resampled at unchanged edges; what it does not show is padding."""
    curve = torch.sin(6 * torch.linspace(0, 1, 101))[None, None]
    map = WARP.map(torch.tensor([[0.0, 0.25]]))
    observed = torch.sin(6 * map.pull(torch.linspace(0, 1, 101)[:, None]))[..., 0][:, None]
    aligned = align(observed, map, padding="zeros")
    is_shown = ((map.push(torch.linspace(0, 1, 101)[:, None]) - 0.5).abs() < 0.49)[:, None, :, 0]
    assert (aligned - curve)[is_shown].abs().max() < 1e-2


@pytest.mark.parametrize("field", [{"reach": 0.0}, {"max_tempo": 1.0}])
def test_empty_ranges_are_refused(field: dict[str, float]) -> None:
    """A range without any lag or tempo is refused."""
    with pytest.raises(ConfigError, match=next(iter(field))):
        TimeAffine(**field)
