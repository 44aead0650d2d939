"""The course of a training is drawn by the plot that fits its history."""

from __future__ import annotations

import pytest

from unwarp.plots.training import (
    ADVERSARIAL_PANELS,
    adversarial_training,
    curves,
    training_plot,
)

ROW = {"seconds": 1.0, "critic.real": 0.6, "critic.fake": 0.4, "critic.gradient": 2.0}
ROWS = [ROW, ROW | {"seconds": 2.0, "critic.real": 0.5, "generator.coverage": 0.9}]


def test_adversarial_panels() -> None:
    """Each panel shows its columns: real samples as a full line, generated ones dashed."""
    figure = adversarial_training({"with warp": ROWS, "without warp": ROWS[:1]})
    assert [axis.get_title() for axis in figure.axes] == list(ADVERSARIAL_PANELS)
    real, fake = figure.axes[0].lines[:2]
    assert list(real.get_ydata()) == [0.6, 0.5]
    assert list(fake.get_ydata()) == [0.4, 0.4]
    assert list(figure.axes[1].lines[0].get_ydata()) == [0.9]


@pytest.mark.parametrize("rows", [[], [{"seconds": 1.0, "reconstruction": 3.0}]])
def test_training_plot_fits_any_history(rows: list[dict[str, float]]) -> None:
    """A history without a critic, even an empty one, is drawn by its reconstruction term."""
    plot = training_plot(rows)
    assert plot.draw is curves and not plot.encoder_note
    assert plot.draw({"run": rows}).axes[0].get_ylabel() == "reconstruction (nats)"


def test_training_plot_of_a_critic() -> None:
    """A history with both probabilities is adversarial, whichever other columns it lacks."""
    plot = training_plot(ROWS)
    assert plot.draw is adversarial_training and "generated samples" in plot.encoder_note
    assert training_plot([{"seconds": 1.0, "critic.real": 0.6}]).draw is curves
