"""Messages: mistakes of users are one line with the remedy, in options of the command line."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import unwarp.models  # noqa: F401  (fields of recipes are known once they are imported)
from unwarp.app.cli.main import app
from unwarp.app.cli.messages import Command, error_message, print_result, say, with_options
from unwarp.errors import DataError

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def translate(message: str, name: str = "fit") -> str:
    """A message of the library as a command of `unwarp` prints it."""
    return with_options(message, COMMANDS[name].params)


def test_library_errors_are_one_line() -> None:
    """Line breaks and indentation of a message are lost."""
    assert error_message(DataError("X is\n  empty; give more")) == "X is empty; give more"


def test_system_errors_name_the_path() -> None:
    """An `OSError` names its path where it has one, and keeps its own words where not."""
    with pytest.raises(OSError) as error, open("/no/such/place"):  # noqa: PTH123
        pass
    assert error_message(error.value) == "/no/such/place: no such file or directory; check the path"
    assert error_message(OSError("the disk is gone")) == "the disk is gone"


def test_a_bug_is_not_a_mistake() -> None:
    """An error that no user caused keeps its traceback."""
    assert error_message(ValueError("shapes differ")) is None
    assert error_message(KeyError("x")) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("sampling_rate=0 must be positive", "--sampling-rate 0 must be positive"),
        ("a gap; set missing='mask'", "a gap; set --missing mask"),
        ("a gap (missing='mask').", "a gap (--missing mask)."),
        ("max_steps=1.5, not whole", "--steps 1.5, not whole"),
        ("seconds=0 is short", "--seconds 0 is short"),
        ("random_state=-1; give 0", "--seed -1; give 0"),
        ("raise max_steps", "raise --steps"),
        ("Unwarper(missing='interpolate') fills gaps", "--missing interpolate fills gaps"),
        ("Unwarper(scale='each', domain='series')", "--scale each, --domain series"),
    ],
)
def test_arguments_become_options(message: str, expected: str) -> None:
    """Names with a value, and names of several words, that the command has as options."""
    assert translate(message) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("n_content=0 is too small", "--set n_content=0 is too small"),
        ("use likelihood='gaussian'", "use --set likelihood=gaussian"),
        ("optimiser.lr=1e-3 is fine", "--set optimiser.lr=1e-3 is fine"),
        (
            "one of its parts, as net.kind=...: kind",
            "one of its parts, as --set net.kind=...: kind",
        ),
        ("--set n_content=many is no number", "--set n_content=many is no number"),
    ],
)
def test_recipe_fields_become_settings(message: str, expected: str) -> None:
    """A field of a recipe is set by `--set`, unless the message says so already."""
    assert translate(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        "scores of domain and missing values at each scale",
        "points=(8, 8) do not fit",
        "X holds 1 sample (n_samples=1); give Affine2d(begin=1) more",
        "--missing=mask and a.missing=mask",
        "runs/sampling_rate.csv does not exist",
        "Unwarper is expecting 32 features",
    ],
)
def test_other_words_stay(message: str) -> None:
    """Plain words, other arguments and paths are no options."""
    assert translate(message) == message


def test_options_are_those_of_the_command() -> None:
    """The same message differs between commands, by their own parameters."""
    message = "use source='mixture', n=3, likelihood='gaussian', missing='mask'"
    expected = "use --from mixture, -n 3, likelihood='gaussian', missing='mask'"
    assert translate(message, "sample") == expected
    assert translate("span=-1.0 of index=3", "traverse") == "--span -1.0 of --index 3"
    assert translate(message, "info") == message


@pytest.fixture
def example() -> typer.Typer:
    """An application that says a line, then fails."""
    example = typer.Typer()

    @example.command(cls=Command)
    def fit(sampling_rate: float = 1.0) -> None:
        say(f"sampling_rate={sampling_rate:g} was read")
        raise DataError(f"sampling_rate={sampling_rate:g} is too low")

    return example


def test_running_commands_name_their_options(example: typer.Typer) -> None:
    """In what they say and in their errors; after them, messages are as the library wrote them."""
    result = CliRunner().invoke(example, ["--sampling-rate", "2"])
    assert result.stderr == "--sampling-rate 2 was read\n"
    assert isinstance(result.exception, DataError)
    assert str(result.exception) == "--sampling-rate 2 is too low"


def test_messages_stay_outside_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a running command there are no options."""
    say("sampling_rate=2 was read")
    assert capsys.readouterr().err == "sampling_rate=2 was read\n"


@pytest.mark.parametrize(
    ("choices", "expected"),
    [((False, False), "done\n"), ((False, True), ""), ((True, True), '{\n "n": 1\n}\n')],
)
def test_results_are_words_or_json(
    choices: tuple[bool, bool], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON is printed when asked for, words unless they are to be hidden."""
    record: dict[str, Any] = {"n": 1}
    print_result(record, "done", *choices)
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (("sample", "M", "-n", "five"), "five"),
        (("sample", "M", "-n", "-1"), "-1"),
        (("sample", "M", "--seed", "4294967296"), "4294967296"),
        (("evaluate", "M", "X", "--draws", "1.5"), "1.5"),
    ],
)
def test_numbers_out_of_range_are_repeated(words: tuple[str, ...], value: str) -> None:
    """The message names the option, the value, what is allowed, and the help."""
    with pytest.raises(Exception, match="Input should") as caught:
        app(words, standalone_mode=False)
    message = error_message(caught.value)
    assert message is not None and f"'{words[-2]}': {value} should be " in message
    assert message.endswith("--help'")


@pytest.mark.parametrize("text", ["abc", "9x", "0", "5000"])
def test_working_size_is_named_as_written(text: str) -> None:
    """A wrong working size is refused with the words of the command line, not with None."""
    result = CliRunner().invoke(app, ["fit", "digits", "--working-size", text])
    message = str(result.exception)
    assert "--working-size" in message and "full" in message and "None" not in message
