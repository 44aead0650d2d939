"""Options: their help is for people, choices are checked, and nothing heavy is imported."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from unwarp.app.cli.main import app
from unwarp.app.cli.options import command, existing_file, model_folder


def command_lines() -> list[str]:
    """All commands, those of a group with its name."""
    groups = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    names = {name: getattr(group, "commands", {"": group}) for name, group in groups.items()}
    return sorted(f"{name} {part}".strip() for name, parts in names.items() for part in parts)


COMMANDS = command_lines()
WITHOUT_TORCH = """
import sys
sys.modules.update(dict.fromkeys(("torch", "numpy", "pandas", "sklearn", "matplotlib")))
from unwarp.app.cli.main import main
main()
"""


def test_help_is_the_docstring_above_args() -> None:
    """Lines of a paragraph are joined, paragraphs are kept, and `Args` is for programmers."""
    example = typer.Typer()

    @command(example)
    def greet(name: str) -> None:
        """Greet a reader.

        The greeting
        is short.

        Args:
            name: Name of the reader.
        """

    assert example.registered_commands[0].help == "Greet a reader.\n\nThe greeting is short."


def test_model_folder_of_a_run(tmp_path: Path) -> None:
    """A run folder leads to its model; any other folder is a model folder."""
    assert model_folder(tmp_path) == tmp_path
    (tmp_path / "model").mkdir()
    assert model_folder(tmp_path) == tmp_path / "model"


def test_home_is_expanded_in_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` leads to files and models of the home folder; a file that is none is refused."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "model").mkdir()
    (tmp_path / "recipe.yaml").touch()
    assert model_folder(Path("~")) == tmp_path / "model"
    assert existing_file("~/recipe.yaml") == tmp_path / "recipe.yaml"
    for path, reason in (("~/none", "does not exist"), ("~/model", "is a folder")):
        with pytest.raises(typer.BadParameter, match=f"{path}' {reason}; give a file"):
            existing_file(path)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_no_python_names(name: str) -> None:
    """The help of every command answers, and writes no name with an underscore."""
    result = CliRunner().invoke(app, [*name.split(), "--help"])
    assert result.exit_code == 0
    assert "--json" in result.output
    assert not re.findall(r"\w+_\w+", result.output)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_80_columns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal of 80 columns no word of the help is cut off."""
    monkeypatch.setenv("COLUMNS", "80")
    output = CliRunner().invoke(app, [*name.split(), "--help"]).output
    assert max(map(len, output.splitlines())) <= 80
    assert "…" not in output


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
    ("line", "code"),
    [
        ("--help", 0),
        ("--version", 0),
        ("fit --help", 0),
        ("info", 0),
        ("info --json", 0),
        ("fit nowhere", 2),
    ],
)
def test_answers_come_without_torch(line: str, code: int) -> None:
    """Help, an inventory and the refusal of a mistyped path need neither torch nor NumPy."""
    arguments = [sys.executable, "-c", WITHOUT_TORCH, *line.split()]
    answer = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert answer.returncode == code, answer.stderr
    assert (answer.stdout, answer.stderr).index("") == (1 if code == 0 else 0)
