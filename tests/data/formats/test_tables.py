"""Tables: wide and long ones are told apart by their names, nothing is dropped, refusals name line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwarp.data.formats.files import read
from unwarp.data.series import pad
from unwarp.data.source import Source
from unwarp.errors import DataError, UnwarpError

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
WIDE = "id,label,t0,t1,t2\na,1,0.5,NA,2\nb,2,3,4,\n"
LONG = "id,time,x,y,label\nu,1,10,20,1\nu,0,11,,1\nv,5,12,22,2\n"
TIDY = "case_id,dim_id,reading_id,value\n0,p,0,1\n0,q,0,2\n0,q,1,3\n1,q,7,4\n"


def put(folder: Path, text: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rows(source: Source) -> list[list[list[float | None]]]:
    """Every series (C, T_i) as lists, None where missing."""
    return [
        [[None if np.isnan(v) else v for v in line] for line in np.atleast_2d(x).tolist()]
        for x in source.x
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_wide_table_has_names_labels_gaps_and_lengths(
    tmp_path: Path, mark: str, end: str
) -> None:
    source = read(put(tmp_path, WIDE.replace(",", mark).replace("\n", end)))
    assert rows(source) == [[[0.5, None, 2.0]], [[3.0, 4.0]]]
    assert source.names == ["a", "b"] and source.domain == "series" and source.times is None
    assert source.labels is not None and source.labels.tolist() == [1, 2]
    assert source.description.endswith("wide table, a row per series, name 'id', label 'label'")


def test_a_long_table_is_ordered_by_time(tmp_path: Path) -> None:
    source = read(put(tmp_path, LONG))
    assert rows(source) == [[[11.0, 10.0], [None, 20.0]], [[12.0], [22.0]]]
    assert (
        source.names == ["u", "v"]
        and source.labels is not None
        and source.labels.tolist() == [1, 2]
    )
    assert source.times is not None and [t.tolist() for t in source.times] == [[0, 1], [5]]
    assert source.description.endswith(
        "long table, name 'id', time 'time', label 'label', channels x, y"
    )


def test_a_column_may_name_the_channel(tmp_path: Path) -> None:
    source = read(put(tmp_path, TIDY))
    assert rows(source) == [[[1.0, None], [2.0, 3.0]], [[None], [4.0]]]
    assert source.times is not None and [t.tolist() for t in source.times] == [[0, 1], [7]]
    assert source.description.endswith("channels p, q")


def test_row_numbers_beside_names_are_passed_over_and_said_so(tmp_path: Path) -> None:
    for text in (LONG, WIDE):
        plain = read(put(tmp_path, text))
        numbered = "".join(
            f"{'' if k == 0 else k},{line}\n" for k, line in enumerate(text.splitlines())
        )
        source = read(put(tmp_path, numbered))
        assert rows(source) == rows(plain) and source.names == plain.names
        assert source.description == plain.description + ", the column without a name passed over"


def test_dates_become_seconds(tmp_path: Path) -> None:
    text = (
        "unique_id,ds,y\na,1970-01-02,1\na,1970-01-01T00:00:01.5,2\nb,1970-01-01T01:00:00+01:00,3\n"
    )
    source = read(put(tmp_path, text))
    assert source.times is not None and [t.tolist() for t in source.times] == [
        [1.5, 86400.0],
        [0.0],
    ]
    assert rows(source) == [[[2.0, 1.0]], [[3.0]]] and source.labels is None


def test_equal_lengths_make_arrays(tmp_path: Path) -> None:
    source = read(put(tmp_path, "id,t,a,b\nu,0,1,2\nv,0,3,4\nu,1,5,6\nv,2,7,8\n"))
    assert source.x.tolist() == [[[1, 5], [2, 6]], [[3, 7], [4, 8]]]
    assert isinstance(source.times, np.ndarray) and source.times.tolist() == [[0, 1], [0, 2]]


@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("label", [None, "label", "class", "y", "Target"])
def test_what_pandas_writes_comes_back(
    tmp_path: Path, header: bool, index: bool, label: str | None
) -> None:
    frame = pd.DataFrame(X, columns=[f"step {k}" for k in range(4)])
    if label is not None and header:
        frame[label] = list("uvuvu")
    frame.to_csv(tmp_path / "a.csv", header=header, index=index and header)
    source = read(tmp_path / "a.csv")
    np.testing.assert_array_equal(source.x, X)
    assert source.names == (list("01234") if index and header else None)
    assert (source.labels is not None) == (label is not None and header)


def test_names_of_columns_may_be_the_times(tmp_path: Path) -> None:
    pd.DataFrame(X[:2], columns=["0.5", "1", "2.5", "9"]).assign(label=[1, 2]).to_csv(
        tmp_path / "a.csv", index=False
    )
    source = read(tmp_path / "a.csv")
    assert isinstance(source.times, np.ndarray) and source.times.tolist() == [[0.5, 1, 2.5, 9]] * 2
    pd.DataFrame(X).to_csv(tmp_path / "a.csv")
    assert read(tmp_path / "a.csv").times is None


@pytest.mark.parametrize("text", ["walk,7,2\nrun,3,4\n", "7,2,walk\n3,4,run\n"])
def test_a_table_without_names_may_have_words_for_labels(tmp_path: Path, text: str) -> None:
    source = read(put(tmp_path, text))
    assert rows(source) == [[[7, 2]], [[3, 4]]]
    assert source.labels is not None and source.labels.tolist() == ["walk", "run"]
    assert "columns not named" in source.description


def test_numbers_alone_are_all_values(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.csv", X, delimiter=",")
    source = read(tmp_path / "a.csv")
    np.testing.assert_allclose(source.x, X, rtol=1e-6)
    assert source.labels is None


REFUSED = {
    "a first line that counts": (
        "0,1,2\n3,4,5\n",
        r"first line counts 0, 1, \.\.\. and could be names",
    ),
    "a first line that counts, with a label": (
        "walk,1,2\nrun,4,5\n",
        r"first line counts 1, 2, \.\.\.",
    ),
    "a header alone": ("label,a,b\n", "holds names of columns and no row"),
    "a ragged row": ("a,b\n1,2\n3\n", "line 3 has 1 cells, line 1 has 2"),
    "a word": ("a,b\n1,2\n3,x\n", "line 3, column 'b': 'x' is not a number"),
    "a decimal comma": ("a;b\n1,5;2\n", "line 2, column 'a': '1,5' is not a number"),
    "a damaged cell without names": ("1.5,2\n3,4\n5x,6\n", "line 3, column '1': '5x'"),
    "a missing label": ("label,a\n1,2\n,3\n", "line 3, column 'label' has no label"),
    "two labels": ("label,class,a\n1,2,3\n", "columns 'label' and 'class' could both be the label"),
    "two names": ("id,case_id,a\n1,2,3\n", "columns 'id' and 'case_id' could both be the id"),
    "labels alone": ("id,label\n1,2\n", "no column of values"),
    "a series of gaps": ("a,b\n1,2\n,NaN\n", "line 3 holds no value"),
    "an open quote": ('a,b\n1,"2\n', "damaged or cut short"),
    "a time without a series": ("time,a\n1,2\n", "'time', which reads two ways"),
    "a time twice": (
        "id,time,a\nu,1,2\nv,1,3\nu,1.0,4\n",
        "line 4, column 'time' repeats 1 in one series",
    ),
    "a time that is none": ("id,time,a\nu,noon,2\n", "line 2, column 'time': 'noon' is neither"),
    "a missing time": ("id,time,a\nu,,2\n", "line 2, column 'time': '' is neither"),
    "a missing name": ("id,time,a\nu,1,2\n,2,3\n", "line 3, column 'id' is missing"),
    "a label that changes": (
        "id,time,a,label\nu,1,2,x\nu,2,2,y\n",
        "line 3, column 'label' is 'y', before it was 'x'",
    ),
    "no values": ("id,time,label\nu,1,2\n", "needs a column of values; it has none"),
    "two columns for a channel": (
        "id,time,channel,a,b\nu,1,p,2,3\n",
        "one column of values beside 'channel'",
    ),
    "a channel's time twice": (
        "id,t,dim,v\nu,1,p,2\nu,1,q,2\nu,1,p,3\n",
        "line 4, column 't' repeats 1",
    ),
    "a long series of gaps": ("id,time,a\nu,1,2\nv,1,\n", "line 3, .* has no value at all"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(put(tmp_path, text))


@given(seed=st.integers(0, 2**32), text=st.sampled_from([WIDE, LONG, TIDY]))
def test_an_altered_table_is_read_or_refused_by_type(
    tmp_path_factory: pytest.TempPathFactory, seed: int, text: str
) -> None:
    rng = np.random.default_rng(seed)
    cells = list(text)
    for _ in range(rng.integers(1, 4)):
        at, stop = sorted(rng.integers(0, len(cells) + 1, 2))
        cells[at : min(stop, at + rng.integers(0, 9))] = rng.choice(
            list("0.,;-e?N \n\\\"'\0é"), rng.integers(0, 4)
        )
    path = put(tmp_path_factory.mktemp("altered"), "".join(cells))
    try:
        source = read(path)
        assert np.isfinite(pad(source.x, "interpolate", source.times)[0]).all()
    except UnwarpError as error:
        assert path.name in str(error) or "no value at all" in str(error)
