"""Figures that can be drawn, and those that cannot."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from unwarp.app.outcome import Outcome
from unwarp.app.report.illustrations import Plot, always, illustrate
from unwarp.core import Array


def failing(outcome: Outcome) -> Figure:
    raise ValueError("two\nlines")


def interrupted(outcome: Outcome) -> Figure:
    raise KeyboardInterrupt


def frames(outcome: Outcome) -> Array:
    return np.random.default_rng(0).integers(0, 255, (3, 8, 8, 3)).astype(np.uint8)


def test_figure_is_png(image_run: Outcome) -> None:
    """A figure comes as PNG, moving pictures come as GIF."""
    still = illustrate(Plot("still", lambda outcome: Figure(), always("words")), image_run)
    moving = illustrate(Plot("moving", frames, always("words")), image_run)
    assert still is not None and still.uri.startswith("data:image/png;base64,")
    assert moving is not None and moving.uri.startswith("data:image/gif;base64,")
    assert (still.caption, still.failure) == ("words", "")


def test_failure_is_one_line(image_run: Outcome) -> None:
    """A plot that raises becomes its name and the reason in one line."""
    figure = illustrate(Plot("lost", failing, always("words")), image_run)
    assert figure is not None
    assert (figure.name, figure.data) == ("lost", b"")
    assert figure.failure == "ValueError: two lines"


def test_failure_of_caption_is_caught(image_run: Outcome) -> None:
    """A caption that raises costs its figure alone, too."""

    def caption(outcome: Outcome) -> str:
        raise KeyError("score")

    figure = illustrate(Plot("lost", frames, caption), image_run)
    assert figure is not None and figure.failure == "KeyError: 'score'"


def test_nothing_to_show_is_no_failure(image_run: Outcome) -> None:
    """A plot that has nothing to show is left out."""
    assert illustrate(Plot("none", lambda outcome: None, always("words")), image_run) is None


def test_interrupt_stops_the_report(image_run: Outcome) -> None:
    """Ctrl-C is not taken for a failure of a figure."""
    with pytest.raises(KeyboardInterrupt):
        illustrate(Plot("lost", interrupted, always("words")), image_run)
