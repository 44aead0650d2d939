"""Imports run only down: seven floors, no circle between files, heavy packages where they are at home."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.house import circles, file_graph, floors, imported, modules, outside, room_graph

import unwarp

ROOT = Path(unwarp.__file__).parent
DOORS = ("__init__", "__main__")
FLOORS = (
    {"core", "errors", "_version"},
    {"warps", "nets", "plots", "devices", "storage"},
    {"models", "metrics", "data"},
    {"planning", "training", "analysis", "datasets"},
    {"estimators"},
    {"app", "__init__"},
    {"__main__"},
)
AT_HOME = {
    "matplotlib": ("plots", "app"),
    "sklearn": ("metrics", "analysis", "estimators", "app"),
    "pandas": ("analysis", "estimators", "app"),
    "typer": ("app",),
}


def test_no_circle_between_files() -> None:
    """Neither deferred imports nor those for type checkers close one."""
    assert not circles(file_graph(ROOT))


def test_floors() -> None:
    """Each room stands on the floor that the design gives it, or below, and imports only from floors under it."""
    level = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
    graph = room_graph(ROOT)
    assert graph.keys() == level.keys()
    upward = [
        (a, b) for a, reached in graph.items() for b in reached if level[b] >= level[a] and "__init__" not in (a, b)
    ]
    assert not upward
    inner = {room: reached - set(DOORS) for room, reached in graph.items() if room not in DOORS}
    assert max(floors(inner).values()) <= 7


def test_files_know_no_tests() -> None:
    """The library imports neither its benchmarks nor its tests."""
    assert not {name for path in modules(ROOT).values() for name in outside(path)} & {"tests", "benchmarks", "examples"}


@pytest.mark.parametrize("package", AT_HOME)
def test_heavy_packages_are_at_home(package: str) -> None:
    """Only some rooms import a heavy package when they are imported."""
    strangers = [name for name, path in modules(ROOT).items() if package in outside(path)]
    assert strangers and not [name for name in strangers if name.split(".")[0] not in AT_HOME[package]]


def test_training_imports_no_heavy_package() -> None:
    """Building and training are imported without scikit-learn, pandas, matplotlib and typer."""
    script = f"import sys, unwarp.models, unwarp.training; print(sys.modules.keys() & {set(AT_HOME)})"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"


def test_tests_import_no_tests() -> None:
    """What tests share lies in files that hold no tests."""
    files = Path(__file__).parent.rglob("test_*.py")
    assert not [path for path in files for name in imported(path, "tests") if name.split(".")[-2].startswith("test_")]


def test_circles_are_seen() -> None:
    """The measure itself: of a circle of three and a node beside it, the three; floors count what a circle stands on."""
    graph = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("ad"), "d": frozenset[str](), "e": frozenset("a")}
    assert circles(graph) == [frozenset("abc")]
    assert floors(graph) == {"a": 2, "b": 2, "c": 2, "d": 1, "e": 3}


def test_imports_are_seen(tmp_path: Path) -> None:
    """Deferred imports and those for type checkers count."""
    path = tmp_path / "late.py"
    path.write_text(
        "import unwarp.models.model\nfrom unwarp import plots\nif TYPE_CHECKING:\n    from unwarp.app.cli import main\n"
        "def late():\n    from unwarp.training import train\n"
    )
    assert set(imported(path)) == {"models.model", "plots", "app.cli.main", "training.train"}
