"""Series over their time: traces, templates and warps stand where their numbers say, in the units that they have."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp import plots

RANDOM = np.random.default_rng(0)
CLUSTERS = np.array([0, 1, 1, 2, 2, 2])


def two_panels(
    channels: int = 1, **settings: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list]:  # type: ignore[type-arg]
    raw, aligned = RANDOM.normal(size=(2, 6, channels, 30))
    templates = RANDOM.normal(size=(3, channels, 30))
    return (
        raw,
        aligned,
        templates,
        plots.series(raw, aligned, templates, CLUSTERS, most=2, **settings).axes,
    )  # type: ignore[arg-type]


def test_the_largest_clusters_show_their_traces_mean_and_template() -> None:
    raw, _, templates, axes = two_panels()
    assert [axis.get_ylabel() for axis in axes[::2]] == [
        "cluster 1\n2 series",
        "cluster 2\n3 series",
    ]
    left, right = axes[2:]
    assert len(left.lines) == len(right.lines) == 4
    np.testing.assert_array_equal(left.lines[0].get_ydata(), raw[3, 0])
    np.testing.assert_allclose(left.lines[-1].get_ydata(), raw[3:, 0].mean(0))
    np.testing.assert_array_equal(right.lines[-1].get_ydata(), templates[2, 0])
    assert left.get_ylim() == right.get_ylim()


def test_the_band_is_as_wide_as_the_traces_are_far_from_the_template() -> None:
    _, aligned, templates, axes = two_panels()
    band = axes[3].collections[0].get_paths()[0].vertices
    spread = np.sqrt(np.square(aligned[3:, 0] - templates[2, 0]).mean(0))
    middle = band[np.isclose(band[:, 0], 15), 1]
    assert np.ptp(middle) == pytest.approx(2 * spread[15])
    assert middle.mean() == pytest.approx(templates[2, 0, 15])


def test_gaps_leave_the_mean_and_the_band_of_what_was_observed() -> None:
    raw = np.random.default_rng(0).normal(size=(5, 1, 12))
    raw[0, 0, 3], raw[:, 0, 7] = np.nan, np.nan
    figure = plots.series(raw, raw, np.zeros((1, 1, 12)), np.zeros(5, int))
    mean = next(line for line in figure.axes[0].lines if line.get_label() == "mean").get_ydata()
    np.testing.assert_allclose(mean[[0, 3]], [raw[:, 0, 0].mean(), raw[1:, 0, 3].mean()])
    assert np.isnan(mean[7]) and np.isfinite(np.delete(mean, 7)).all()


def test_time_is_in_seconds_where_there_is_a_rate() -> None:
    *_, axes = two_panels()
    assert (axes[-1].get_xlabel(), axes[0].lines[0].get_xdata()[-1]) == ("samples", 29)
    *_, axes = two_panels(sampling_rate=10.0)
    assert (axes[-1].get_xlabel(), axes[0].lines[0].get_xdata()[-1]) == ("time (s)", 2.9)


def test_channels_stand_beside_one_another() -> None:
    *_, axes = two_panels(channels=3)
    assert [axis.get_title() for axis in axes[:4]] == [
        f"{x}, channel {i}" for i in (0, 1) for x in ("raw", "aligned")
    ]


def test_warps_show_gamma_and_its_slope_in_their_units() -> None:
    t = np.linspace(0, 1, 11)
    gamma = np.stack([t, t**2])
    left, right = plots.warps(gamma, 21, sampling_rate=2.0).axes
    assert left.get_xlabel() == "observed time (s)" and right.get_ylabel() == "local speed (factor)"
    curve = next(
        line for line in left.lines if len(line.get_xdata()) == 11 and line.get_ydata()[5] < 4
    )
    np.testing.assert_allclose(curve.get_xdata(), 10 * t)
    np.testing.assert_allclose(curve.get_ydata(), 10 * t**2)
    even, hurried = (line.get_ydata() for line in right.lines[1:])
    np.testing.assert_allclose(even, 1)
    np.testing.assert_allclose(hurried, t[1:] + t[:-1])
    left, _ = plots.warps(gamma, 21).axes
    assert left.get_ylabel() == "template time (samples)" and left.get_xlim()[1] == 20


def test_warps_of_a_class_have_its_colour() -> None:
    gamma = np.linspace(0, 1, 11)[None] ** np.array([1.0, 1.5, 2.0])[:, None]
    figure = plots.warps(gamma, 11, labels=np.array(["a", "b", "a"]))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    colours = [line.get_color() for line in figure.axes[1].lines[1:]]
    assert colours[0] == colours[1] != colours[2]


def test_averages_are_named_once_and_drawn_in_each_panel() -> None:
    groups = {"cluster 0": RANDOM.normal(size=(4, 20)), "cluster 2": RANDOM.normal(size=(5, 20))}
    curves = {"template": RANDOM.normal(size=(2, 20)), "DBA": RANDOM.normal(size=(2, 20))}
    figure = plots.averages(groups, curves, sampling_rate=5.0, step=2)
    assert [axis.get_title() for axis in figure.axes] == ["cluster 0", "cluster 2"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["template", "DBA"]
    last = figure.axes[1].lines[-1]
    np.testing.assert_array_equal(last.get_ydata(), curves["DBA"][1])
    assert last.get_xdata()[-1] == pytest.approx(19 * 2 / 5)
