"""Selection of the warp: series that differ in timing get one, without labels."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.cases.series import drift

from tests.estimators.series import levels
from unwarp import AE, Identity, Unwarper
from unwarp.datasets import bumps
from unwarp.estimators import comparison, selection, trials
from unwarp.estimators.choices import MIN_LAG_RATIO, MIN_SAVED_NATS, Selection
from unwarp.estimators.evidence import lag_ratio
from unwarp.estimators.selection import select
from unwarp.models import Net
from unwarp.planning.presets import SERIES
from unwarp.training.state import History
from unwarp.warps import TimeAffine


@pytest.mark.slow
def test_timing_decides_on_the_warp() -> None:
    """Series with different timing get a warp, series with different heights get none."""
    x = bumps.load("train", n_per_class=20).x
    warped, plain = select((x - x.mean()) / x.std()), select(levels())
    assert warped.choice in ("smooth", "sharp") and np.mean(warped.saved) > 3 * MIN_SAVED_NATS
    assert plain.choice == "none" and np.mean(plain.saved) < MIN_SAVED_NATS
    assert isinstance(plain.recipe.warp, Identity) and "no warp" in str(plain)


@pytest.mark.slow
def test_estimator_stores_its_selection(tmp_path: Path) -> None:
    """By default it selects, leaves series as they are if no warp helps, and saves why."""
    unwarper = Unwarper(batch_size=20, n_clusters=3).fit(levels()[:, 0].numpy())
    assert unwarper.selection_ is not None and unwarper.selection_.choice == "none"
    assert unwarper.transform_params(levels()[:4, 0].numpy()).shape == (4, 0)
    np.testing.assert_allclose(
        unwarper.align(levels()[:4, 0].numpy()), levels()[:4, 0].numpy(), atol=1e-6
    )
    unwarper.save(tmp_path / "model")
    assert Unwarper.load(tmp_path / "model").selection_ == unwarper.selection_


def test_lags_decide_without_nats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pure lags are found without a trial whether to warp; noise has none."""
    rng = torch.Generator().manual_seed(0)
    source = torch.randn(130, generator=rng).cumsum(0)
    lags = torch.randint(0, 50, (30,), generator=rng).tolist()
    x = torch.stack([source[lag : lag + 80] for lag in lags])[:, None]
    x = (x - x.mean()) / x.std() + 0.02 * torch.randn(x.shape, generator=rng)
    assert lag_ratio(x[:20], x[20:]) > MIN_LAG_RATIO
    trials = Trials([], [(0.5, 0.49)])
    selection = trials.select(monkeypatch, x=x)
    assert (selection.choice, selection.saved) == ("shift", ()) and len(trials.lengths) == 3


@pytest.mark.parametrize(("both", "choice"), [(0.3, "shift+smooth"), (0.32, "shift")])
def test_smooth_warp_adds_to_lags(
    both: float, choice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A smooth warp joins lags if it explains a quarter of what they leave, in each fold."""
    shares = {"chain": both, "time-shift": 0.4}
    monkeypatch.setattr(
        selection, "unexplained_by_means", lambda model, *parts: shares[model.warp.name]
    )
    rng = np.random.default_rng(0)
    source = np.cumsum(rng.normal(size=130))
    x = np.stack([source[lag : lag + 80] for lag in rng.integers(0, 50, 30)])[:, None]
    script = Trials([], [(0.5, 0.49)])
    result = script.select(monkeypatch, x=torch.from_numpy((x - x.mean()) / x.std()).float())
    assert (result.choice, result.beyond_lags) == (choice, (0.4, both))
    assert f"leave 40.0% of the variance with lags, and {both:.1%}" in str(result)
    assert Selection.of(json.loads(json.dumps(asdict(result)))) == result
    assert result.recipe.start == "search"


@pytest.mark.slow
def test_lags_with_drift_get_both_warps() -> None:
    """Of series with lags and smooth warps, the default call undoes both."""
    case = drift(0)
    model = Unwarper(random_state=0).fit(np.stack(case.x))
    assert model.selection_ is not None and model.selection_.choice == "shift+smooth"
    aligned = model.transform_events(np.stack(case.x), case.events)
    assert np.std(aligned, 0).mean() < 0.1 * np.std(case.events, 0).mean()


def test_tempos_decide_without_nats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Series that differ in lag and tempo get both, and the words say so."""
    rng = np.random.default_rng(0)
    source = np.cumsum(rng.normal(size=300))
    source = np.convolve(source, np.ones(9) / 9, "same")
    tempo, lag = np.exp(rng.uniform(-0.15, 0.15, 36)), rng.uniform(-12, 12, 36)
    at = (np.arange(100) - 50 - lag[:, None]) / tempo[:, None] + 150
    x = torch.from_numpy(np.interp(at, np.arange(300), source))[:, None].float()
    selection = Trials([], [(0.5, 0.49)]).select(monkeypatch, x=(x - x.mean()) / x.std())
    assert selection.choice == "tempo" and isinstance(selection.recipe.warp, TimeAffine)
    assert "lags and tempos explain" in str(selection) and selection.unexplained.keys() >= {"tempo"}
    assert Selection.of(json.loads(json.dumps(asdict(selection)))) == selection


def test_warp_must_bring_series_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warp that saves nats without a common timing is not used, and the words say so."""
    result = Trials([31.0], [GOOD] * 3, ratio=0.97).select(monkeypatch)
    assert result.choice == "none" and "aligned series are at 97% of the distance" in str(result)
    assert Selection.of(json.loads(json.dumps(asdict(result)))) == result


def test_constant_series_get_no_warp() -> None:
    """Also with gaps; nothing is trained."""
    level = torch.arange(20.0)[:, None, None].repeat(1, 2, 30)
    level[3, 0, 5:9] = torch.nan
    selection = select(level)
    assert selection.choice == "none" and str(selection) == "no warp: every series is constant"


def test_named_choices_need_no_trial() -> None:
    """A named warp or recipe, and too few steps, leave nothing to select."""
    X = levels(12)[:, 0].numpy()
    recipe = AE(warp=SERIES.warp, net=Net("mlp", (8,), (8,)))
    for unwarper in (
        Unwarper("time", max_steps=2),
        Unwarper(recipe=recipe, max_steps=2),
        Unwarper(recipe="vae", max_steps=2),
    ):
        assert unwarper.fit(X).selection_ is None
    selection = Unwarper(max_steps=2).fit(X).selection_
    assert selection == Selection("smooth") and "without a trial" in str(selection)


class Trials:
    """Scripted measurements in place of those of trained models.

    Attributes:
        saved: Nats that a warp saves, fold by fold.
        unexplained: Shares that the smooth and the sharp warp leave, fold by fold.
        gain: The distance gain of the sharp warp.
        ratio: The elastic distance to the nearest series, aligned over observed.
        agreement: The gain in agreement with clusters, and its standard error.
        cut: Length from which on, in steps, the time limit ends trials; 0 for no limit.
        lengths: Steps and seconds of each trial, in order.
    """

    def __init__(
        self,
        saved: list[float],
        unexplained: list[tuple[float, float]],
        gain: float = 1.0,
        ratio: float = 0.85,
        agreement: tuple[float, float] = (0.01, 0.001),
        cut: float = 0.0,
    ) -> None:
        self.cut = cut
        self.agreement = agreement
        self.saved, self.unexplained, self.gain, self.ratio = saved, unexplained, gain, ratio
        self.lengths: list[tuple[int, float | None]] = []
        self._nats = [nats for value in saved for nats in (100.0, 100.0 - value)]
        self._shares = [share for pair in unexplained for share in pair]

    def train(self, model: object, players: object, data: object, **options: Any) -> History:
        """Note the length of a trial instead of training."""
        self.lengths.append((options["steps"], options["seconds"]))
        is_cut = self.cut and options["steps"] >= self.cut
        return History(steps=1 if is_cut else options["steps"])

    def select(
        self,
        monkeypatch: pytest.MonkeyPatch,
        n: int = 30,
        x: torch.Tensor | None = None,
        **options: Any,
    ) -> Selection:
        """The selection that follows from the script, for `n` series or those in `x`."""
        monkeypatch.setattr(trials, "train", self.train)
        monkeypatch.setattr(selection, "description_length", lambda *parts: self._nats.pop(0))
        monkeypatch.setattr(comparison, "unexplained", lambda *parts: self._shares.pop(0))
        monkeypatch.setattr(comparison, "distance_gain", lambda *parts: self.gain)
        monkeypatch.setattr(comparison, "nearest_ratio", lambda *parts: self.ratio)
        monkeypatch.setattr(selection, "agreement_gain", lambda *parts: self.agreement)
        result = select(levels(n, 16) if x is None else x, **options)
        assert not self._nats and not self._shares, "not all trials were made"
        return result


GOOD = (0.4, 0.25)
"""Unexplained shares with which the sharp warp is better, but not clearly."""


@pytest.mark.parametrize(
    ("saved", "unexplained", "choice"),
    [
        ([-11.0], [], "none"),
        ([9.0, 9.0, 11.0], [], "none"),
        ([31.0], [(0.4, 0.4)], "smooth"),
        ([31.0], [(0.4, 0.1)], "sharp"),
        ([31.0], [GOOD, (0.4, 0.31)], "smooth"),
        ([31.0], [GOOD, GOOD, (0.4, 0.4)], "smooth"),
        ([31.0], [GOOD, GOOD, GOOD], "sharp"),
        ([9.0, 11.0, 10.0], [GOOD, GOOD, GOOD], "sharp"),
        ([-9.0, 40.0, 40.0], [GOOD, GOOD, GOOD], "sharp"),
    ],
)
def test_trials_decide_how_much_to_warp(
    saved: list[float],
    unexplained: list[tuple[float, float]],
    choice: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A clear first answer ends each question; else every fold must favour the sharp warp."""
    result = Trials(saved, unexplained).select(monkeypatch)
    assert result.choice == choice and result.saved == pytest.approx(tuple(saved))
    longer = unexplained[1:] or unexplained  # short trials do not count beside longer ones
    shares = dict(zip(("smooth", "sharp"), zip(*longer, strict=True), strict=False))
    assert result.unexplained == shares
    assert str(result)


def test_agreement_decides_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nats are undecided, a large and significant gain in agreement requires a warp."""
    cases = {(0.05, 0.01): "smooth", (0.05, 0.03): "none", (-0.05, 0.01): "none"}
    for agreement, choice in cases.items():
        shares = [(0.4, 0.4)] if choice == "smooth" else []
        result = Trials([-1.0] * 3, shares, agreement=agreement).select(monkeypatch)
        assert (result.choice, result.agreement) == (choice, agreement)
        assert "agree more with clusters" in str(result)
        assert Selection.of(json.loads(json.dumps(asdict(result)))) == result
    assert Trials([-11.0], [], agreement=(0.5, 0.0)).select(monkeypatch).agreement == ()


def test_nearer_series_require_a_warp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nats are undecided, a warp that brings series clearly nearer is used."""
    for ratio, gain, choice in ((0.7, 0.6, "smooth"), (0.8, 0.6, "none"), (0.7, 0.4, "none")):
        shares = [(0.4, 0.4)] if choice == "smooth" else []
        result = Trials([-1.0] * 3, shares, ratio=ratio, gain=gain).select(monkeypatch)
        assert (result.choice, result.nearness) == (choice, (ratio, gain))
        assert "nearer to each other" in str(result)
        assert Selection.of(json.loads(json.dumps(asdict(result)))) == result
    assert Trials([-11.0], [], ratio=0.1).select(monkeypatch).nearness == ()


def test_sharp_warp_must_bring_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sharp warp that explains more but aligns no better is not selected."""
    assert Trials([31.0], [GOOD] * 2, gain=0.5).select(monkeypatch).choice == "smooth"
    assert Trials([31.0], [GOOD] * 3, gain=0.51).select(monkeypatch).choice == "sharp"


def test_clear_fold_of_ripples_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fold that favours the sharp warp by twice what is required ends the trials."""
    assert Trials([31.0], [(0.4, 0.1)], gain=1.1).select(monkeypatch).choice == "sharp"
    assert Trials([31.0], [GOOD, (0.4, 0.1)], gain=1.1).select(monkeypatch).choice == "sharp"
    assert Trials([31.0], [(0.4, 0.1)] * 3, gain=0.9).select(monkeypatch).choice == "sharp"


def test_trials_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limit is shared by all trials, and longer ones have more; none is made twice."""
    script, messages = Trials([31.0], [GOOD] * 3), list[str]()
    script.select(monkeypatch, seconds=240.0, steps=300, on_message=messages.append)
    assert script.lengths == [(300, 10.0)] * 4 + [(500, pytest.approx(50 / 3))] * 4
    messages = [message for message in messages if "tempos" not in message]
    assert "lags" in messages.pop(0) and "ripples" in messages.pop(1)
    assert [message.split(" of ")[0][-1] for message in messages] == ["1", "1", "2"]
    unlimited = Trials([9.0, 9.0, 9.0], [])
    unlimited.select(monkeypatch, steps=450)
    assert unlimited.lengths == [(450, None)] * 6 + [(750, None), (450, None)]


def test_trials_that_time_ends_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smooth warp is taken, with what was measured before; the words say so."""
    at_once = Trials([-50.0], [], cut=300).select(monkeypatch, seconds=1.0)
    assert (at_once.choice, at_once.saved, at_once.cut) == ("smooth", (), True)
    assert "without a trial: max_seconds ended" in str(at_once)
    later = Trials([31.0], [GOOD, GOOD, GOOD], cut=500).select(monkeypatch, seconds=1.0)
    assert (later.choice, later.saved, later.cut) == ("smooth", (31.0,), True)
    assert "saves 31 nats" in str(later) and "max_seconds ended the other trials" in str(later)


def test_few_series_have_no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve series and 300 steps are the least for a trial."""
    for n, steps in ((11, 300), (12, 299)):
        assert Trials([], []).select(monkeypatch, n, steps=steps) == Selection("smooth")
    assert Trials([-11.0], []).select(monkeypatch, 12, steps=300).saved == (-11.0,)
