"""Names of all that this installation offers.

They are read off its source files with `ast`, since importing those files takes seconds.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import unwarp
from unwarp import datasets
from unwarp.errors import no_such_source

ROOT = Path(unwarp.__file__).parent


def inventory() -> dict[str, Any]:
    """Names of all warps, recipes, data sets, scores and file formats."""
    return {
        "unwarp": unwarp.__version__,
        "warps": sorted(
            {*_class_attributes("warps", "name"), *_registry("warps.warp", "Warp.registry")}
        ),
        "recipes": sorted(
            {
                *_class_attributes("models/families", "family"),
                *_registry("models.recipe", "Recipe.registry"),
            }
        ),
        "data sets": list(datasets.names()),
        "scores": sorted(_scores()),
        "file formats": list(file_formats()),
    }


def check_source(source: str) -> str:
    """`source` as it is, where it names a built-in data set or a path.

    Raises:
        DataError: There is no such data set or path.
    """
    if source in datasets.names() or (source and Path(source).expanduser().exists()):
        return source
    raise no_such_source(source, ", ".join(file_formats()))


def file_formats() -> tuple[str, ...]:
    """Suffixes of the files that can be read."""
    trees = map(_syntax, sorted((ROOT / "data/formats").glob("*.py")))
    functions = (node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef))
    calls = (
        call for node in functions for call in node.decorator_list if isinstance(call, ast.Call)
    )
    readers = (call for call in calls if "reader" in _names(call.func))
    suffixes = {ast.literal_eval(argument) for call in readers for argument in call.args}
    return tuple(sorted(suffixes.union(_registry("data.formats.registry", "REGISTRY")) - {""}))


def _registry(module: str, name: str) -> Iterable[str]:
    """Names in a registry, where its module is imported: those of a plugin are there."""
    head, *attributes = name.split(".")
    member = getattr(sys.modules.get(f"unwarp.{module}"), head, {})
    for attribute in attributes:
        member = getattr(member, attribute, {})
    return tuple(member)


def _class_attributes(folder: str, attribute: str) -> Iterator[str]:
    """The text that classes in the files of a folder assign to `attribute` in their bodies."""
    trees = map(_syntax, sorted((ROOT / folder).glob("*.py")))
    classes = (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    for name, value in (_assignment(statement) for node in classes for statement in node.body):
        if name == attribute and value is not None:
            yield ast.literal_eval(value)


def _scores() -> Iterator[str]:
    """Functions that stand in `SCORES`, or under a decorator of `unwarp.metrics.registry`."""
    for tree in map(_syntax, sorted((ROOT / "metrics").glob("*.py"))):
        decorators: set[str] = set()
        for node in tree.body:
            name, value = _assignment(node)
            if isinstance(node, ast.ImportFrom) and node.module == "unwarp.metrics.registry":
                decorators |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, ast.FunctionDef):
                if decorators.intersection(_names(*node.decorator_list)):
                    yield node.name
            elif name == "SCORES" and value is not None:
                yield from _names(value)


def _names(*expressions: ast.expr) -> Iterator[str]:
    nodes = (node for expression in expressions for node in ast.walk(expression))
    return (node.id for node in nodes if isinstance(node, ast.Name))


def _assignment(node: ast.stmt) -> tuple[str | None, ast.expr | None]:
    """The name that a statement assigns to, and the expression; None for any other statement."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return None, None
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return (target.id, node.value) if isinstance(target, ast.Name) else (None, None)


@cache
def _syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))
