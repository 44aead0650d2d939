"""Imports run only down: every file's imports are read and held against the list of layers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import unwarp

ROOT = Path(unwarp.__file__).parent
LAYERS = (
    ("types", "nets", "losses", "schedules", "devices", "_version"),
    ("warps",),
    ("metrics", "plots", "animation"),
    ("models", "readers", "datasets"),
    (
        "training",
        "checkpoints",
        "evaluation",
        "traversals",
        "progress",
        "recipes",
        "features",
        "mixture",
        "schema",
        "selection",
        "tables",
    ),
    ("report", "figures", "exhibits", "settings", "alignment", "estimators", "explorer", "results", "runs"),
    ("cli", "looking", "console"),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
DOORS = {"__init__", "__main__"}
FORBIDDEN = {
    "metrics": {"models"},
    "plots": {"models"},
    "warps": {"nets", "models"},
    "models": {"training", "plots", "cli"},
}
FILES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from statements(node)


def imported(source: str, package: str) -> set[str]:
    """Dotted names that a file of `package` imports, relative ones resolved."""
    found: set[str] = set()
    for node in statements(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def rooms(source: str, package: str) -> set[str]:
    """Rooms of the library that a file imports from."""
    return {name.split(".")[1] for name in imported(source, package) if name.startswith("unwarp.")} & set(LEVEL)


def package_of(file: Path) -> str:
    return ".".join(("unwarp", *file.parts[:-1]))


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_run_down(file: Path) -> None:
    room = file.parts[0].removesuffix(".py")
    source = (ROOT / file).read_text()
    outside = {name.split(".")[0] for name in imported(source, package_of(file))}
    assert not outside & {"benchmarks", "examples", "tests"}
    if room in DOORS:
        return
    assert room in LEVEL, f"{room} stands in no layer"
    reached = rooms(source, package_of(file)) - {room}
    assert not {other for other in reached if LEVEL[other] > LEVEL[room]}
    assert not reached & FORBIDDEN.get(room, set())


def test_the_reader_of_imports_sees_them_all() -> None:
    source = """
import unwarp.models.base
from unwarp import plots
from .encoders import Encoder
from ..training import train
if TYPE_CHECKING:
    from unwarp.cli import main
def late():
    from unwarp.report import page
"""
    assert rooms(source, "unwarp.models") == {"models", "plots", "training", "report"}
