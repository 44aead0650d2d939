"""Comparisons of warps by trials: both requirements count, and no fold is trained needlessly."""

from __future__ import annotations

import pytest
import torch

from unwarp.estimators import comparison
from unwarp.estimators.comparison import Comparison, brings_nearer, measure_nearness
from unwarp.estimators.trials import Trials, folds
from unwarp.planning.presets import SERIES


@pytest.mark.parametrize(
    ("shares", "gain", "margin"),
    [
        ((0.4, 0.2), 5.0, 2.0),
        ((0.4, 0.2), 0.25, 0.5),
        ((0.4, 0.5), 5.0, -2.0),
        ((0.06, 0.03), 5.0, 0.6),
    ],
)
def test_smaller_margin_counts(shares: tuple[float, float], gain: float, margin: float) -> None:
    """The sharp warp must explain more, of what is left and of all, and align better."""
    assert Comparison(shares, gain, 0.8).margin == pytest.approx(margin)


def test_both_signs_of_nearness_count() -> None:
    """The elastic and the squared distance must fall clearly."""
    assert brings_nearer(0.7, 0.6)
    assert not brings_nearer(0.8, 0.6) and not brings_nearer(0.7, 0.4)


def test_far_fold_ends_nearness(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fold whose series come no nearer, the next one is not trained."""
    ratios = [0.9, 0.7, 0.74]
    monkeypatch.setattr(comparison, "nearest_ratio", lambda *parts: ratios.pop(0))
    monkeypatch.setattr(comparison, "distance_gain", lambda *parts: 0.6)
    x = torch.randn(12, 1, 16, generator=torch.Generator().manual_seed(0))
    options = {"seed": 0, "device": "cpu"}
    trials, rows = Trials(x, 1, None, options, lambda line: None), list(folds(12, 0))[:2]
    assert measure_nearness(trials, SERIES, rows) == (0.9, 0.6)
    assert len(trials.models) == 1
    assert measure_nearness(trials, SERIES, rows) == (pytest.approx(0.72), 0.6)
    assert len(trials.models) == 2
