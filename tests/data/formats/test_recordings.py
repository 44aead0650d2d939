"""Folders with a file a recording: names, labels, equal channels."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from tests.data.formats.text_files import as_lists, as_times, write_file
from unwarp.data.formats.files import read
from unwarp.data.hints import Hints
from unwarp.data.opening import as_source
from unwarp.errors import DataError

PHONE = "Time (s),Acceleration x (m/s^2),Acceleration y (m/s^2)\n0,1,2\n0.5,3,4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two recordings in a subfolder each."""
    for name, text in (("walk/anna", PHONE), ("run/ben", PHONE + "1.0,5,6\n")):
        (tmp_path / "in" / name).parent.mkdir(parents=True)
        write_file(tmp_path / "in", f"{name}.csv", text)
    write_file(tmp_path / "in", ".hidden.csv", "a")
    return tmp_path / "in"


def test_files_name_and_label_series(folder: Path) -> None:
    """Files are series, their columns channels, and subfolders labels."""
    source = read(folder)
    assert source.names == ["run/ben", "walk/anna"] and source.domain == "series"
    assert source.labels is not None and source.labels.tolist() == ["run", "walk"]
    assert as_lists(source) == [[[1, 3, 5], [2, 4, 6]], [[1, 3], [2, 4]]]
    assert as_times(source) == [[0, 0.5, 1], [0, 0.5]]
    assert "a recording in each .csv file, channels Acceleration x" in source.description


def test_patterns_and_lists_are_folders(folder: Path, tmp_path: Path) -> None:
    """A pattern, a list of files and a packed folder give the same series."""
    paths = sorted(folder.rglob("[!.]*.csv"))
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.relative_to(folder))
    for source in (read(f"{folder}/*/*.csv"), as_source(paths), read(tmp_path / "a.zip")):
        assert as_lists(source) == as_lists(read(folder))
        assert source.names == ["run/ben", "walk/anna"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Time (s),x\n0,1\n1,2\n",
            r"anna\.csv has 1 channel \(x\), .*ben\.csv has 2 channels",
        ),
        (PHONE + "0.2,1,1\n", r"anna\.csv, line 4, column 'Time \(s\)' is not later"),
        ("Time (s),x\n0,\n", r"anna\.csv has 1 rows of 0 numbers"),
    ],
)
def test_differing_recordings_are_refused(folder: Path, text: str, message: str) -> None:
    """A recording with other channels or a damaged clock is named."""
    write_file(folder, "walk/anna.csv", text)
    with pytest.raises(DataError, match=message):
        read(folder)


def test_hints_pick_channels(folder: Path) -> None:
    """The user may name the channels of all recordings."""
    source = read(folder, Hints(value_columns=("Acceleration y (m/s^2)",)))
    assert as_lists(source) == [[[2, 4, 6]], [[2, 4]]]
    subset = source.subset(np.array([1]))
    assert [name for name, _ in subset.form.recordings] == ["walk/anna.csv"]
