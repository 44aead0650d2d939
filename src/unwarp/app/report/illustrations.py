"""`Plot`, a figure that a report can draw, and `Illustration`, the drawn one."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from unwarp.app.outcome import Outcome
from unwarp.core import Array
from unwarp.plots.animation import animate

Words = Callable[[Outcome], str]


@dataclass(frozen=True)
class Plot:
    """One figure of a report, not drawn yet.

    Attributes:
        name: Name of the figure and of its file.
        draw: Draws a run: a figure, frames (F, height, width, 3) of moving pictures, or None where
            the run has nothing to show.
        caption: Says what the figure shows.
    """

    name: str
    draw: Callable[[Outcome], Figure | Array | None]
    caption: Words


@dataclass(frozen=True)
class Illustration:
    """A drawn figure, or the reason why it is missing.

    Attributes:
        name: Name of the figure and of its file.
        caption: What the figure shows.
        data: The bytes of a PNG or GIF file; empty where the figure is missing.
        failure: Why the figure is missing, in one line; empty where it was drawn.
    """

    name: str
    caption: str = ""
    data: bytes = b""
    failure: str = ""

    @property
    def suffix(self) -> str:
        """The kind of file: `png` or `gif`."""
        return "gif" if self.data.startswith(b"GIF8") else "png"

    @property
    def uri(self) -> str:
        """The figure as a data URI."""
        return f"data:image/{self.suffix};base64,{base64.b64encode(self.data).decode()}"


def always(words: str) -> Words:
    """A caption that is the same for every run."""
    return lambda outcome: words


def illustrate(plot: Plot, outcome: Outcome) -> Illustration | None:
    """The drawn plot; None where the run has nothing to show.

    A plot that raises costs its own figure and no other one.

    Args:
        plot: What to draw.
        outcome: The run to draw it of.
    """
    try:
        drawing = plot.draw(outcome)
        if drawing is None:
            return None
        return Illustration(plot.name, plot.caption(outcome), encode(drawing))
    except Exception as error:  # whatever one figure raises, the others must be drawn
        reason = " ".join(str(error).split())
        return Illustration(plot.name, failure=f"{type(error).__name__}: {reason}")


def encode(drawing: Figure | Array) -> bytes:
    """A figure as the bytes of a PNG, frames as a GIF."""
    if not isinstance(drawing, Figure):
        return animate(drawing)
    out = io.BytesIO()
    drawing.savefig(out, format="png")
    return out.getvalue()
