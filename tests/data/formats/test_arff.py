"""Series in `.arff` files: one channel or a relational attribute, errors with the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import arff

from tests.data.formats.text_files import alter, as_labels, write_file
from unwarp.data.formats.files import read
from unwarp.data.series import pad
from unwarp.errors import DataError, UnwarpError

ONE = """% a comment
@RELATION 'made up'

@attribute att0 numeric
@ATTRIBUTE att1 REAL
@attribute target {1,2}
@data
1,-2.5,1
% between
3e1,?,2
"""
MANY = r"""@relation made
@attribute relationalAtt relational
@attribute t0 numeric
@attribute t1 numeric
@attribute t2 numeric
@end relationalAtt
@attribute 'what it is' {walk,'not walk'}
@data
'1,2,3\n4,?,6',walk
"7,?,?\n8,?,?",'not walk'
"""


def test_one_channel_with_labels(tmp_path: Path) -> None:
    """Numeric attributes are time steps, the nominal one is the label, missing ends are cut."""
    source = read(write_file(tmp_path, "a.arff", ONE))
    assert [row.tolist() for row in source.x] == [[[1.0, -2.5]], [[30.0]]]
    assert as_labels(source) == [1, 2]
    assert source.domain == "series" and source.description.startswith(
        "2 series, 1 to 2 time steps, 1 channel"
    )


def test_relational_channels(tmp_path: Path) -> None:
    """A relational cell holds channels; quotes are removed and padding is cut."""
    source = read(write_file(tmp_path, "a.arff", MANY))
    np.testing.assert_array_equal(source.x[0], [[1, 2, 3], [4, np.nan, 6]])
    np.testing.assert_array_equal(source.x[1], [[7], [8]])
    assert as_labels(source) == ["walk", "not walk"]


@pytest.mark.parametrize("label", ["label {a,b}", "class string", "'the class' {a, b}"])
def test_label_may_come_first(tmp_path: Path, label: str) -> None:
    """A label is recognised by its type, in any column."""
    source = read(
        write_file(
            tmp_path,
            "a.arff",
            f"@relation r\n@attribute {label}\n@attribute x real\n@data\na,1\nb,2\n",
        )
    )
    assert source.x.tolist() == [[1.0], [2.0]]
    assert as_labels(source) == ["a", "b"]


def test_numeric_label_needs_a_name(tmp_path: Path) -> None:
    """Without a nominal attribute, only a numeric one named `class` is a label."""
    source = read(
        write_file(
            tmp_path,
            "a.arff",
            "@relation r\n@attribute a real\n@attribute b integer\n@data\n1,2\n3,4\n",
        )
    )
    assert source.x.tolist() == [[1.0, 2.0], [3.0, 4.0]] and source.labels is None
    named = read(
        write_file(
            tmp_path,
            "a.arff",
            "@relation r\n@attribute a real\n@attribute class integer\n@data\n1,2\n3,4\n",
        )
    )
    assert named.x.tolist() == [[1.0], [3.0]]
    assert as_labels(named) == [2, 4]


def test_one_channel_agrees_with_scipy(tmp_path: Path) -> None:
    """SciPy reads the same values and labels."""
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(30, 12)).astype(np.float32), rng.integers(0, 3, 30)
    head = "".join(f"@attribute att{k} numeric\n" for k in range(12))
    body = "\n".join(
        ",".join(map(repr, [*row, label]))
        for row, label in zip(x.tolist(), labels.tolist(), strict=True)
    )
    path = write_file(
        tmp_path, "a.arff", f"@relation r\n{head}@attribute target {{0,1,2}}\n@data\n{body}\n"
    )
    table, _ = arff.loadarff(path)
    source = read(path)
    np.testing.assert_array_equal(source.x, x)
    np.testing.assert_array_equal(
        source.x, np.array([list(row)[:-1] for row in table.tolist()], np.float32)
    )
    np.testing.assert_array_equal(source.labels, [int(row[-1]) for row in table])


def test_channels_agree_with_ts(real_data: Path, tmp_path: Path) -> None:
    """A published `.ts` file, rewritten as `.arff`, gives the same series and labels."""
    ts = read(real_data / "uea" / "BasicMotions" / "BasicMotions_TRAIN.ts")
    assert ts.labels is not None
    head = "".join(f"@attribute t{k} numeric\n" for k in range(100))
    cells = (r"\n".join(",".join(map(repr, channel)) for channel in row) for row in ts.x.tolist())
    body = "\n".join(f"'{cell}',{label}" for cell, label in zip(cells, ts.labels, strict=True))
    head = f"@attribute all relational\n{head}@end all\n@attribute activity string\n"
    source = read(write_file(tmp_path, "a.arff", f"@relation r\n{head}@data\n{body}\n"))
    np.testing.assert_array_equal(source.x, ts.x)
    np.testing.assert_array_equal(source.labels, ts.labels)


HEAD = "@relation r\n@attribute a real\n@attribute b real\n@attribute c {u,v}\n@data\n"
RELATIONAL = (
    "@relation r\n@attribute m relational\n@attribute a real\n@attribute b real\n@end m\n@data\n"
)
ERRORS = {
    "no data": ("@relation r\n@attribute a real\n@data\n", "no series after a line @data"),
    "no @data": ("@relation r\n@attribute a real\n1,2\n", "no series after a line @data"),
    "something else above": (
        "@relation r\nhello\n@data\n1\n",
        "line 2: 'hello' comes before @data",
    ),
    "an attribute without a type": (
        "@relation r\n@attribute a\n@data\n1\n",
        "line 2: .* needs a name and a type",
    ),
    "no values": ("@relation r\n@attribute c {u}\n@data\nu\n", "attributes do not describe series"),
    "two labels": (
        "@attribute a real\n@attribute c {u}\n@attribute d {u}\n@data\n1,u,u\n",
        "at most one label",
    ),
    "dates": ('@attribute a date "yyyy"\n@attribute b real\n@data\n"1999",1\n', "a is date"),
    "values beside a relation": (
        "@attribute m relational\n@attribute a real\n@end m\n@attribute b real\n@data\n'1',2\n",
        "attributes do not describe series",
    ),
    "a sparse line": (HEAD + "{0 1}\n", "line 6 has Weka.s sparse format"),
    "a short line": (HEAD + "1,2,u\n1,u\n", "line 7 has 2 cells, the header declares 3"),
    "a word": (HEAD + "1,2,u\n1,x,u\n", "line 7, channel 1, value 2: 'x'"),
    "an open quote": (HEAD + "1,2,'u\n", "line 6: a quote is not closed"),
    "a missing label": (HEAD + "1,2,?\n", "line 6 has no label"),
    "a series of gaps": (HEAD + "1,2,u\n?,?,u\n", "line 7 has only missing values"),
    "a short channel": (
        RELATIONAL + r"'1,2\n3'" + "\n",
        "line 7, channel 2 has 1 values, the header declares 2",
    ),
    "channels that change": (
        RELATIONAL + r"'1,2\n3,4'" + "\n'1,2'\n",
        "line 8 has 1 channels, .*line 7 has 2",
    ),
}


@pytest.mark.parametrize(("text", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_arff_errors_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    """A line that does not fit the header is refused by its number."""
    with pytest.raises(DataError, match=message):
        read(write_file(tmp_path, "a.arff", text))


@given(seed=st.integers(0, 2**32))
def test_altered_arff_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """A damaged file gives finite series or a typed error that names it, never another error."""
    altered = alter(MANY if seed % 2 else ONE, seed, "0.,;-e?@%{}N \n\\\"'\0é")
    path = write_file(tmp_path_factory.mktemp("altered"), "a.arff", altered)
    try:
        assert np.isfinite(pad(read(path).x, "interpolate")[0]).all()
    except UnwarpError as error:
        assert path.name in str(error) or "no value at all" in str(error)


def test_undeclared_label_is_refused(tmp_path: Path) -> None:
    """A label that the header does not declare is refused with its line and those declared."""
    text = ONE.replace("{1,2}", "{1, 'not 2', \"2\"}")
    assert as_labels(read(write_file(tmp_path, "a.arff", text))) == [1, 2]
    with pytest.raises(DataError, match=r"line 8 has the label '3', the .* declares 1, not 2, 2"):
        read(write_file(tmp_path, "a.arff", text.replace("-2.5,1", "-2.5,3")))
