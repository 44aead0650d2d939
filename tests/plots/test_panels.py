"""Charts with axes: what comes in is drawn, none of it is lost."""

from __future__ import annotations

import numpy as np

from unwarp import plots
from unwarp.core import Factor

RANDOM = np.random.default_rng(0)
TURN = Factor("rotation_deg", "deg", -45.0, 45.0)
SIZE = Factor("scale_x", "factor", 0.6, 1.6)


def test_a_map_gives_each_class_its_colour_once_in_the_legend() -> None:
    points, labels = RANDOM.random((50, 2)), np.arange(50) % 5
    figure = plots.maps({"before": points, "after": points + 1}, labels)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["0", "1", "2", "3", "4"]
    assert sum(len(c.get_offsets()) for c in figure.axes[0].collections) == 50
    assert not plots.maps({"one": points}, None).legends


def test_recovery_puts_truth_across_and_estimates_up() -> None:
    true = RANDOM.normal(size=30)
    figure = plots.recovered({TURN: (2 * true, true), SIZE: (true, true)})
    axis = figure.axes[0]
    np.testing.assert_allclose(axis.collections[0].get_offsets(), np.stack([true, 2 * true], 1))
    assert (axis.get_xlabel(), axis.get_title()) == ("true", "rotation (deg)")


def test_columns_cover_all_values_and_leave_no_empty_panel() -> None:
    table = {Factor(f"f{i}", "px", -1, 1): RANDOM.normal(size=100) * 3 for i in range(5)}
    figure = plots.columns(table)
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert len(shown) == 5
    assert all(sum(p.get_height() for p in axis.patches) == 100 for axis in shown)


def test_curves_draw_each_run() -> None:
    rows = [{"seconds": float(i), "reconstruction": 1.0 / (i + 1)} for i in range(5)]
    axis = plots.curves({"with warp": rows, "without": rows}).axes[0]
    assert [line.get_label() for line in axis.lines] == ["with warp", "without"]


def test_columns_without_bounds_show_the_values_alone() -> None:
    lag = RANDOM.normal(size=100)
    axis = plots.columns({Factor("lag", "s", -50, 50): lag}, bounds=False).axes[0]
    assert not axis.lines
    assert axis.get_xlim()[1] - axis.get_xlim()[0] < 1.5 * np.ptp(lag)
    assert sum(p.get_height() for p in axis.patches) == 100
    assert plots.columns({Factor("lag", "s", -50, 50): np.ones(4)}, bounds=False).axes
