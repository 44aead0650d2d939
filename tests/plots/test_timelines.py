"""Series over time: traces, means and templates are at their values, in the right units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unwarp import plots
from unwarp.core import Array

RANDOM = np.random.default_rng(0)
CLUSTERS = np.array([0, 1, 1, 2, 2, 2])


def overlay(n_channels: int = 1, **settings: Any) -> tuple[Array, Array, Array, list[Any]]:
    """Observed series, aligned series, templates, and the axes of their plot for two clusters."""
    raw, aligned = RANDOM.normal(size=(2, 6, n_channels, 30))
    templates = RANDOM.normal(size=(3, n_channels, 30))
    figure = plots.series(raw, aligned, templates, CLUSTERS, max_clusters=2, **settings)
    return raw, aligned, templates, figure.axes


def test_series_show_largest_clusters() -> None:
    """The largest clusters show their series with mean and template, at one scale."""
    raw, _, templates, axes = overlay()
    names = [axis.get_ylabel() for axis in axes[::2]]
    assert names == ["cluster 1\n2 series", "cluster 2\n3 series"]
    left, right = axes[2:]
    assert len(left.lines) == len(right.lines) == 4
    np.testing.assert_array_equal(left.lines[0].get_ydata(), raw[3, 0])
    np.testing.assert_allclose(left.lines[-1].get_ydata(), raw[3:, 0].mean(0))
    np.testing.assert_array_equal(right.lines[-1].get_ydata(), templates[2, 0])
    assert left.get_ylim() == right.get_ylim()


def test_series_band_is_the_distance() -> None:
    """The band spans the template plus and minus the root mean square distance from it."""
    _, aligned, templates, axes = overlay()
    band = axes[3].collections[0].get_paths()[0].vertices
    spread = np.sqrt(np.square(aligned[3:, 0] - templates[2, 0]).mean(0))
    ends = band[np.isclose(band[:, 0], 15), 1]
    assert np.ptp(ends) == pytest.approx(2 * spread[15])
    assert ends.mean() == pytest.approx(templates[2, 0, 15])


def test_series_mean_skips_gaps() -> None:
    """The mean is that of observed values, and missing at times that none has observed."""
    raw = np.random.default_rng(0).normal(size=(5, 1, 12))
    raw[0, 0, 3], raw[:, 0, 7] = np.nan, np.nan
    figure = plots.series(raw, raw, np.zeros((1, 1, 12)), np.zeros(5, int))
    mean = next(line for line in figure.axes[0].lines if line.get_label() == "mean").get_ydata()
    np.testing.assert_allclose(mean[[0, 3]], [raw[:, 0, 0].mean(), raw[1:, 0, 3].mean()])
    assert np.isnan(mean[7]) and np.isfinite(np.delete(mean, 7)).all()


def test_series_time_in_seconds() -> None:
    """Time is in seconds if the sampling rate is known, else in samples."""
    *_, axes = overlay()
    assert (axes[-1].get_xlabel(), axes[0].lines[0].get_xdata()[-1]) == ("time (samples)", 29)
    *_, axes = overlay(sampling_rate=10.0)
    assert (axes[-1].get_xlabel(), axes[0].lines[0].get_xdata()[-1]) == ("time (s)", 2.9)


def test_series_channels_side_by_side() -> None:
    """The first two channels have their pair of columns, with the channel in the title."""
    *_, axes = overlay(n_channels=3)
    assert [axis.get_title() for axis in axes[:4]] == [
        f"{title}, channel {i}" for i in (0, 1) for title in ("observed", "aligned")
    ]


def test_averages_are_drawn_per_group() -> None:
    """Every panel has the average of every method, named once, over the time of its series."""
    groups = {"cluster 0": RANDOM.normal(size=(4, 20)), "cluster 2": RANDOM.normal(size=(5, 20))}
    curves = {"template": RANDOM.normal(size=(2, 20)), "DBA": RANDOM.normal(size=(2, 20))}
    figure = plots.averages(groups, curves, sampling_rate=5.0, step=2)
    assert [axis.get_title() for axis in figure.axes] == ["cluster 0", "cluster 2"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["template", "DBA"]
    last = figure.axes[1].lines[-1]
    np.testing.assert_array_equal(last.get_ydata(), curves["DBA"][1])
    assert last.get_xdata()[-1] == pytest.approx(19 * 2 / 5)


def test_time_axes_begin_at_the_start() -> None:
    """All figures of series begin at the time of the first step."""
    x = np.zeros((3, 1, 20))
    shared = {"sampling_rate": 2.0, "start": 3.0}
    overlaid = plots.series(x, x, x[:1], np.zeros(3, int), **shared)
    panels = plots.averages({"a": x[:, 0]}, {"mean": x[0]}, step=2, **shared)
    maps = plots.warps(np.tile(np.linspace(0, 1, 5), (2, 1)), 20, **shared)
    for axis, end in ((overlaid.axes[0], 12.5), (panels.axes[0], 22.0), (maps.axes[0], 12.5)):
        times = np.concatenate([line.get_xdata() for line in axis.lines if len(line.get_xdata())])
        assert (times.min(), times.max()) == (3.0, end)
    assert maps.axes[0].lines[1].get_ydata()[0] == 3.0
