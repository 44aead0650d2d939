"""Figures: every array that comes in is drawn, within the axes, and named."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unwarp import plots
from unwarp.types import Factor

RANDOM = np.random.default_rng(0)
TURN = Factor("rotation_deg", "deg", -45.0, 45.0)
SIZE = Factor("scale_x", "factor", 0.6, 1.6)


def drawn(figure: Figure) -> np.ndarray:  # type: ignore[type-arg]
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_a_gallery_shows_every_sample_in_its_row() -> None:
    x = RANDOM.random((5, 1, 8, 8))
    figure = plots.gallery({"observed": x, "template": 1 - x}, "two rows")
    images = [axis.images[0].get_array() for axis in figure.axes]
    assert len(images) == 10
    np.testing.assert_array_equal(images[0], x[0, 0])
    np.testing.assert_array_equal(images[5], 1 - x[0, 0])
    assert [axis.get_ylabel() for axis in figure.axes][::5] == ["observed", "template"]
    assert drawn(figure).std() > 0


def test_series_and_colour_have_a_gallery_too() -> None:
    assert len(plots.gallery({"s": RANDOM.random((3, 2, 20))}).axes[0].lines) == 2
    assert plots.gallery({"c": RANDOM.random((3, 3, 8, 8))}).axes[0].images[0].get_array().shape == (8, 8, 3)


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
