"""Numbers for readers, and a style that does not leak into the user's settings."""

from __future__ import annotations

import matplotlib
import pytest

from unwarp import plots


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.0, "0"),
        (-1e-9, f"{plots.MINUS}1e{plots.MINUS}09"),
        (33.75, "33.8"),
        (-5.0, f"{plots.MINUS}5"),
        (1.0, "1"),
    ],
)
def test_number_has_three_digits(value: float, text: str) -> None:
    """Numbers are rounded to three significant digits and have a true minus sign."""
    assert plots.format_number(value) == text


def test_style_is_restored() -> None:
    """A plot is drawn in the style of the package, and the user's settings come back."""
    with matplotlib.rc_context({"font.size": 31.0}):
        draw = plots.with_style(lambda: matplotlib.rcParams["font.size"])
        assert draw() == plots.STYLE["font.size"]
        assert matplotlib.rcParams["font.size"] == 31.0
