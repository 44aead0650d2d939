"""Numbers for people, and a style that the user's own does not change."""

from __future__ import annotations

import matplotlib
import pytest

from unwarp import plots


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-0.0, "0"),
        (-1e-9, f"{plots.MINUS}1e{plots.MINUS}09"),
        (33.75, "33.8"),
        (-5.0, f"{plots.MINUS}5"),
        (1.0, "1"),
    ],
)
def test_numbers_have_three_digits(value: float, words: str) -> None:
    assert plots.number(value) == words


def test_the_users_style_is_left_alone() -> None:
    with matplotlib.rc_context({"font.size": 31.0}):
        assert plots.styled(lambda: matplotlib.rcParams["font.size"])() == plots.STYLE["font.size"]
        assert matplotlib.rcParams["font.size"] == 31.0
