"""One sample far from all others decides neither the scale nor the training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unwarp.data import blocks
from unwarp.data.outliers import limit, outlier_rows, warn_of_outliers
from unwarp.data.scale_fitting import fit_scaler
from unwarp.data.schema import Reading, Schema
from unwarp.data.source import Source
from unwarp.errors import DataWarning

WAVES = np.sin(np.linspace(0, 6, 30) + np.arange(20)[:, None])[:, None]
IMAGES = np.random.default_rng(0).random((9, 1, 8, 8))


@pytest.mark.parametrize("offset", [0.0, 300.0, -1e5])
@pytest.mark.parametrize("value", [1e20, -1e20, 3e38])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outliers_are_named(offset: float, value: float, dtype: type) -> None:
    """One series with a huge value is an outlier; with an offset alone, none is."""
    x = (WAVES + offset).astype(dtype)
    assert not outlier_rows(x).size and not outlier_rows(x, "channel").size
    x[7, 0, 3] = value
    assert outlier_rows(x).tolist() == outlier_rows(x, "channel").tolist() == [7]
    assert not outlier_rows(x, "each").size and not outlier_rows(x, None).size


@pytest.mark.parametrize("scale", ["auto", "channel"])
@pytest.mark.parametrize(("x", "domain"), [(WAVES, "series"), (IMAGES * 7, "image")])
def test_outliers_do_not_scale(x: np.ndarray, domain: str, scale: Any) -> None:
    """The samples beside an outlier are scaled as without it, and a warning names the outlier."""
    scale = scale if domain == "series" else "auto"
    x = x.copy()
    x[4, 0, 0] = 1e20
    with pytest.warns(DataWarning, match=r"sample 4 of X has values from .* to 1e\+20, all others"):
        schema, data = Schema.fit(Source(x, domain=domain), Reading(scale=scale))
    rest = np.delete(x, 4, 0)
    assert schema.scaler == fit_scaler(rest, domain, scale) or scale == "channel"
    expected = fit_scaler(rest, domain, scale).apply(rest)
    np.testing.assert_array_equal(np.delete(data.x.numpy(), 4, 0), expected)
    low, high = (0, 1) if domain == "image" else (-10, 10)
    assert low <= data.x.min() and data.x.max() <= high


def test_usual_samples_are_no_outliers() -> None:
    """Gains over three decades, constant series, pairs and channels of other sizes do not count."""
    gains = 10.0 ** np.linspace(0, 3, 20)[:, None, None]
    constant = np.where(np.arange(20)[:, None, None] < 15, 5.0, WAVES)
    channels = np.concatenate([WAVES, 1e9 * WAVES], 1)
    for x in (
        WAVES * gains,
        constant,
        channels,
        np.zeros((3, 1, 4)),
        WAVES[:2] * [[[1.0]], [[1e9]]],
    ):
        assert not outlier_rows(x).size and not outlier_rows(x, "channel").size


def test_channel_outliers_are_found() -> None:
    """With `channel`, a channel of small values has outliers of its own."""
    x = np.concatenate([WAVES, 1e9 * WAVES], 1)
    x[3, 0, 0] = 1e7
    assert outlier_rows(x, "channel").tolist() == [3] and not outlier_rows(x).size


def test_blocks_give_the_same_outliers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of one sample give the outliers of the whole."""
    x = WAVES.copy()
    x[[2, 11], 0, 5] = 1e9
    monkeypatch.setattr(blocks, "NUMBERS_PER_BLOCK", 1)
    assert outlier_rows(x).tolist() == [2, 11]


@pytest.mark.parametrize("scale", ["auto", "channel"])
@pytest.mark.parametrize(("ratio", "rows"), [(1e4, []), (1.0001e4, [5])])
def test_outliers_are_far_from_the_median(scale: Any, ratio: float, rows: list[int]) -> None:
    """An outlier is more than 10,000 times as far from the centre as the median sample."""
    sizes = np.array([1.0, 1.0, 1.0, 0.0, 0.5, ratio])
    for signs in ([-1.0, 1.0], [1.0, -1.0]):
        x = 3.0 + sizes[:, None, None] * np.array(signs)
        x[3] = 3.0  # a constant sample at the centre does not count
        assert outlier_rows(x, scale).tolist() == rows


def test_bytes_have_no_outliers() -> None:
    """Numbers of type uint8 have a fixed scale, which no sample decides."""
    x = np.zeros((9, 1, 8), np.uint8)
    x[:, 0, 0], x[4] = 1, 255
    x[:, 0, 1:] = 0
    assert not outlier_rows(x).size and not outlier_rows(x, "channel").size
    assert not outlier_rows(np.full((3, 1, 4), 2.0)).size


@pytest.mark.parametrize("n", [1, 2, 3])
def test_warning_counts_the_outliers(n: int) -> None:
    """The first outlier is described, the number of others told, at the line of the caller."""
    x = WAVES.copy()
    x[:, 0, :2] = [-3.0, 2.0]
    rows = np.array([4, 9, 11])[:n]
    x[rows, 0, 7], x[rows, 0, 8] = 5e20, -1e20
    more = {1: "", 2: ", and 1 more,", 3: ", and 2 more,"}[n]
    with pytest.warns(DataWarning) as caught:
        warn_of_outliers(x, rows)
    (warning,) = caught
    assert warning.filename == __file__
    assert str(warning.message).startswith(
        f"sample 4 of X{more} has values from -1e+20 to 5e+20, all others from -3 to 2; it does"
    )


def test_outliers_are_limited() -> None:
    """Scaled outliers are brought to ten deviations, or to [0, 1]; gaps stay gaps."""
    scaled = np.array([[[-1e9, -10.0, -0.5, 0.5, 10.0, 1e9, np.nan]]], np.float32)
    series = [-10.0, -10.0, -0.5, 0.5, 10.0, 10.0, np.nan]
    np.testing.assert_array_equal(limit(scaled, is_bounded=False)[0, 0], series)
    images = [0.0, 0.0, 0.0, 0.5, 1.0, 1.0, np.nan]
    np.testing.assert_array_equal(limit(scaled, is_bounded=True)[0, 0], images)
