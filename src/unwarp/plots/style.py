"""Colours, style and number format that all figures share.

Figures have the same look in every environment: `with_style` sets `STYLE` while a plot is drawn,
and restores the settings of the user afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

from matplotlib.figure import Figure

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

MINUS = "\N{MINUS SIGN}"
"""Minus sign of the tick labels of matplotlib, longer than a hyphen."""

TEXT_COLOUR = "#20242c"
"""Colour of text and of single curves, nearly black."""

GREY = "#8a93a3"
"""Grey of ticks, frames and background curves."""

RED = "#c8452f"
"""Red of the main result: the model with the warp, the template, a reference line."""

BLUE = "#3a6ea5"
"""Blue of a result that is compared with the main result, and of histograms."""

COLOURS = (
    *(f"C{i}" for i in range(10)),
    *["black", "gold", "navy", "lime", "teal", "tan", "crimson", "orchid", "indigo", "khaki"],
)
"""Colours of classes, clusters and channels; the first ten are those of matplotlib."""

STYLE: Any = {
    "font.size": 9,
    "axes.edgecolor": GREY,
    "axes.labelcolor": TEXT_COLOUR,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "text.color": TEXT_COLOUR,
    "axes.titlesize": 10,
}
"""Settings of matplotlib for every figure of the package."""

DOTS_PER_INCH = 130
"""Resolution of all figures but animations."""


def new_figure(
    width: float, height: float, layout: Literal["constrained", "compressed"] = "constrained"
) -> Figure:
    """An empty figure at 130 dots per inch.

    The figure is not registered with pyplot: it opens no window and needs no `close`.

    Args:
        width: Width in inches.
        height: Height in inches.
        layout: Layout engine of matplotlib; `compressed` suits axes with a fixed aspect ratio,
            such as rows of images.

    Returns:
        The figure, without axes.
    """
    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout=layout)


def with_style(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a plot function so that it draws in `STYLE`.

    The user's own settings of matplotlib are in force again when the function returns.

    Args:
        draw: Any function that creates a figure.

    Returns:
        The function with the same arguments and the same result.
    """

    @wraps(draw)
    def draw_in_style(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return draw_in_style


def format_number(value: float) -> str:
    """A number as text, rounded to three significant digits.

    Negative numbers have the minus sign of tick labels; a negative zero becomes `0`.

    >>> format_number(33.75), format_number(-0.0)
    ('33.8', '0')
    """
    # adding 0.0 turns -0.0 into 0.0
    return f"{float(f'{value:.3g}') + 0.0:g}".replace("-", MINUS)
