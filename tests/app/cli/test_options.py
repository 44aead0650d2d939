"""Mistakes of users are one line with the mend, bugs stay bugs, and help is for people."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from unwarp.app.cli.main import app
from unwarp.app.cli.options import mistake
from unwarp.errors import DataError

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
WITHOUT_TORCH = """
import sys
sys.modules.update(dict.fromkeys(("torch", "numpy", "pandas", "sklearn", "matplotlib")))
from unwarp.app.cli.main import main
main()
"""


def test_own_errors_are_one_line() -> None:
    """However they were written."""
    assert mistake(DataError("X is\n  empty; give more")) == "X is empty; give more"


def test_errors_of_the_system_name_the_path() -> None:
    """An `OSError` says the path where it has one, and its own words where it has none."""
    with pytest.raises(OSError) as error, open("/no/such/place"):  # noqa: PTH123
        pass
    assert mistake(error.value) == "/no/such/place: no such file or directory; check the path"
    assert mistake(OSError("the disk is gone")) == "the disk is gone"


def test_a_bug_is_not_a_mistake() -> None:
    """An error that no user caused keeps its traceback."""
    assert mistake(ValueError("shapes differ")) is None
    assert mistake(KeyError("x")) is None


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_no_python_names(command: str) -> None:
    """The help of every command answers, and writes no name with an underscore."""
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.output
    assert not re.findall(r"\w+_\w+", result.output)


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        (("fit", "--missing"), "error interpolate mask"),
        (("fit", "--scale"), "auto channel each"),
        (("fit", "--device"), "auto cpu cuda mps"),
        (("fit", "--precision"), "no fp16 bf16"),
        (("sample", "--from"), "auto prior mixture"),
        (("interpolate", "--path"), "linear spherical"),
        (("traverse", "--of"), "content deformation"),
    ],
    ids=" ".join,
)
def test_options_refuse_other_choices(option: tuple[str, str], choices: str) -> None:
    """A value that is none of the choices is refused, and the choices are named."""
    result = CliRunner().invoke(app, [option[0], option[1], "other"])
    assert result.exit_code == 2
    assert option[1] in result.output
    assert [word for word in choices.split() if f"'{word}'" not in result.output] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--help", 0),
        ("--version", 0),
        ("fit --help", 0),
        ("info", 0),
        ("info --json", 0),
        ("fit nowhere", 2),
    ],
)
def test_answers_come_without_torch(words: str, code: int) -> None:
    """Help, an inventory and the refusal of a mistyped path need neither torch nor NumPy."""
    command = [sys.executable, "-c", WITHOUT_TORCH, *words.split()]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == code, answer.stderr
    assert (answer.stdout, answer.stderr).index("") == (1 if code == 0 else 0)
