"""Plots become files, and a plot that fails becomes a reason."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from unwarp.app.outcome import Outcome
from unwarp.app.report.illustrations import Plot, fixed_caption, illustrate
from unwarp.core import Array

CAPTION = fixed_caption("A caption.")


def fail(outcome: Outcome) -> Figure:
    """Raise an error of two lines."""
    raise ValueError("two\nlines")


def interrupt(outcome: Outcome) -> Figure:
    """Raise what Ctrl-C raises."""
    raise KeyboardInterrupt


def frames(outcome: Outcome) -> Array:
    """Three frames in colour."""
    return np.random.default_rng(0).integers(0, 255, (3, 8, 8, 3)).astype(np.uint8)


def test_figure_is_png_and_frames_are_gif(image_run: Outcome) -> None:
    """A figure becomes a PNG file, frames become a GIF file."""
    figure = illustrate(Plot("figure", lambda outcome: Figure(), CAPTION), image_run)
    animation = illustrate(Plot("animation", frames, CAPTION), image_run)
    assert figure is not None and figure.uri.startswith("data:image/png;base64,")
    assert animation is not None and animation.uri.startswith("data:image/gif;base64,")
    assert (figure.caption, figure.failure) == ("A caption.", "")


def test_failure_is_one_line(image_run: Outcome) -> None:
    """A plot that raises becomes its name and the error in one line."""
    figure = illustrate(Plot("broken", fail, CAPTION), image_run)
    assert figure is not None
    assert (figure.name, figure.data) == ("broken", b"")
    assert figure.failure == "ValueError: two lines"


def test_failure_of_caption_is_caught(image_run: Outcome) -> None:
    """A caption that raises costs its own figure alone, too."""

    def caption(outcome: Outcome) -> str:
        raise KeyError("score")

    figure = illustrate(Plot("broken", frames, caption), image_run)
    assert figure is not None and figure.failure == "KeyError: 'score'"


def test_plot_without_data_is_left_out(image_run: Outcome) -> None:
    """A plot that returns None is no failure and has no illustration."""
    assert illustrate(Plot("none", lambda outcome: None, CAPTION), image_run) is None


def test_interrupt_stops_the_report(image_run: Outcome) -> None:
    """Ctrl-C is not taken for a failure of a figure."""
    with pytest.raises(KeyboardInterrupt):
        illustrate(Plot("stopped", interrupt, CAPTION), image_run)
