"""Formats of the UCR and UEA archives: values as published, lines held against the header, refusals by line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwarp.data.formats.files import read
from unwarp.data.series import pad
from unwarp.data.source import Source
from unwarp.errors import DataError, UnwarpError

TSV = "1\t0.5\t-1.5\t2e1\n2\t0.25\tNaN\t0.5\n1\t1\t2\tNaN\n"
TS = """#A comment: with a colon
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
STAMPED = """@timeStamps true
@univariate true
@targetLabel true
@data
(1970-01-01 00:00:00,1),(1970-01-01 00:00:30,?),(1970-01-01 00:01:30,4):0.5
(0.5,7),(2,8):-2
"""


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rows(source: Source) -> list[list[list[float | None]]]:
    """Every series (C, T_i) as lists, None where missing."""
    return [
        [[None if np.isnan(v) else v for v in line] for line in np.atleast_2d(x).tolist()]
        for x in source.x
    ]


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
def test_every_ucr_layout_holds_the_same(tmp_path: Path, name: str, text: str) -> None:
    source = read(put(tmp_path, name, text))
    assert rows(source) == [[[0.5, -1.5, 20.0]], [[0.25, None, 0.5]], [[1.0, 2.0]]]
    assert source.labels is not None and source.labels.tolist() == [1, 2, 1]
    assert (source.domain, source.names, source.times) == ("series", None, None)
    assert source.description.startswith(
        "3 series, 2 to 3 time steps, 1 channel, float32 -1.5 to 20, 1 missing; UCR layout"
    )


def test_equal_lengths_make_one_array(tmp_path: Path) -> None:
    source = read(put(tmp_path, "a.tsv", "1\t1\t2\n2\t3\t4\n1\tNaN\t4\n"))
    assert source.x.shape == (3, 2) and source.x.dtype == np.float32
    assert rows(source)[2] == [[None, 4.0]]


def test_plain_lines_have_no_labels(tmp_path: Path) -> None:
    source = read(put(tmp_path, "a.data", "0.5 1  2\n3 4 5\n"))
    assert source.x.tolist() == [[0.5, 1, 2], [3, 4, 5]] and source.labels is None


def test_ts_keeps_channels_lengths_gaps_and_labels(tmp_path: Path) -> None:
    source = read(put(tmp_path, "a.ts", TS))
    assert rows(source) == [[[1.0, 2.0, None], [3.0, 4.0, 5.0]], [[0.5, 6.0], [None, 8.0]]]
    assert source.labels is not None and source.labels.tolist() == ["a", "b"]
    assert source.description.startswith(
        "2 series, 2 to 3 time steps, 2 channels, float32 0.5 to 8, 2 missing"
    )


def test_ts_keeps_time_stamps(tmp_path: Path) -> None:
    source = read(put(tmp_path, "a.ts", STAMPED))
    assert rows(source) == [[[1.0, None, 4.0]], [[7.0, 8.0]]]
    assert source.times is not None and [t.tolist() for t in source.times] == [
        [0.0, 30.0, 90.0],
        [0.5, 2.0],
    ]
    assert source.labels is not None and source.labels.tolist() == [0.5, -2.0]
    assert pad(source.x, "interpolate", source.times)[0][0, 0].tolist() == [1.0, 2.0, 4.0]


def test_equal_ts_is_an_array_with_its_times(tmp_path: Path) -> None:
    text = "@timestamps true\n@data\n(0,1),(1,2):(0,3),(1,4)\n(5,6),(9,7):(5,8),(9,9)\n"
    source = read(put(tmp_path, "a.TS", text))
    assert source.x.tolist() == [[[1, 2], [3, 4]], [[6, 7], [8, 9]]] and source.labels is None
    assert isinstance(source.times, np.ndarray) and source.times.tolist() == [[0, 1], [5, 9]]


def test_a_header_in_an_old_encoding_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(b"#pp 119\x96127\n@data\n1,2\n3,4\n")
    assert read(tmp_path / "a.ts").x.tolist() == [[1, 2], [3, 4]]


HEAD = "@classLabel true a b\n@equalLength true\n@seriesLength 2\n@data\n"
REFUSED = {
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
        r"line 1 starts with 0.53, which is no class",
    ),
    "a label alone": ("a.tsv", "1\n2\n", r"line 1 has 0 values"),
    "an unlabelled series of gaps": ("a.tsv", "1\t2\n1\tNaN\n", r"line 2 holds no value"),
    "no numbers and no suffix": ("plain", "hello, world\n", r"not of a known kind.*\.npz.*\.ts"),
    "no body": ("a.ts", "@problemName x\n@data\n", "no series after a line @data"),
    "no @data": ("a.ts", "@problemName x\n", "no series after a line @data"),
    "data before @data": ("a.ts", "1,2\n@data\n1,2\n", "line 1: '1,2' stands before @data"),
    "a flag that is none": ("a.ts", "@timeStamps maybe\n@data\n1,2\n", "@timestamps is 'maybe'"),
    "a count that is none": ("a.ts", "@dimensions two\n@data\n1,2\n", "@dimensions is 'two'"),
    "too few channels": (
        "a.ts",
        "@dimensions 2\n@data\n1,2:3,4\n1,2\n",
        "line 4 has 1 channels, expected are 2",
    ),
    "too many channels": (
        "a.ts",
        "@univariate true\n@data\n1,2:3,4\n",
        "line 3 has 2 channels, expected are 1",
    ),
    "channels that change": (
        "a.ts",
        "@data\n1,2:3,4\n1,2\n",
        "line 3 has 1 channels, expected are 2",
    ),
    "channels of two lengths": (
        "a.ts",
        "@data\n1,2:3\n",
        "line 2, channel 2 has 1 values, channel 1 has 2",
    ),
    "a length that differs": (
        "a.ts",
        HEAD + "1,2:a\n1,2,3:b\n",
        "line 6 has 3 values, expected are 2",
    ),
    "an unknown label": (
        "a.ts",
        HEAD + "1,2:a\n1,2:c\n",
        "line 6 has the label 'c'; @classLabel announces a, b",
    ),
    "a lost label": ("a.ts", HEAD + "1,2:a\n1,2\n", "line 6 has no label after a colon"),
    "a target that is a word": (
        "a.ts",
        "@targetlabel true\n@data\n1,2:x\n",
        "line 3 has the target 'x'",
    ),
    "an empty channel": ("a.ts", "@data\n1,2:\n", "line 2, channel 2 is empty"),
    "a line of gaps": ("a.ts", "@data\n1,2\n?,?\n", "line 3 holds no value"),
    "a word in ts": ("a.ts", "@data\n1,2\n3,four\n", "line 3, channel 1, value 2: 'four'"),
    "values without stamps": (
        "a.ts",
        "@timestamps true\n@data\n1,2\n",
        r"line 3, channel 1: '1,2' is no list of",
    ),
    "a cut stamp": (
        "a.ts",
        "@timestamps true\n@data\n(0,1),(1,2\n",
        r"line 3, channel 1: .* is no list of",
    ),
    "a stamp that is none": (
        "a.ts",
        "@timestamps true\n@data\n(noon,1)\n",
        "line 3, channel 1, value 1: 'noon'",
    ),
    "stamps that fall": (
        "a.ts",
        "@timestamps true\n@data\n(1,1),(0,1)\n",
        "line 3, channel 1: time stamps must increase",
    ),
    "stamps that differ": (
        "a.ts",
        "@timestamps true\n@data\n(0,1),(1,1):(0,1),(2,1)\n",
        "line 3, channel 2: time stamps must increase, and be those of channel 1",
    ),
}


@pytest.mark.parametrize(("name", "text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(put(tmp_path, name, text))


@given(
    suffix=st.sampled_from([".tsv", ".ts", ".data", ""]),
    seed=st.integers(0, 2**32),
)
def test_an_altered_file_is_read_or_refused_by_type(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    text = list(
        {".tsv": TSV, ".ts": TS if seed % 2 else STAMPED}.get(suffix, TSV.replace("\t", ","))
    )
    for _ in range(rng.integers(1, 4)):
        at, stop = sorted(rng.integers(0, len(text) + 1, 2))
        text[at : min(stop, at + rng.integers(0, 9))] = rng.choice(
            list("0.,:;-e?@#()NaN \n\t\"'\0é"), rng.integers(0, 4)
        )
    path = put(tmp_path_factory.mktemp("altered"), f"a{suffix}", "".join(text))
    try:
        source = read(path)
        assert np.isfinite(pad(source.x, "interpolate", source.times)[0]).all()
    except UnwarpError as error:
        assert path.name in str(error) or "no value at all" in str(error)


def test_a_file_cut_anywhere_is_refused_or_gives_whole_lines(tmp_path: Path) -> None:
    whole = rows(read(put(tmp_path, "a.ts", TS)))
    start = TS.index("@data")
    for cut in range(start, len(TS)):
        try:
            found = rows(read(put(tmp_path, "a.ts", TS[:cut])))
        except DataError as error:
            assert "a.ts" in str(error)
        else:
            assert found == whole[: len(found)]


def genfromtxt(path: Path, delimiter: str | None) -> tuple[np.ndarray, list[np.ndarray]]:
    """Labels and series of a UCR file, by NumPy's own reader."""
    table = np.genfromtxt(path, delimiter=delimiter)
    return table[:, 0], [
        row[: np.flatnonzero(~np.isnan(row))[-1] + 1].astype(np.float32) for row in table[:, 1:]
    ]


def test_the_ucr_archive_is_read_as_numpy_reads_it(real_data: Path) -> None:
    names = [
        "GestureMidAirD1",
        "PickupGestureWiimoteZ",
        "Chinatown",
        "ECG200",
        "Coffee",
        "SmoothSubspace",
        "BME",
        "Beef",
    ]
    files = [
        real_data / "ucr" / name / f"{name}_{part}.tsv"
        for name in names
        for part in ("TRAIN", "TEST")
    ]
    for path in files:
        source = read(path)
        labels, series = genfromtxt(path, "\t")
        np.testing.assert_array_equal(source.labels, labels)
        for got, wanted in zip(source.x, series, strict=True):
            np.testing.assert_array_equal(np.ravel(got), wanted)


SIZES = {
    "ucr/GesturePebbleZ1/GesturePebbleZ1_TEST.tsv": "172 series, 100 to 375 time steps, 1 channel",
    "ucr-2015/Coffee/Coffee_TRAIN": "28 series, 286 time steps, 1 channel",
    "ucr-2015/Trace/Trace_TEST": "100 series, 275 time steps, 1 channel",
    "ucr-ts/GunPoint/GunPoint_TEST.ts": "150 series, 150 time steps, 1 channel",
    "uci/synthetic_control.data": "600 series, 60 time steps, 1 channel",
    "uea/BasicMotions/BasicMotions_TRAIN.ts": "40 series, 100 time steps, 6 channels",
    "uea/JapaneseVowels/JapaneseVowels_TRAIN.ts": "270 series, 7 to 26 time steps, 12 channels",
    "uea/JapaneseVowels/JapaneseVowels_TEST.ts": "370 series, 7 to 29 time steps, 12 channels",
    "uea/UWaveGestureLibrary/UWaveGestureLibrary_TRAIN.ts": "120 series, 315 time steps, 3 channels",
}


@pytest.mark.parametrize(("name", "found"), SIZES.items())
def test_published_files_have_their_published_sizes(real_data: Path, name: str, found: str) -> None:
    assert read(real_data / name).description.startswith(found)


@pytest.mark.parametrize(
    ("one", "other", "tolerance"),
    [
        ("ucr-2015/Trace/Trace_TRAIN", "ucr/Trace/Trace_TRAIN.tsv", 1e-6),
        ("ucr-2015/Coffee/Coffee_TEST", "ucr/Coffee/Coffee_TEST.tsv", 1e-4),
        ("ucr-ts/GunPoint/GunPoint_TRAIN.ts", "ucr/GunPoint/GunPoint_TRAIN.tsv", 1e-6),
        (
            "ucr-ts/PickupGestureWiimoteZ/PickupGestureWiimoteZ_TRAIN.ts",
            "ucr/PickupGestureWiimoteZ/PickupGestureWiimoteZ_TRAIN.tsv",
            0.0,
        ),
    ],
)
def test_the_same_set_in_two_formats_is_the_same(
    real_data: Path, one: str, other: str, tolerance: float
) -> None:
    first, second = read(real_data / one), read(real_data / other)
    np.testing.assert_array_equal(first.labels, second.labels)
    for a, b in zip(first.x, second.x, strict=True):
        np.testing.assert_allclose(a, b, atol=tolerance)


@pytest.mark.slow
def test_every_published_file_is_read_without_a_gap(real_data: Path) -> None:
    files = [
        path
        for room in ("ucr", "ucr-2015", "ucr-ts", "uea", "uci")
        for path in (real_data / room).rglob("*")
    ]
    read_files = [path for path in files if path.is_file() and path.suffix != ".md"]
    assert len(read_files) == 75
    for path in read_files:
        source = read(path)
        assert not any(np.isnan(row).any() for row in source.x), path
        assert pad(source.x)[1].any(1).all()
