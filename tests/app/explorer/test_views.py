"""Views: kinds of samples, units, and curves of warps."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unwarp import AE, Unwarper
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.views import Viewer
from unwarp.errors import ConfigError
from unwarp.models import Net
from unwarp.warps import TimeAffine


def test_other_domains_are_refused() -> None:
    """The page shows images and series."""
    domain = SimpleNamespace(plural="volumes")
    volumes = SimpleNamespace(schema_=SimpleNamespace(user_shape=(1, 4, 4, 4), domain=domain))
    with pytest.raises(ConfigError, match="trained on volumes; the explorer shows images"):
        Viewer(volumes)  # type: ignore[arg-type]


def test_curve_of_no_warp_is_the_diagonal(series: Exploration, images: Exploration) -> None:
    """Template time is observed time where nothing is deformed; images have no curve."""
    viewer = series.viewer
    curve = viewer.warp_curve(viewer.map_of(viewer.sliders.theta({})))
    assert curve is not None
    np.testing.assert_allclose(curve["time"], curve["template_time"], atol=1e-3)
    assert curve["time"][-1] == pytest.approx(2.3)
    identity = images.viewer.map_of(torch.zeros(1, 6))
    assert images.viewer.warp_curve(identity) is None


def test_curve_lies_beneath_late_series() -> None:
    """A series that is late by one second shows template time one second earlier."""
    x = np.random.default_rng(0).normal(size=(8, 41))
    recipe = AE(warp=TimeAffine(), n_content=2, net=Net("mlp", (8,), (8,)), views=0.0)
    settings = {"sampling_rate": 10.0, "domain": "series", "device": "cpu"}
    viewer = Viewer(Unwarper(recipe=recipe, max_steps=1, n_clusters=2, **settings).fit(x))
    curve = viewer.warp_curve(viewer.map_of(viewer.sliders.theta({"lag_s": 1.0})))
    assert curve is not None
    lag = np.array(curve["time"]) - np.array(curve["template_time"])
    np.testing.assert_allclose(lag, 1.0, atol=1e-3)


def test_series_of_many_scales_are_standardised() -> None:
    """Series that are each scaled by themselves are shown in standard deviations."""
    x = np.random.default_rng(0).normal(size=(8, 30)) * 10.0 ** np.arange(8)[:, None]
    recipe = AE(warp=TimeAffine(), n_content=2, net=Net("mlp", (8,), (8,)), views=0.0)
    settings = {"scale": "each", "domain": "series", "device": "cpu"}
    viewer = Viewer(Unwarper(recipe=recipe, max_steps=1, n_clusters=2, **settings).fit(x))
    observed = viewer.observed(viewer.unwarper.prepare_samples(x), np.array([7]))[0]
    assert not viewer.has_user_units
    assert np.std(viewer.panel(observed)["values"][0]) == pytest.approx(1, abs=0.02)
