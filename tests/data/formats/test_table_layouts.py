"""The layout of a table: column names tell wide from long, and no value is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.formats.exports import EXPORTS
from tests.data.formats.text_files import alter, as_lists, write_file
from unwarp.data.formats.files import read
from unwarp.data.series import pad
from unwarp.errors import DataError, UnwarpError

WIDE = "id,label,t0,t1,t2\na,1,0.5,NA,2\nb,2,3,4,\n"
LONG = "id,time,x,y,label\nu,1,10,20,1\nu,0,11,,1\nv,5,12,22,2\n"
TIDY = "case_id,dim_id,reading_id,value\n0,p,0,1\n0,q,0,2\n0,q,1,3\n1,q,7,4\n"


@pytest.mark.parametrize("text", [LONG, WIDE])
def test_row_numbers_are_ignored(tmp_path: Path, text: str) -> None:
    """A column of row names beside names of series is ignored, and the description says so."""
    plain = read(write_file(tmp_path, "a.csv", text))
    numbered = "".join(
        f"{'' if k == 0 else k},{line}\n" for k, line in enumerate(text.splitlines())
    )
    source = read(write_file(tmp_path, "a.csv", numbered))
    assert as_lists(source) == as_lists(plain) and source.names == plain.names
    assert source.description == plain.description + ", column without a name ignored"


def test_times_need_a_series_column(tmp_path: Path) -> None:
    """Times without names of series read two ways, and are refused with both."""
    with pytest.raises(DataError, match="'time', which reads two ways"):
        read(write_file(tmp_path, "a.csv", "time,a\n1,2\n"))


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_are_read_rightly(tmp_path: Path, name: str) -> None:
    """What loggers, laboratories, phones and databases export is read, or refused if unclear."""
    export = EXPORTS[name]()
    path = tmp_path / f"a{export.suffix}"
    path.write_bytes(export.text.encode(export.encoding))
    if export.shape is None:
        with pytest.raises(DataError, match=r"a\.csv .*reads two ways.*table='"):
            read(path)
        return
    source = read(path)
    lengths = {np.shape(row)[-1] for row in source.x}
    n_channels = 1 if np.ndim(source.x[0]) < 2 else len(source.x[0])
    assert (len(source), max(lengths), n_channels) == export.shape, source.description


@given(seed=st.integers(0, 2**32), text=st.sampled_from([WIDE, LONG, TIDY]))
def test_altered_table_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int, text: str
) -> None:
    """A damaged table gives finite series or a typed error that names it, never another error."""
    altered = alter(text, seed, "0.,;-e?N \n\\\"'\0é")
    path = write_file(tmp_path_factory.mktemp("altered"), "a.csv", altered)
    try:
        source = read(path)
        assert np.isfinite(pad(source.x, "interpolate", source.times)[0]).all()
    except UnwarpError as error:
        assert path.name in str(error) or "no value at all" in str(error)
