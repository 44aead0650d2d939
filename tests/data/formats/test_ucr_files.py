"""Files with a series a line: values as published, errors with the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.formats.text_files import alter, as_labels, as_lists, write_file
from unwarp.data.formats.files import read
from unwarp.data.hints import Hints
from unwarp.data.series import pad
from unwarp.errors import DataError, UnwarpError

TSV = "1\t0.5\t-1.5\t2e1\n2\t0.25\tNaN\t0.5\n1\t1\t2\tNaN\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", TSV),
        ("a_TRAIN", TSV.replace("\t", ",")),
        ("a.txt", "\n".join("  " + line for line in TSV.replace("\t", "   ").split("\n"))),
        ("windows.tsv", "\ufeff" + TSV.replace("\n", "\r\n") + "\r\n"),
        ("empty-cells.tsv", TSV.replace("NaN", "")),
        ("exponents.txt", TSV.replace("\t", " ").replace("1 0.5", "1.0000000e+000 5.0e-001")),
    ],
)
def test_ucr_layouts_agree(tmp_path: Path, name: str, text: str) -> None:
    """Separators, line ends and notations of numbers change no value."""
    source = read(write_file(tmp_path, name, text))
    assert as_lists(source) == [[[0.5, -1.5, 20.0]], [[0.25, None, 0.5]], [[1.0, 2.0]]]
    assert as_labels(source) == [1, 2, 1]
    assert (source.domain, source.names, source.times) == ("series", None, None)
    assert source.description.startswith(
        "3 series, 2 to 3 time steps, 1 channel, float32 -1.5 to 20, 1 missing; UCR layout"
    )


TIMES = {
    "even": np.arange(0, 120, 10),
    "uneven": np.arange(12) ** 2,
    "newest first": np.arange(12)[::-1],
    "repeated": np.r_[:7, 6:11],
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize("name", ["a.txt", "a.tsv", "a"])
def test_labels_that_increase_are_refused(tmp_path: Path, name: str, times: np.ndarray) -> None:
    """First cells unlike classes can be times or ids: both readings are told, and may be set."""
    x = np.random.default_rng(0).normal(size=(12, 4))
    np.savetxt(tmp_path / name, np.c_[times, x], ["%d"] + ["%.4f"] * 4, "\t")
    with pytest.raises(DataError, match=r"two ways: 12 series of 4 .*; 4 series of 12 steps"):
        read(tmp_path / name)
    if name == "a":
        return
    wide = read(tmp_path / name, hints=Hints(table="wide", label_column="1"))
    assert wide.x.shape == (12, 4) and as_labels(wide) == times.tolist()
    if len(set(times)) == 12:
        hints = Hints(table="columns", time_column="1")
        assert read(tmp_path / name, hints=hints).x.shape == (4, 12)


def test_first_cells_may_be_dates(tmp_path: Path) -> None:
    """Dates at the start of lines are times, also uneven ones; in no order they are refused."""
    days = ["2024-01-01", "2024-01-02", "2024-01-05", "2024-01-06", "2024-01-09", "2024-01-11"]
    lines = [f"{day}\t0.5\t{k}.25\t{k * k}.5\n" for k, day in enumerate(days)]
    for rows in (lines, lines[::-1]):
        source = read(write_file(tmp_path, "a.txt", "".join(rows)))
        assert as_lists(source)[1:] == [
            [[k + 0.25 for k in range(6)]],
            [[k * k + 0.5 for k in range(6)]],
        ]
    with pytest.raises(DataError, match="reads two ways"):
        read(write_file(tmp_path, "a.txt", "".join(lines[3:] + lines[:3])))


def test_equal_lengths_make_an_array(tmp_path: Path) -> None:
    """Series of one length become one array (N, T), gaps included."""
    source = read(write_file(tmp_path, "a.tsv", "1\t1\t2\n2\t3\t4\n1\tNaN\t4\n"))
    assert source.x.shape == (3, 2) and source.x.dtype == np.float32
    assert as_lists(source)[2] == [[None, 4.0]]


def test_plain_lines_have_no_labels(tmp_path: Path) -> None:
    """All cells of a `.data` file are values."""
    source = read(write_file(tmp_path, "a.data", "0.5 1  2\n3 4 5\n"))
    assert source.x.tolist() == [[0.5, 1, 2], [3, 4, 5]] and source.labels is None


ERRORS = {
    "an empty file": ("a.tsv", " \n\n", r"a\.tsv is empty"),
    "a ragged line": ("a.tsv", "1\t2\t3\n\n1\t2\n", r"line 3 has 1 values, .*line 1 has 2"),
    "a word among numbers": ("a.tsv", "1\t2\n1\tx2\n", r"line 2, value 1: 'x2' is not a number"),
    "a digit group": ("a.tsv", "1\t2\n1\t1_000\n", r"line 2, value 1: '1_000'"),
    "infinity": ("a.tsv", "1\t2\n1\t-inf\n", r"line 2, value 1: '-inf'"),
    "beyond float32": ("a.tsv", "1\t2\n1\t1e39\n", r"line 2, value 1: '1e39'"),
    "no label": ("a.tsv", "1\t2\nNaN\t3\n", r"line 2 has no label"),
    "a value for a label": (
        "a.tsv",
        "0.53\t2\n1\t3\n",
        r"line 1 starts with 0.53, which is not a class label",
    ),
    "a label alone": ("a.tsv", "1\n2\n", r"line 1 has 0 values"),
    "a series of gaps": ("a.tsv", "1\t2\n1\tNaN\n", r"line 2 has only missing values"),
    "no numbers and no suffix": ("plain", "hello, world\n", r"supported format.*\.npz.*\.ts"),
}


@pytest.mark.parametrize(("name", "text", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_ucr_errors_name_the_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    """A file that is not in the layout is refused with the line that breaks it."""
    with pytest.raises(DataError, match=message):
        read(write_file(tmp_path, name, text))


@given(suffix=st.sampled_from([".tsv", ".data", ""]), seed=st.integers(0, 2**32))
def test_altered_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, seed: int
) -> None:
    """A damaged file gives finite series or a typed error that names it, never another error."""
    text = TSV if suffix == ".tsv" else TSV.replace("\t", ",")
    altered = alter(text, seed, "0.,:;-e?@#()NaN \n\t\"'\0é")
    path = write_file(tmp_path_factory.mktemp("altered"), f"a{suffix}", altered)
    try:
        source = read(path)
        assert np.isfinite(pad(source.x, "interpolate", source.times)[0]).all()
    except UnwarpError as error:
        assert path.name in str(error) or "no value at all" in str(error)


def read_with_numpy(path: Path) -> tuple[np.ndarray, list[np.ndarray]]:
    """Labels and series of a UCR file as NumPy's own reader gives them."""
    table = np.genfromtxt(path, delimiter="\t")
    return table[:, 0], [
        row[: np.flatnonzero(~np.isnan(row))[-1] + 1].astype(np.float32) for row in table[:, 1:]
    ]


@pytest.mark.parametrize(
    "name",
    [
        "GestureMidAirD1",
        "PickupGestureWiimoteZ",
        "Chinatown",
        "ECG200",
        "Coffee",
        "SmoothSubspace",
        "BME",
        "Beef",
    ],
)
def test_ucr_archive_agrees_with_numpy(real_data: Path, name: str) -> None:
    """Published files have the values that NumPy reads from them."""
    for part in ("TRAIN", "TEST"):
        path = real_data / "ucr" / name / f"{name}_{part}.tsv"
        source = read(path)
        labels, series = read_with_numpy(path)
        np.testing.assert_array_equal(source.labels, labels)
        for x, expected in zip(source.x, series, strict=True):
            np.testing.assert_array_equal(np.ravel(x), expected)


@pytest.mark.parametrize(
    ("old", "new", "tolerance"),
    [
        ("Trace/Trace_TRAIN", "Trace/Trace_TRAIN.tsv", 1e-6),
        ("Coffee/Coffee_TEST", "Coffee/Coffee_TEST.tsv", 1e-4),
    ],
)
def test_ucr_2015_agrees_with_2018(real_data: Path, old: str, new: str, tolerance: float) -> None:
    """A set of both archives has the same series and labels, up to rounding."""
    first, second = read(real_data / "ucr-2015" / old), read(real_data / "ucr" / new)
    np.testing.assert_array_equal(first.labels, second.labels)
    for a, b in zip(first.x, second.x, strict=True):
        np.testing.assert_allclose(a, b, atol=tolerance)
