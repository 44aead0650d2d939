"""Sizes of tiles, in comparison with one another."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp import plots
from unwarp.plots.tiles import common_limits, tile_inches

RANDOM = np.random.default_rng(0)


def test_few_series_are_wider() -> None:
    """Few series in a row get more room than many."""
    few, many = (plots.gallery({"s": RANDOM.random((n, 1, 20))}) for n in (5, 14))
    assert few.get_figwidth() / 5 > 1.5 * many.get_figwidth() / 14
    assert plots.aspect_ratio(RANDOM.random((1, 20))) < 1


def test_images_have_one_width() -> None:
    """The width of an image does not depend on how many a row has; its height follows its shape."""
    image = np.zeros((1, 6, 12))
    assert tile_inches(image, 1) == tile_inches(image, 100)
    assert plots.aspect_ratio(image) == pytest.approx(0.5)


def test_gaps_do_not_decide_limits() -> None:
    """Series with gaps are drawn between their observed values; one without any is left out."""
    x = np.array([[0.0, np.nan, 10.0]])
    assert common_limits([x, np.full((1, 3), np.nan), None]) == (-0.5, 10.5)
    assert common_limits([np.full((1, 3), np.nan)]) == (-0.5, 0.5)
