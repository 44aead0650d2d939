"""How trainings went: the plot that a history calls for."""

from __future__ import annotations

import pytest

from unwarp.plots.training import GAME, curves, game, training_plot

ROW = {"seconds": 1.0, "critic.real": 0.6, "critic.fake": 0.4, "critic.gradient": 2.0}
ROWS = [ROW, ROW | {"seconds": 2.0, "critic.real": 0.5, "generator.coverage": 0.9}]


def test_game_draws_each_column() -> None:
    """Each panel shows its columns, real samples in a full line and generated ones dashed."""
    figure = game({"with warp": ROWS, "without": ROWS[:1]})
    assert [axis.get_title() for axis in figure.axes] == list(GAME)
    real, fake = figure.axes[0].lines[:2]
    assert list(real.get_ydata()) == [0.6, 0.5]
    assert list(fake.get_ydata()) == [0.4, 0.4]
    assert list(figure.axes[1].lines[0].get_ydata()) == [0.9]


@pytest.mark.parametrize("rows", [[], [{"seconds": 1.0, "reconstruction": 3.0}]])
def test_training_plot_fits_any_history(rows: list[dict[str, float]]) -> None:
    """A history without a game, an empty one too, is shown by its reconstruction term."""
    plot = training_plot(rows)
    assert plot.draw is curves and not plot.encoder_note
    assert plot.draw({"run": rows}).axes[0].get_ylabel() == "reconstruction (nats)"


def test_training_plot_of_a_game() -> None:
    """A history with both probabilities is a game, whatever else it lacks."""
    plot = training_plot(ROWS)
    assert plot.draw is game and "generated samples" in plot.encoder_note
    assert training_plot([{"seconds": 1.0, "critic.real": 0.6}]).draw is curves
