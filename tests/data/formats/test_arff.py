"""ARFF: one channel or a relational attribute, as SciPy and the `.ts` twin read it; refusals by line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import arff

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


def put(folder: Path, text: str) -> Path:
    path = folder / "a.arff"
    path.write_text(text, encoding="utf-8")
    return path


def test_one_channel_with_labels(tmp_path: Path) -> None:
    source = read(put(tmp_path, ONE))
    assert [row.tolist() for row in source.x] == [[[1.0, -2.5]], [[30.0]]]
    assert source.labels is not None and source.labels.tolist() == [1, 2]
    assert source.domain == "series" and source.description.startswith(
        "2 series, 1 to 2 time steps, 1 channel"
    )


def test_many_channels_with_padding_and_quotes(tmp_path: Path) -> None:
    source = read(put(tmp_path, MANY))
    np.testing.assert_array_equal(source.x[0], [[1, 2, 3], [4, np.nan, 6]])
    np.testing.assert_array_equal(source.x[1], [[7], [8]])
    assert source.labels is not None and source.labels.tolist() == ["walk", "not walk"]


@pytest.mark.parametrize("label", ["label {a,b}", "class string", "'the class' {a, b}"])
def test_the_label_may_stand_first(tmp_path: Path, label: str) -> None:
    source = read(
        put(tmp_path, f"@relation r\n@attribute {label}\n@attribute x real\n@data\na,1\nb,2\n")
    )
    assert source.x.tolist() == [[1.0], [2.0]]
    assert source.labels is not None and source.labels.tolist() == ["a", "b"]


def test_without_a_nominal_attribute_there_are_no_labels(tmp_path: Path) -> None:
    source = read(
        put(tmp_path, "@relation r\n@attribute a real\n@attribute b integer\n@data\n1,2\n3,4\n")
    )
    assert source.x.tolist() == [[1.0, 2.0], [3.0, 4.0]] and source.labels is None
    named = read(
        put(tmp_path, "@relation r\n@attribute a real\n@attribute class integer\n@data\n1,2\n3,4\n")
    )
    assert named.x.tolist() == [[1.0], [3.0]]
    assert named.labels is not None and named.labels.tolist() == [2, 4]


def test_one_channel_is_read_as_scipy_reads_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(30, 12)).astype(np.float32), rng.integers(0, 3, 30)
    head = "".join(f"@attribute att{k} numeric\n" for k in range(12))
    body = "\n".join(
        ",".join(map(repr, [*row, label]))
        for row, label in zip(x.tolist(), labels.tolist(), strict=True)
    )
    path = put(tmp_path, f"@relation r\n{head}@attribute target {{0,1,2}}\n@data\n{body}\n")
    table, _ = arff.loadarff(path)
    source = read(path)
    np.testing.assert_array_equal(source.x, x)
    np.testing.assert_array_equal(
        source.x, np.array([list(row)[:-1] for row in table.tolist()], np.float32)
    )
    np.testing.assert_array_equal(source.labels, [int(row[-1]) for row in table])


def test_many_channels_are_those_of_the_ts_twin(real_data: Path, tmp_path: Path) -> None:
    twin = read(real_data / "uea" / "BasicMotions" / "BasicMotions_TRAIN.ts")
    assert twin.labels is not None
    head = "".join(f"@attribute t{k} numeric\n" for k in range(100))
    cells = (r"\n".join(",".join(map(repr, channel)) for channel in row) for row in twin.x.tolist())
    body = "\n".join(f"'{cell}',{label}" for cell, label in zip(cells, twin.labels, strict=True))
    source = read(
        put(
            tmp_path,
            f"@relation r\n@attribute all relational\n{head}@end all\n@attribute activity string\n@data\n{body}\n",
        )
    )
    np.testing.assert_array_equal(source.x, twin.x)
    np.testing.assert_array_equal(source.labels, twin.labels)


HEAD = "@relation r\n@attribute a real\n@attribute b real\n@attribute c {u,v}\n@data\n"
RELATIONAL = (
    "@relation r\n@attribute m relational\n@attribute a real\n@attribute b real\n@end m\n@data\n"
)
REFUSED = {
    "no data": ("@relation r\n@attribute a real\n@data\n", "no series after a line @data"),
    "no @data": ("@relation r\n@attribute a real\n1,2\n", "no series after a line @data"),
    "something else above": (
        "@relation r\nhello\n@data\n1\n",
        "line 2: 'hello' stands before @data",
    ),
    "an attribute without a type": (
        "@relation r\n@attribute a\n@data\n1\n",
        "line 2: .* needs a name and a type",
    ),
    "no values": ("@relation r\n@attribute c {u}\n@data\nu\n", "attributes are no series"),
    "two labels": (
        "@attribute a real\n@attribute c {u}\n@attribute d {u}\n@data\n1,u,u\n",
        "at most one label",
    ),
    "dates": ('@attribute a date "yyyy"\n@attribute b real\n@data\n"1999",1\n', "a is date"),
    "values beside a relation": (
        "@attribute m relational\n@attribute a real\n@end m\n@attribute b real\n@data\n'1',2\n",
        "attributes are no series",
    ),
    "a sparse line": (HEAD + "{0 1}\n", "line 6 is sparse"),
    "a short line": (HEAD + "1,2,u\n1,u\n", "line 7 has 2 cells, the header announces 3"),
    "a word": (HEAD + "1,2,u\n1,x,u\n", "line 7, channel 1, value 2: 'x'"),
    "an open quote": (HEAD + "1,2,'u\n", "line 6: a quote is not closed"),
    "a missing label": (HEAD + "1,2,?\n", "line 6 has no label"),
    "a series of gaps": (HEAD + "1,2,u\n?,?,u\n", "line 7 holds no value"),
    "a short channel": (
        RELATIONAL + r"'1,2\n3'" + "\n",
        "line 7, channel 2 has 1 values, the header announces 2",
    ),
    "channels that change": (
        RELATIONAL + r"'1,2\n3,4'" + "\n'1,2'\n",
        "line 8 has 1 channels, .*line 7 has 2",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(put(tmp_path, text))


@given(seed=st.integers(0, 2**32))
def test_an_altered_file_is_read_or_refused_by_type(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    text = list(MANY if seed % 2 else ONE)
    for _ in range(rng.integers(1, 4)):
        at, stop = sorted(rng.integers(0, len(text) + 1, 2))
        text[at : min(stop, at + rng.integers(0, 9))] = rng.choice(
            list("0.,;-e?@%{}N \n\\\"'\0é"), rng.integers(0, 4)
        )
    path = put(tmp_path_factory.mktemp("altered"), "".join(text))
    try:
        assert np.isfinite(pad(read(path).x, "interpolate")[0]).all()
    except UnwarpError as error:
        assert path.name in str(error) or "no value at all" in str(error)
