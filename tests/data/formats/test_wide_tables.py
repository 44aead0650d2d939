"""Wide tables: a row per series, with names, labels, gaps and times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.formats.text_files import as_labels, as_lists, write_file
from unwarp.data.formats.files import read
from unwarp.data.formats.wide_tables import times_of_names
from unwarp.errors import DataError

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
WIDE = "id,label,t0,t1,t2\na,1,0.5,NA,2\nb,2,3,4,\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_wide_columns_have_roles(tmp_path: Path, separator: str, line_end: str) -> None:
    """Names, labels, gaps and unequal lengths, with each separator and line end."""
    text = WIDE.replace(",", separator).replace("\n", line_end)
    source = read(write_file(tmp_path, "a.csv", text))
    assert as_lists(source) == [[[0.5, None, 2.0]], [[3.0, 4.0]]]
    assert source.names == ["a", "b"] and source.domain == "series" and source.times is None
    assert as_labels(source) == [1, 2]
    assert source.description.endswith("wide table, one row per series, name 'id', label 'label'")


@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("label", [None, "label", "class", "y", "Target"])
def test_pandas_tables_are_read(
    tmp_path: Path, header: bool, index: bool, label: str | None
) -> None:
    """A frame that pandas writes has the same values, row names and labels."""
    frame = pd.DataFrame(X, columns=[f"step {k}" for k in range(4)])
    if label is not None and header:
        frame[label] = list("uvuvu")
    frame.to_csv(tmp_path / "a.csv", header=header, index=index and header)
    source = read(tmp_path / "a.csv")
    np.testing.assert_array_equal(source.x, X)
    assert source.names == (list("01234") if index and header else None)
    assert (source.labels is not None) == (label is not None and header)


def test_column_names_may_be_times(tmp_path: Path) -> None:
    """Names that are increasing numbers are times, unless they only count."""
    frame = pd.DataFrame(X[:2], columns=["0.5", "1", "2.5", "9"]).assign(label=[1, 2])
    frame.to_csv(tmp_path / "a.csv", index=False)
    source = read(tmp_path / "a.csv")
    assert isinstance(source.times, np.ndarray) and source.times.tolist() == [[0.5, 1, 2.5, 9]] * 2
    pd.DataFrame(X).to_csv(tmp_path / "a.csv")
    assert read(tmp_path / "a.csv").times is None


HEADS = {
    "dates": ["2024-01-04", "2024-01-02", "2024-01-03", "2024-01-09", "2024-01-01"],
    "numbered": ["t10", "t11", "t12", "t8", "t9"],
    "decreasing": ["0.4", "0.3", "0.2", "0.1", "0.0"],
    "units": ["1 s", "500 ms", "2 s", "100 ms", "1 min"],
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_columns_are_sorted_by_time(tmp_path: Path, head: list[str]) -> None:
    """Names that are times out of order sort the columns, and the description says so."""
    frame = pd.DataFrame(np.c_[X, X[:, 0]], columns=head, index=pd.Index(list("abcde"), name="id"))
    frame.to_csv(tmp_path / "a.csv")
    source = read(tmp_path / "a.csv")
    times = times_of_names(head)
    assert times is not None and source.times is not None
    assert source.description.endswith("times are the names of columns, columns sorted by time")
    np.testing.assert_array_equal(source.times[0], np.sort(times))
    np.testing.assert_array_equal(source.x, frame.to_numpy()[:, np.argsort(times)])


def test_columns_of_one_time_are_refused(tmp_path: Path) -> None:
    """Two columns of one time have no order."""
    for head in (
        "id,0,1,2,2.0",
        "id,t4,t2,t4,t3",
        "id,2024-01-02,2024-01-01,2024-01-02,2024-01-03",
    ):
        with pytest.raises(DataError, match=r"two columns, .* name one time; remove one"):
            read(write_file(tmp_path, "a.csv", head + "\na,1,2,3,4\nb,5,6,8,9\n"))


def test_durations_name_columns(tmp_path: Path) -> None:
    """The first column of durations, without a fraction, is a step like the others."""
    steps = pd.to_timedelta(np.arange(12), unit="ms")
    x = np.random.default_rng(1).normal(size=(5, 12)).astype(np.float32)
    pd.DataFrame(x, columns=steps).to_csv(tmp_path / "a.csv", index=False)
    source = read(tmp_path / "a.csv")
    np.testing.assert_array_equal(source.x, x)
    assert source.times is not None
    np.testing.assert_allclose(source.times[0], np.arange(12) / 1000)


def test_times_of_day_pass_midnight(tmp_path: Path) -> None:
    """A night is no reason to sort its hours."""
    source = read(write_file(tmp_path, "a.csv", "id,22:00,23:00,0:00,1:00\na,1,2,3,4\nb,5,6,8,9\n"))
    assert source.x.tolist() == [[1, 2, 3, 4], [5, 6, 8, 9]]
    assert source.times is not None and (np.diff(source.times[0]) == 3600).all()
    assert source.description.endswith("times of day pass midnight")


@pytest.mark.parametrize("text", ["walk,7,2\nrun,3,4\n", "7,2,walk\n3,4,run\n"])
def test_words_without_header_are_labels(tmp_path: Path, text: str) -> None:
    """Without column names, a first or last column of words holds the labels."""
    source = read(write_file(tmp_path, "a.csv", text))
    assert as_lists(source) == [[[7, 2]], [[3, 4]]]
    assert as_labels(source) == ["walk", "run"]
    assert "columns not named" in source.description


def test_numbers_without_header_are_values(tmp_path: Path) -> None:
    """Without column names, numbers alone are all values."""
    np.savetxt(tmp_path / "a.csv", X, delimiter=",")
    source = read(tmp_path / "a.csv")
    np.testing.assert_allclose(source.x, X, rtol=1e-6)
    assert source.labels is None


ERRORS = {
    "a word": ("a,b\n1,2\n3,x\n", "line 3, column 'b': 'x' is not a number"),
    "a comma among points": ("a;b\n1,5;2.5\n", "line 2, column 'a': '1,5' is not a number"),
    "a damaged cell without names": ("1.5,2\n3,4\n5x,6\n", "line 3, column '1': '5x'"),
    "a missing label": ("label,a\n1,2\n,3\n", "line 3, column 'label' has no label"),
    "two labels": ("label,class,a\n1,2,3\n", "columns 'label' and 'class' could both be the label"),
    "two names": ("id,case_id,a\n1,2,3\n", "columns 'id' and 'case_id' could both be the id"),
    "labels alone": ("id,label\n1,2\n", "no column of values"),
    "a series of gaps": ("a,b\n1,2\n,NaN\n", "line 3 has only missing values"),
}


@pytest.mark.parametrize(("text", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_wide_errors_name_the_cell(tmp_path: Path, text: str, message: str) -> None:
    """A cell or a column that does not fit is refused by its location."""
    with pytest.raises(DataError, match=message):
        read(write_file(tmp_path, "a.csv", text))


def test_names_that_read_two_ways_are_refused(tmp_path: Path) -> None:
    """Days and months of the names of columns cannot be told apart."""
    path = tmp_path / "a.csv"
    path.write_text("id,01/02/2024,02/02/2024,03/02/2024\na,1,2,3\nb,2,3,4\n")
    with pytest.raises(DataError, match=r"column '01/02/2024'.* two ways"):
        read(path)
    path.write_text(path.read_text().replace("03/02", "13/02"))
    assert np.diff(np.asarray(read(path).times)[0]).tolist() == [86400.0, 11 * 86400.0]
