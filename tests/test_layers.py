"""Imports run only down: seven floors, no circles, heavy packages in their places."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.house import circles, file_graph, floors, imported, modules, outside, room_graph

import unwarp

ROOT = Path(unwarp.__file__).parent
TESTS = Path(__file__).parent
DOORS = ("__init__", "__main__")
FLOORS = (
    {"core", "registry", "errors", "values", "_version", "disk", "missing", "draws", "launch"}
    | {"collectives", "prefixes", "range_kinds", "waiting"},
    {"warps", "distances", "nets", "plots"}
    | {"devices", "processes", "ranges", "storage", "checksums"},
    {"models", "metrics", "data"},
    {"planning", "training", "analysis", "datasets"},
    {"estimators"},
    {"app", "distributed", "__init__"},
    {"__main__"},
)
AT_HOME = {
    "matplotlib": ("plots", "app"),
    "sklearn": ("metrics", "analysis", "estimators", "app"),
    "pandas": ("analysis", "estimators", "app"),
    "typer": ("app",),
}
MIN_LINES_TO_MIRROR = 31
NOT_MIRRORED = {
    "app/cli/apply.py": "commands are tested end to end, in tests/app/cli/test_main.py",
    "app/cli/explore.py": "the command is tested end to end, in tests/app/explorer/test_server.py",
    "app/cli/export.py": "commands are tested end to end, in tests/app/cli/test_main.py",
    "app/cli/learn.py": "commands are tested end to end, in tests/app/cli/test_main.py",
    "app/cli/learn_options.py": "options of commands, in tests/app/cli/test_options.py",
    "app/cli/look.py": "commands are tested end to end, in tests/app/cli/test_main.py",
    "app/report/presentation.py": "a table of figures, which test_sections.py lists",
    "app/report/section.py": "records without methods",
}
"""Source files without a test file of their name, and why."""

WHOLE = ("laws", "doors", "benchmarks", "explorer")
"""Folders of tests that no source file has: contracts, three doors, benchmarks, the web page."""


def test_no_circle_between_files() -> None:
    """Neither deferred imports nor those for type checkers close one."""
    assert not circles(file_graph(ROOT))


def test_floors() -> None:
    """Each room imports only from floors below its own, seven floors in all."""
    level = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
    graph = room_graph(ROOT)
    assert graph.keys() == level.keys()
    upward = [
        (a, b)
        for a, reached in graph.items()
        for b in reached
        if level[b] >= level[a] and "__init__" not in (a, b)
    ]
    assert not upward
    inner = {room: reached - set(DOORS) for room, reached in graph.items() if room not in DOORS}
    assert max(floors(inner).values()) <= 7


def test_files_know_no_tests() -> None:
    """The library imports neither its benchmarks nor its tests."""
    assert not {name for path in modules(ROOT).values() for name in outside(path)} & {
        "tests",
        "benchmarks",
        "examples",
    }


@pytest.mark.parametrize("package", AT_HOME)
def test_heavy_packages_are_at_home(package: str) -> None:
    """Only some rooms import a heavy package when they are imported."""
    strangers = [name for name, path in modules(ROOT).items() if package in outside(path)]
    assert strangers and not [
        name for name in strangers if name.split(".")[0] not in AT_HOME[package]
    ]


def test_training_imports_no_heavy_package() -> None:
    """Building and training are imported without scikit-learn, pandas, matplotlib and typer."""
    script = (
        f"import sys, unwarp.models, unwarp.training; print(sys.modules.keys() & {set(AT_HOME)})"
    )
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"


def test_tests_import_no_tests() -> None:
    """What tests share lies in files that hold no tests."""
    files = TESTS.rglob("test_*.py")
    assert not [
        path
        for path in files
        for name in imported(path, "tests")
        if name.split(".")[-2].startswith("test_")
    ]


def missing_tests(source: Path, tests: Path) -> set[str]:
    """Source files, faces and short ones excepted, without a test file at the same place."""
    files = [path for path in source.rglob("*.py") if path.stem not in DOORS]
    long = [path for path in files if len(path.read_text().splitlines()) >= MIN_LINES_TO_MIRROR]
    places = [path.relative_to(source) for path in long]
    twins = {place: (tests / place).with_name(f"test_{place.name}") for place in places}
    return {str(place) for place, twin in twins.items() if not twin.is_file()}


def missing_sources(source: Path, tests: Path) -> set[str]:
    """Test files in a mirrored folder without a source file at the same place."""
    places = [path.relative_to(tests) for path in tests.rglob("test_*.py")]
    mirrored = [place for place in places if len(place.parts) > 1 and place.parts[0] not in WHOLE]
    twins = {place: (source / place).with_name(place.name[len("test_") :]) for place in mirrored}
    return {str(place) for place, twin in twins.items() if not twin.is_file()}


def test_tests_mirror_the_source() -> None:
    """A long source file has its tests, and tests in a mirrored folder have their source."""
    assert missing_tests(ROOT, TESTS) == set(NOT_MIRRORED)
    assert not missing_sources(ROOT, TESTS)


def test_gaps_in_the_mirror_are_seen(tmp_path: Path) -> None:
    """The measure itself: short files and faces need no test, whole folders need no source."""
    source, tests = tmp_path / "source", tmp_path / "tests"
    lines = {"a/b.py": 31, "a/c.py": 31, "a/short.py": 30, "a/__init__.py": 40}
    names = ("a/test_c.py", "a/test_short.py", "a/test_gone.py", "laws/test_d.py", "test_e.py")
    files = {source / name: n for name, n in lines.items()} | {tests / name: 0 for name in names}
    for path, n in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n" * n)
    assert missing_tests(source, tests) == {"a/b.py"}
    assert missing_sources(source, tests) == {"a/test_gone.py"}


def test_circles_are_seen() -> None:
    """The measure itself, on a circle of three nodes and a node outside it."""
    graph = {
        "a": frozenset("b"),
        "b": frozenset("c"),
        "c": frozenset("ad"),
        "d": frozenset[str](),
        "e": frozenset("a"),
    }
    assert circles(graph) == [frozenset("abc")]
    assert floors(graph) == {"a": 2, "b": 2, "c": 2, "d": 1, "e": 3}


def test_imports_are_seen(tmp_path: Path) -> None:
    """Deferred imports and those for type checkers count."""
    path = tmp_path / "late.py"
    path.write_text(
        "import unwarp.models.model\nfrom unwarp import plots\n"
        "if TYPE_CHECKING:\n    from unwarp.app.cli import main\n"
        "def late():\n    from unwarp.training import train\n"
    )
    assert set(imported(path)) == {"models.model", "plots", "app.cli.main", "training.train"}
