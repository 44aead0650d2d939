"""Options for reading samples, as commands and the estimator take them."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import typer
from typer.testing import CliRunner

from unwarp import Unwarper
from unwarp.app.cli.options import command
from unwarp.app.cli.reading_options import DEFAULT_READING, ReadingOptions

LINES: tuple[tuple[str, dict[str, object]], ...] = (
    ("", {}),
    ("--table long --layout channels-first", {"table": "long", "layout": "channels-first"}),
    (
        "--sampling-rate 5 --lengths clock --sizes pad",
        {"sampling_rate": 5.0, "lengths": "clock", "sizes": "pad"},
    ),
)


@pytest.mark.parametrize(("line", "expected"), LINES)
def test_options_become_fields(line: str, expected: dict[str, object]) -> None:
    """Each field is an option of the command, and one that is not named has its default."""
    app, values = typer.Typer(), list[ReadingOptions]()

    @command(app)
    def read(reading: ReadingOptions = DEFAULT_READING) -> None:
        """Read samples."""
        values.append(reading)

    result = CliRunner().invoke(app, line.split())
    assert result.exit_code == 0, result.output
    assert values == [replace(DEFAULT_READING, **expected)]  # type: ignore[arg-type]


def test_arguments_are_those_of_unwarper() -> None:
    """The estimator takes all arguments, and the defaults are its own."""
    options = ReadingOptions(
        5.0, "clock", "channels-last", "pad", "long", "a", "b", ["c"], "d", (2, 3)
    )
    defaults = Unwarper().get_params(deep=False)
    assert options.arguments().keys() <= defaults.keys()
    assert len(options.arguments()) == len(fields(options))
    assert all(defaults[name] == v for name, v in DEFAULT_READING.arguments().items())
