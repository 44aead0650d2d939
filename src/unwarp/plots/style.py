"""What all figures share: colours, the house's style, an empty page, numbers for people."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

from matplotlib.figure import Figure

P = ParamSpec("P")
T = TypeVar("T")
MINUS = "\N{MINUS SIGN}"
INK = "#20242c"
QUIET = "#8a93a3"
ACCENT = "#c8452f"
OTHER = "#3a6ea5"
COLOURS = (
    *(f"C{i}" for i in range(10)),
    *["black", "gold", "navy", "lime", "teal", "tan", "crimson", "orchid", "indigo", "khaki"],
)
STYLE: Any = {
    "font.size": 9,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.color": INK,
    "axes.titlesize": 10,
}


def page(
    width: float, height: float, layout: Literal["constrained", "compressed"] = "constrained"
) -> Figure:
    """An empty figure of a size in inches."""
    return Figure(figsize=(width, height), dpi=130, layout=layout)


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw in the house's style, whatever the user's own is."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def number(value: float) -> str:
    """A number in three digits, with the minus sign of axes."""
    return f"{float(f'{value:.3g}') + 0.0:g}".replace("-", MINUS)
