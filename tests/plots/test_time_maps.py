"""Warps of time are drawn as curves, in the units of their axes and the colours of classes."""

from __future__ import annotations

import numpy as np

from unwarp import plots


def test_warps_show_gamma_and_speed() -> None:
    """The left panel shows gamma, the right one its slope, in seconds or in samples."""
    t = np.linspace(0, 1, 11)
    gamma = np.stack([t, t**2])
    left, right = plots.warps(gamma, 21, sampling_rate=2.0).axes
    assert left.get_xlabel() == "observed time (s)" and right.get_ylabel() == "local speed (factor)"
    curve = next(
        line for line in left.lines if len(line.get_xdata()) == 11 and line.get_ydata()[5] < 4
    )
    np.testing.assert_allclose(curve.get_xdata(), 10 * t)
    np.testing.assert_allclose(curve.get_ydata(), 10 * t**2)
    constant, rising = (line.get_ydata() for line in right.lines[1:])
    np.testing.assert_allclose(constant, 1)
    np.testing.assert_allclose(rising, t[1:] + t[:-1])
    left, _ = plots.warps(gamma, 21).axes
    assert left.get_ylabel() == "template time (samples)" and left.get_xlim()[1] == 20


def test_warps_are_coloured_by_class() -> None:
    """Curves of a class have one colour, which the legend names."""
    gamma = np.linspace(0, 1, 11)[None] ** np.array([1.0, 1.5, 2.0])[:, None]
    figure = plots.warps(gamma, 11, labels=np.array(["a", "b", "a"]))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    colours = [line.get_color() for line in figure.axes[1].lines[1:]]
    assert colours[0] == colours[1] != colours[2]
