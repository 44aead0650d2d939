"""A user's mistake is one line with the mend; an error that is not the user's stays an error."""

from __future__ import annotations

import pytest

from unwarp.app.cli.options import mistake
from unwarp.errors import DataError


def test_own_errors_are_one_line_however_they_were_written() -> None:
    assert mistake(DataError("X is\n  empty; give more")) == "X is empty; give more"


def test_errors_of_the_system_name_the_path() -> None:
    with pytest.raises(OSError) as found, open("/no/such/place"):  # noqa: PTH123
        pass
    assert mistake(found.value) == "/no/such/place: no such file or directory; check the path"
    assert mistake(OSError("the disk is gone")) == "the disk is gone"


def test_a_bug_is_not_a_mistake() -> None:
    assert mistake(ValueError("shapes differ")) is None
    assert mistake(KeyError("x")) is None
