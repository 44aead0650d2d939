"""Roles of columns, as the user names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.formats.text_files import as_lists, as_times, write_file
from unwarp.data.formats.files import read
from unwarp.data.hints import Hints
from unwarp.errors import ConfigError, DataError

TEXT = "a,b,c,d\n1,0,5,7\n1,1,6,8\n2,0,5.5,9\n2,1,7,10\n"


def test_user_names_roles(tmp_path: Path) -> None:
    """Ids, times, values and labels are those that the user names."""
    path = write_file(tmp_path, "a.csv", TEXT)
    source = read(path, Hints(id_column="A", time_column="b", value_columns=("d",)))
    assert as_lists(source) == [[[7, 8]], [[9, 10]]] and as_times(source) == [[0, 1], [0, 1]]
    assert source.names == ["1", "2"] and source.description.endswith("channels d, 'c' ignored")


def test_layouts_are_those_of_the_user(tmp_path: Path) -> None:
    """Each layout can be named, and is kept."""
    path = write_file(tmp_path, "a.csv", TEXT)
    shapes = {name: read(path, Hints(table=name)).x.shape for name in ("wide", "columns")}
    assert shapes == {"wide": (4, 4), "columns": (4, 4)}
    plain = write_file(tmp_path, "b.csv", TEXT.partition("\n")[2])
    assert read(plain, Hints(table="long", id_column="1")).names == ["1", "2"]


ERRORS = {
    "no column": (Hints(id_column="z"), ConfigError, "id_column='z' is no column .* a, b, c, d"),
    "two roles": (
        Hints(id_column="a", time_column="a"),
        ConfigError,
        "the column 'a' of .* has two roles",
    ),
    "no meaning": (
        Hints(table="wide", time_column="a"),
        ConfigError,
        "time_column='a' has no meaning with table='wide'",
    ),
    "no ids": (Hints(time_column="c"), DataError, "name it with id_column"),
}


@pytest.mark.parametrize(("hints", "error", "message"), ERRORS.values(), ids=ERRORS.keys())
def test_wrong_roles_are_refused(
    tmp_path: Path, hints: Hints, error: type[Exception], message: str
) -> None:
    """A name that the table lacks, and a role without meaning, are refused in one line."""
    with pytest.raises(error, match=message):
        read(write_file(tmp_path, "a.csv", TEXT), hints)
