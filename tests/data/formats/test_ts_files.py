"""Files in the `.ts` format: each line agrees with the header, errors name the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.formats.text_files import alter, as_labels, as_lists, as_times, write_file
from unwarp.data.formats.files import read
from unwarp.data.series import pad
from unwarp.errors import DataError, UnwarpError

CHANNELS = """#A comment: with a colon
@problemName made
@timeStamps false
@missing true
@univariate false
@dimensions 2
@equalLength false
@classLabel true a b
@data
1,2,?:3,4,5:a

0.5,6:NaN,8:b
"""
TIMED = """@timeStamps true
@univariate true
@targetLabel true
@data
(1970-01-01 00:00:00,1),(1970-01-01 00:00:30,?),(1970-01-01 00:01:30,4):0.5
(0.5,7),(2,8):-2
"""


def test_ts_channels_and_labels(tmp_path: Path) -> None:
    """Channels, unequal lengths, gaps and labels come back as written."""
    source = read(write_file(tmp_path, "a.ts", CHANNELS))
    assert as_lists(source) == [[[1.0, 2.0, None], [3.0, 4.0, 5.0]], [[0.5, 6.0], [None, 8.0]]]
    assert as_labels(source) == ["a", "b"]
    assert source.description.startswith(
        "2 series, 2 to 3 time steps, 2 channels, float32 0.5 to 8, 2 missing"
    )


def test_ts_time_stamps(tmp_path: Path) -> None:
    """Dates become seconds, numbers stay, and gaps are filled along these times."""
    source = read(write_file(tmp_path, "a.ts", TIMED))
    assert as_lists(source) == [[[1.0, None, 4.0]], [[7.0, 8.0]]]
    assert as_times(source) == [[0.0, 30.0, 90.0], [0.5, 2.0]]
    assert as_labels(source) == [0.5, -2.0]
    assert pad(source.x, "interpolate", source.times)[0][0, 0].tolist() == [1.0, 2.0, 4.0]


def test_ts_equal_lengths_make_arrays(tmp_path: Path) -> None:
    """Series of one length become one array, and so do their times."""
    text = "@timestamps true\n@data\n(0,1),(1,2):(0,3),(1,4)\n(5,6),(9,7):(5,8),(9,9)\n"
    source = read(write_file(tmp_path, "a.TS", text))
    assert source.x.tolist() == [[[1, 2], [3, 4]], [[6, 7], [8, 9]]] and source.labels is None
    assert isinstance(source.times, np.ndarray) and source.times.tolist() == [[0, 1], [5, 9]]


def test_ts_header_in_latin_1(tmp_path: Path) -> None:
    """A comment in an old encoding does not prevent reading."""
    (tmp_path / "a.ts").write_bytes(b"#pp 119\x96127\n@data\n1,2\n3,4\n")
    assert read(tmp_path / "a.ts").x.tolist() == [[1, 2], [3, 4]]


HEAD = "@classLabel true a b\n@equalLength true\n@seriesLength 2\n@data\n"
ERRORS = {
    "no body": ("@problemName x\n@data\n", "no series after a line @data"),
    "no @data": ("@problemName x\n", "no series after a line @data"),
    "data before @data": ("1,2\n@data\n1,2\n", "line 1: '1,2' comes before @data"),
    "a flag that is none": ("@timeStamps maybe\n@data\n1,2\n", "@timestamps is 'maybe'"),
    "a count that is none": ("@dimensions two\n@data\n1,2\n", "@dimensions is 'two'"),
    "too few channels": (
        "@dimensions 2\n@data\n1,2:3,4\n1,2\n",
        "line 4 has 1 channels, expected 2",
    ),
    "too many channels": (
        "@univariate true\n@data\n1,2:3,4\n",
        "line 3 has 2 channels, expected 1",
    ),
    "channels that change": ("@data\n1,2:3,4\n1,2\n", "line 3 has 1 channels, expected 2"),
    "channels of two lengths": (
        "@data\n1,2:3\n",
        "line 2, channel 2 has 1 values, channel 1 has 2",
    ),
    "a length that differs": (HEAD + "1,2:a\n1,2,3:b\n", "line 6 has 3 values, expected 2"),
    "an unknown label": (
        HEAD + "1,2:a\n1,2:c\n",
        "line 6 has the label 'c', @classLabel declares a, b",
    ),
    "a lost label": (HEAD + "1,2:a\n1,2\n", "line 6 has no label after a colon"),
    "a target that is a word": (
        "@targetlabel true\n@data\n1,2:x\n",
        "line 3 has the target 'x'",
    ),
    "an empty channel": ("@data\n1,2:\n", "line 2, channel 2 is empty"),
    "a line of gaps": ("@data\n1,2\n?,?\n", "line 3 has only missing values"),
    "a word": ("@data\n1,2\n3,four\n", "line 3, channel 1, value 2: 'four'"),
    "values without stamps": (
        "@timestamps true\n@data\n1,2\n",
        r"line 3, channel 1: '1,2' is not a list of",
    ),
    "a cut stamp": (
        "@timestamps true\n@data\n(0,1),(1,2\n",
        r"line 3, channel 1: .* is not a list of",
    ),
    "a stamp that is none": (
        "@timestamps true\n@data\n(noon,1)\n",
        "line 3, channel 1, value 1: 'noon'",
    ),
    "stamps that fall": (
        "@timestamps true\n@data\n(1,1),(0,1)\n",
        "line 3, channel 1: time stamps do not increase",
    ),
    "stamps that differ": (
        "@timestamps true\n@data\n(0,1),(1,1):(0,1),(2,1)\n",
        "line 3, channel 2: time stamps do not increase, or differ from those of channel 1",
    ),
}


@pytest.mark.parametrize(("text", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_ts_errors_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    """A line that contradicts the header or another line is refused by its number."""
    with pytest.raises(DataError, match=message):
        read(write_file(tmp_path, "a.ts", text))


@given(text=st.sampled_from([CHANNELS, TIMED]), seed=st.integers(0, 2**32))
def test_altered_ts_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str, seed: int
) -> None:
    """A damaged file gives finite series or a typed error that names it, never another error."""
    altered = alter(text, seed, "0.,:;-e?@#()NaN \n\t\"'\0é")
    path = write_file(tmp_path_factory.mktemp("altered"), "a.ts", altered)
    try:
        source = read(path)
        assert np.isfinite(pad(source.x, "interpolate", source.times)[0]).all()
    except UnwarpError as error:
        assert path.name in str(error) or "no value at all" in str(error)


def test_truncated_ts_gives_whole_lines(tmp_path: Path) -> None:
    """Wherever a file is cut, it is refused or gives the series of its whole lines."""
    complete = as_lists(read(write_file(tmp_path, "a.ts", CHANNELS)))
    for end in range(CHANNELS.index("@data"), len(CHANNELS)):
        try:
            series = as_lists(read(write_file(tmp_path, "a.ts", CHANNELS[:end])))
        except DataError as error:
            assert "a.ts" in str(error)
        else:
            assert series == complete[: len(series)]


@pytest.mark.parametrize(
    ("ts", "other", "tolerance"),
    [
        ("GunPoint", "ucr/GunPoint/GunPoint_TRAIN.tsv", 1e-6),
        (
            "PickupGestureWiimoteZ",
            "ucr/PickupGestureWiimoteZ/PickupGestureWiimoteZ_TRAIN.tsv",
            0.0,
        ),
    ],
)
def test_ts_agrees_with_tsv(real_data: Path, ts: str, other: str, tolerance: float) -> None:
    """A set that is published in both formats has the same series and labels in both."""
    first = read(real_data / "ucr-ts" / ts / f"{ts}_TRAIN.ts")
    second = read(real_data / other)
    np.testing.assert_array_equal(first.labels, second.labels)
    for a, b in zip(first.x, second.x, strict=True):
        np.testing.assert_allclose(a, b, atol=tolerance)
