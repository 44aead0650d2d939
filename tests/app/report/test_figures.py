"""Figures that reports of every domain share."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unwarp.app.outcome import Outcome
from unwarp.app.report import figures
from unwarp.app.report.figures import moving_interpolation, new_samples, traversal


def row_names(figure: Figure) -> list[str]:
    return [axis.get_ylabel() for axis in figure.axes]


def test_traversal_sorted_by_rate(image_run: Outcome) -> None:
    """Content dimensions of a VAE stand by their rate, the greatest first, at most eight."""
    rows = row_names(traversal(image_run))
    assert len(rows) == figures.MAX_TRAVERSAL_ROWS
    rates = [float(row.split("KL ")[1].removesuffix(" nats")) for row in rows]
    assert rates == sorted(rates, reverse=True)


def test_traversal_series_steps(series_run: Outcome) -> None:
    """A row of a traversal shows as many series as the walk has steps."""
    assert len(traversal(series_run).axes[0].lines) == 2 * figures.SAMPLES_IN_WALK


def test_new_samples_count(image_run: Outcome) -> None:
    """A family with a prior shows samples from it, as many as were asked for."""
    figure = new_samples(image_run, "prior", 14)
    assert figure is not None
    assert len(figure.axes[0].images) == figures.NEW_SAMPLES


def test_new_samples_without_prior(series_run: Outcome) -> None:
    """A family without a prior shows no samples from it, but those from the mixture."""
    assert new_samples(series_run, "prior", 7) is None
    assert new_samples(series_run, "mixture", 7) is not None


def test_moving_interpolation_moves(image_run: Outcome) -> None:
    """Frames are coloured pictures, the first unlike the last."""
    frames = moving_interpolation(image_run)
    assert len(frames) == figures.FRAMES_OF_MOVING_PICTURES
    assert frames.ndim == 4 and frames.dtype == np.uint8
    assert not np.array_equal(frames[0], frames[-1])


def test_training_shows_reconstruction(image_run: Outcome) -> None:
    """A family without a critic shows the reconstruction term, and says so."""
    assert "reconstruction" in figures.training(image_run).axes[0].get_ylabel()
    assert figures.TRAINING.caption(image_run).startswith("Reconstruction term")
