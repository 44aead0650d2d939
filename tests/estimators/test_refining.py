"""Series are refined where that helps others, and all methods use the refined deformation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.cases.series import chromatograms

from tests.estimators.series import levels
from tests.pictures import pictures
from unwarp import AE, Unwarper
from unwarp.data.dataset import Dataset
from unwarp.errors import ConfigError
from unwarp.estimators.refining import RefinementEvidence, fit_refinement
from unwarp.models import Net
from unwarp.models.picture_refine import GaussNewton
from unwarp.warps import Identity

LENGTH = 150
RECIPE = AE(warp=Identity(), n_content=2, net=Net("mlp", (8,), (8,)))


def late_peaks(n: int = 24, seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Series (n, T) with ten narrow peaks, and their times (n, 10), which differ a little."""
    rng = np.random.default_rng(seed)
    place, height = np.linspace(10, LENGTH - 11, 10), np.linspace(0.3, 2, 10)
    times = place + 4 * rng.uniform(-1, 1, (n, 1)) * np.sin(place / 40 + rng.uniform(0, 6, (n, 1)))
    bumps = np.exp(-(((np.arange(LENGTH) - times[..., None]) / 1.5) ** 2))
    x = (height[:, None] * bumps).sum(1)
    return x + 0.02 * rng.normal(size=x.shape), times


@pytest.fixture(scope="module")
def refined() -> Unwarper:
    """A model without a learned warp whose alignment is refined; no test changes it."""
    return fit(refine="band")


def fit(X: Any = None, **arguments: Any) -> Unwarper:
    """A model of one step of late peaks, or of the samples `X`."""
    X = late_peaks()[0] if X is None else X
    return Unwarper(recipe=RECIPE, max_steps=1, n_clusters=2, device="cpu", **arguments).fit(X)


def test_evidence_is_for_peaks_alone() -> None:
    """Late peaks are refined; series that differ in heights, noise and few series are not."""
    x = torch.from_numpy(late_peaks()[0]).float()[:, None]
    noise = torch.randn(40, 1, 100, generator=torch.Generator().manual_seed(0))
    model = RECIPE.build((1, LENGTH)).eval()
    assert RefinementEvidence.of(x).supports
    refinement = fit_refinement(model, Dataset(x), "auto")
    assert refinement is not None and refinement.why == str(RefinementEvidence.of(x))
    assert fit_refinement(model, Dataset(x[:10]), "auto") is None
    assert fit_refinement(model, Dataset(x), "none") is None
    for other in (levels(), noise, torch.zeros(20, 1, 60)):
        assert not RefinementEvidence.of(other).supports


def test_refined_events_coincide(refined: Unwarper) -> None:
    """Peaks of new series coincide, and aligned times lead back to observed ones."""
    X, times = late_peaks(seed=1)
    moved = refined.transform_events(X, times)
    assert moved.std(0).mean() < 0.4 < 1.5 < times.std(0).mean()
    assert np.allclose(refined.transform_events(X, moved, inverse=True), times, atol=1e-3)
    assert np.allclose(refined.transform_points(X, times[..., None])[..., 0], moved, atol=1e-4)
    aligned = refined.align(X)
    assert aligned.std(0).mean() < X.std(0).mean() / 2
    assert np.allclose(refined.align(X[:3]), aligned[:3], atol=1e-5)


def test_refined_lags_are_in_steps(refined: Unwarper) -> None:
    """The table has the mean lag in time steps; theta is that of the learned deformation."""
    X, times = late_peaks(seed=1)
    table = refined.transform_params(X)
    late = (times - refined.transform_events(X, times)).mean(1)
    assert list(table.columns[:2]) == ["lag_samples", "speed_min"]
    assert np.corrcoef(table["lag_samples"], late)[0, 1] > 0.9
    assert refined.transform_params(X, full=True).shape == (24, 0)


def test_refinements_are_saved(refined: Unwarper, tmp_path: Path) -> None:
    """A loaded model aligns exactly as the saved one."""
    refined.save(tmp_path / "model")
    loaded, (X, _) = Unwarper.load(tmp_path / "model"), late_peaks(seed=1)
    assert loaded.refine == "band"
    assert loaded.refinement_ is not None and "asked for it" in loaded.refinement_.why
    assert np.array_equal(loaded.align(X), refined.align(X))


def test_named_identity_is_not_refined() -> None:
    """A user who names the warp without deformation gets series as they are."""
    X, _ = late_peaks()
    unwarper = fit()
    assert unwarper.refinement_ is None
    assert np.allclose(unwarper.align(X), X, atol=1e-5)


def test_pictures_have_no_band() -> None:
    """Only series are refined in time."""
    arguments: dict[str, Any] = {"max_steps": 1, "n_clusters": 2, "device": "cpu"}
    refinement = Unwarper(**arguments).fit(pictures(8)).refinement_
    assert isinstance(refinement, GaussNewton)
    with pytest.raises(ConfigError, match="refine='band' moves series in time"):
        Unwarper(refine="band", **arguments).fit(pictures(8))
    with pytest.raises(ConfigError, match="refine='dtw' is not allowed"):
        fit(refine="dtw")


@pytest.mark.slow  # 120 peaks in 2,000 time steps
@pytest.mark.parametrize("seed", [0, 1])
def test_chromatograms_are_refined(seed: int) -> None:
    """Narrow peaks come together within a time step, and blanks stay as they are."""
    case = chromatograms(seed)
    X, fixed = np.stack(case.x), np.linspace(100, 1900, 10)
    assert case.kinds is not None
    is_blank = case.kinds == 0
    unwarper = fit(X, refine="band")
    assert RefinementEvidence.of(unwarper.prepare(X)).supports
    moved = unwarper.transform_events(X[~is_blank], case.events[~is_blank])
    assert moved.std(0).mean() < 0.6 < 5 < case.events[~is_blank].std(0).mean()
    assert np.abs(unwarper.transform_events(X[is_blank], fixed) - fixed).max() <= 1
