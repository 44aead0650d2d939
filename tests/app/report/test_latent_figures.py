"""Figures of the latent space show as many samples as they should, in order."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unwarp.app.outcome import Outcome
from unwarp.app.report import latent_figures
from unwarp.app.report.latent_figures import animate_interpolation, new_samples, traversal


def row_names(figure: Figure) -> list[str]:
    """Names of the rows of a figure."""
    return [axis.get_ylabel() for axis in figure.axes]


def test_traversal_sorted_by_rate(image_run: Outcome) -> None:
    """Content dimensions of a VAE are sorted by their rate, the greatest first, at most eight."""
    rows = row_names(traversal(image_run))
    assert len(rows) == latent_figures.MAX_TRAVERSAL_ROWS
    rates = [float(row.split("KL ")[1].removesuffix(" nats")) for row in rows]
    assert rates == sorted(rates, reverse=True)


def test_traversal_series_steps(series_run: Outcome) -> None:
    """A row of a traversal shows a series per step, with a line per channel."""
    assert len(traversal(series_run).axes[0].lines) == 2 * latent_figures.SAMPLES_PER_PATH


def test_new_samples_count(image_run: Outcome) -> None:
    """A family with a prior shows the full number of samples from it."""
    figure = new_samples(image_run, "prior", 14)
    assert figure is not None
    assert len(figure.axes[0].images) == latent_figures.N_NEW_SAMPLES


def test_new_samples_without_prior(series_run: Outcome) -> None:
    """A family without a prior shows no samples from it, but those from the mixture."""
    assert new_samples(series_run, "prior", 7) is None
    assert new_samples(series_run, "mixture", 7) is not None


def test_animation_moves(image_run: Outcome) -> None:
    """Frames are images in colour, the first unlike the last."""
    frames = animate_interpolation(image_run)
    assert len(frames) == latent_figures.FRAMES_PER_ANIMATION
    assert frames.ndim == 4 and frames.dtype == np.uint8
    assert not np.array_equal(frames[0], frames[-1])
