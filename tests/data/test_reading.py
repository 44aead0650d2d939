"""`Reading` checks the options of a user and parses samples by them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.reading import Reading
from unwarp.data.schema import Schema
from unwarp.data.source import Source
from unwarp.errors import ConfigError, DataError

SERIES = Source(np.random.default_rng(0).normal(size=(4, 9)))


def test_unknown_domain_is_refused() -> None:
    """The error for an unknown domain lists the registered ones."""
    images = Source(np.zeros((6, 12, 10), np.uint8))
    with pytest.raises(ConfigError, match="choose one of auto, image, series"):
        Schema.fit(images, Reading(domain="picture"))


def test_parsed_series_keep_times() -> None:
    """Parsing moves the time stamps into the samples, and a subset takes its own."""
    times = np.cumsum(np.ones((4, 9)), 1) * np.arange(1, 5)[:, None]
    source = Reading().parse(Source(SERIES.x, times=times))
    assert source.times is None and source.domain == "series"
    part = source.subset([2]).x
    assert isinstance(part, IrregularSeries) and part.times[0].tolist() == times[2].tolist()


def test_parsing_refuses_gaps() -> None:
    """A missing value is refused unless the reading says how to treat it."""
    x = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 3.0]])
    with pytest.raises(DataError, match="sample 0, channel 0, time index 1 is missing"):
        Reading().parse(Source(x))
    assert len(Reading(missing="mask").parse(Source(x))) == 2


@pytest.mark.parametrize(
    "sampling_rate", ["a", "250", [5.0], np.array([5.0, 6.0]), 0, -1.0, np.inf, np.nan]
)
def test_sampling_rate_is_checked(sampling_rate: Any) -> None:
    """A sampling rate that is not a positive finite number is refused."""
    with pytest.raises(ConfigError, match="must be positive"):
        Schema.fit(SERIES, Reading(sampling_rate=sampling_rate))


@pytest.mark.parametrize("sampling_rate", [250, 250.0, np.float32(250), np.int64(250)])
def test_sampling_rate_is_any_number(sampling_rate: Any) -> None:
    """Any positive number is a sampling rate, also one of NumPy."""
    schema, _ = Schema.fit(SERIES, Reading(sampling_rate=sampling_rate))
    assert schema.times[-1] == 8 / 250


@pytest.mark.parametrize("option", [{"sampling_rate": 5.0}, {"missing": "mask"}])
def test_images_have_no_options_of_series(option: dict[str, Any]) -> None:
    """Options of series are refused for images as soon as they are parsed."""
    name, value = next(iter(option.items()))
    with pytest.raises(ConfigError, match=f"{name}={value!r} .*these samples are images"):
        Reading(**option).parse(Source(np.zeros((3, 1, 9, 9))))
