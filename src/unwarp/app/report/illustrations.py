"""Figures of a report: `Plot` before it is drawn, `Illustration` after.

The other modules of the report define plots as constants; `illustrate` draws one for a run.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from unwarp.app.outcome import Outcome
from unwarp.core import Array
from unwarp.plots.animation import animate

Caption = Callable[[Outcome], str]
"""Function from a run to the caption of a figure."""


@dataclass(frozen=True)
class Plot:
    """A figure that a report can draw of a run.

    Attributes:
        name: Name of the figure, and of its file without suffix.
        draw: Function from a run to a figure, to frames (F, height, width, 3) of an animation, or
            to None if the run has no data for it.
        caption: Function from a run to the caption.

    >>> plot = Plot("empty", lambda outcome: Figure(), fixed_caption("An empty figure."))
    >>> plot.name
    'empty'
    """

    name: str
    draw: Callable[[Outcome], Figure | Array | None]
    caption: Caption


@dataclass(frozen=True)
class Illustration:
    """A figure as bytes, or the reason of its failure.

    Attributes:
        name: Name of the figure, and of its file without suffix.
        caption: Caption.
        data: Bytes of a PNG or GIF file; empty if drawing failed.
        failure: Type and message of the error in one line; empty if the figure was drawn.

    >>> Illustration("path", "A path.", b"GIF89a").suffix
    'gif'
    """

    name: str
    caption: str = ""
    data: bytes = b""
    failure: str = ""

    @property
    def suffix(self) -> str:
        """Suffix of the file, `png` or `gif`, as the first bytes say."""
        return "gif" if self.data.startswith(b"GIF8") else "png"

    @property
    def uri(self) -> str:
        """The figure as a data URI, for a page without other files."""
        return f"data:image/{self.suffix};base64,{base64.b64encode(self.data).decode()}"


def fixed_caption(text: str) -> Caption:
    """A caption that is the same for every run.

    Args:
        text: The caption.

    Returns:
        A function for `Plot.caption`.
    """
    return lambda outcome: text


def illustrate(plot: Plot, outcome: Outcome) -> Illustration | None:
    """Draw a plot of a run.

    If drawing fails, the result is an `Illustration` with a `failure`, so that the other figures
    can still be drawn. An interrupt (Ctrl-C) is not caught.

    Args:
        plot: The figure to draw.
        outcome: The run.

    Returns:
        The figure with its caption; None if the run has no data for it.
    """
    try:
        drawing = plot.draw(outcome)
        if drawing is None:
            return None
        return Illustration(plot.name, plot.caption(outcome), encode(drawing))
    except Exception as error:  # an error in one figure must not prevent the others
        reason = " ".join(str(error).split())
        return Illustration(plot.name, failure=f"{type(error).__name__}: {reason}")


def encode(drawing: Figure | Array) -> bytes:
    """Bytes of a PNG file (figure) or a GIF file (frames).

    Args:
        drawing: A figure, or frames (F, height, width, 3).
    """
    if not isinstance(drawing, Figure):
        return animate(drawing)
    out = io.BytesIO()
    drawing.savefig(out, format="png")
    return out.getvalue()
