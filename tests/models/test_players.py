"""Optimisers: the learning rate over a run, and settings that are refused."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from unwarp.errors import ConfigError
from unwarp.models.players import Optimiser, Player


@pytest.mark.parametrize("steps", [40, 5000])
def test_rate_rises_then_falls_to_its_floor(steps: int) -> None:
    """The warm-up takes a tenth of a short run, so that every run reaches the full rate."""
    optimiser = Optimiser(warmup=100, floor=0.02)
    factor = optimiser.schedule(steps)
    rates = [factor(step) for step in range(steps + 1)]
    peak = rates.index(max(rates))
    assert max(rates) == 1.0 and peak < min(100, steps // 10)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == pytest.approx(0.02)


def test_optimisers_move_all_weights() -> None:
    """The optimiser has all parameters, and the settings of the record."""
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    (group,) = Optimiser(lr=0.5, weight_decay=0.25, betas=(0.1, 0.2)).build(net).param_groups
    assert (group["lr"], group["weight_decay"], group["betas"]) == (0.5, 0.25, (0.1, 0.2))
    assert list(map(id, group["params"])) == list(map(id, net.parameters()))


@pytest.mark.parametrize("setting", [{"lr": 0.0}, {"weight_decay": -1.0}, {"betas": (0.9, 1.0)}])
def test_impossible_settings_are_refused(setting: dict[str, Any]) -> None:
    """An optimiser with impossible settings cannot be made."""
    with pytest.raises(ConfigError, match=r"lr must be positive, weight_decay.* 0 or more, betas"):
        Optimiser(**setting)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("name", (None, 3)),
        ("module", (None, "net")),
        ("loss", (None, 3)),
        ("optimiser", (None, 1e-3)),
        ("interval", (0, 1.5, True, None)),
        ("ema", (0.0, 1.0, "slow", True)),
        ("measure", (3,)),
    ],
)
def test_other_players_are_refused(name: str, values: tuple[Any, ...]) -> None:
    """Each field of a player has a type and a range."""
    right = {"name": "net", "module": nn.Linear(1, 1), "loss": lambda batch, step, generator: {}}
    for value in values:
        with pytest.raises(ConfigError, match=f"^Player: .*{name}="):
            Player(**(right | {name: value}))
