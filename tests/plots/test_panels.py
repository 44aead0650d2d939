"""Charts show all numbers of their arrays, with units."""

from __future__ import annotations

import numpy as np

from unwarp import plots
from unwarp.core import Factor

RANDOM = np.random.default_rng(0)
ROTATION = Factor("rotation_deg", "deg", -45.0, 45.0)
SCALE = Factor("scale_x", "factor", 0.6, 1.6)


def test_embeddings_have_one_legend() -> None:
    """The legend names each class once, all points are drawn; without labels there is none."""
    points, labels = RANDOM.random((50, 2)), np.arange(50) % 5
    figure = plots.embeddings({"before": points, "after": points + 1}, labels)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["0", "1", "2", "3", "4"]
    assert sum(len(c.get_offsets()) for c in figure.axes[0].collections) == 50
    assert not plots.embeddings({"one": points}, None).legends


def test_recovery_axes() -> None:
    """True values are on the horizontal axis, estimates on the vertical one."""
    true = RANDOM.normal(size=30)
    figure = plots.recovery({ROTATION: (2 * true, true), SCALE: (true, true)})
    axis = figure.axes[0]
    np.testing.assert_allclose(axis.collections[0].get_offsets(), np.stack([true, 2 * true], 1))
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("true", "estimated")
    assert axis.get_title() == "rotation (deg)"


def test_recovery_hides_unused_panels() -> None:
    """Places of the grid without a factor show no empty axes."""
    true = RANDOM.normal(size=30)
    table = {Factor(f"f{i}", "px", -1, 1): (true, true) for i in range(4)}
    assert [axis.get_visible() for axis in plots.recovery(table).axes] == 4 * [True] + 2 * [False]


def test_histograms_hold_all_values() -> None:
    """Bars count all values, also those outside the range; unused panels are hidden."""
    table = {Factor(f"f{i}", "px", -1, 1): RANDOM.normal(size=100) * 3 for i in range(5)}
    figure = plots.histograms(table)
    visible = [axis for axis in figure.axes if axis.get_visible()]
    assert len(visible) == 5
    assert all(sum(p.get_height() for p in axis.patches) == 100 for axis in visible)


def test_histograms_without_bounds() -> None:
    """Without bounds a panel spans its values, even if all of them are equal."""
    lag = RANDOM.normal(size=100)
    axis = plots.histograms({Factor("lag", "s", -50, 50): lag}, bounds=False).axes[0]
    assert not axis.lines
    assert axis.get_xlim()[1] - axis.get_xlim()[0] < 1.5 * np.ptp(lag)
    assert sum(p.get_height() for p in axis.patches) == 100
    assert plots.histograms({Factor("lag", "s", -50, 50): np.ones(4)}, bounds=False).axes


def test_curves_draw_every_run() -> None:
    """Each run has a curve with its name."""
    rows = [{"seconds": float(i), "reconstruction": 1.0 / (i + 1)} for i in range(5)]
    axis = plots.curves({"with warp": rows, "without warp": rows}).axes[0]
    assert [line.get_label() for line in axis.lines] == ["with warp", "without warp"]


def test_folds_show_the_undecided_range() -> None:
    """Every fold is a point, the mean a line, and the range spans its bounds, also of one fold."""
    for values in (np.array([19.0, 24.0, 28.0]), np.array([-3.0])):
        axis = plots.folds(values, (-10.0, 10.0), "nats").axes[0]
        assert axis.collections[-1].get_offsets()[:, 0].tolist() == values.tolist()
        assert axis.lines[0].get_xdata()[0] == values.mean()
        low, high = axis.get_xlim()
        assert low <= -10 and high >= max(10, values.max())
