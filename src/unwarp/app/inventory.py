"""Names of all warps, recipes, data sets, scores and file formats.

The names are read from the source files of Unwarp with `ast`, because importing these files takes
seconds. Names that an imported plugin registers are added.
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
from unwarp.disk.paths import exists, is_pattern, matches, split_member
from unwarp.errors import missing_source_error

ROOT = Path(unwarp.__file__).parent

READERS = frozenset(("reader", "hinted_reader", "picture_reader"))
"""Names of the decorators that register a file format."""


def inventory() -> dict[str, Any]:
    """Names of all warps, recipes, data sets, scores and file formats.

    Names that a plugin registers are included once the plugin is imported.

    Returns:
        The version under `unwarp`, and sorted names under `warps`, `recipes`, `data sets`,
        `scores` and `file formats`.
    """
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
    """The name of a data source, checked without importing torch.

    Args:
        source: Name of a built-in data set, a path, a pattern such as `cells/*.tif`, or `FILE:NAME`
            of an array in a file; `~` is the home folder.

    Returns:
        `source` unchanged.

    Raises:
        DataError: It is neither a data set nor an existing path.

    >>> check_source("digits")
    'digits'
    """
    if source in datasets.names() or exists(source) or split_member(source)[1]:
        return source
    if is_pattern(source) and matches(source):
        return source
    raise missing_source_error(source, ", ".join(file_formats()))


def file_formats() -> tuple[str, ...]:
    """Suffixes of the files that can be read, sorted.

    Returns:
        Suffixes with their dot, such as `.csv`.
    """
    trees = map(_syntax, sorted((ROOT / "data/formats").glob("*.py")))
    functions = (node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef))
    calls = (
        call for node in functions for call in node.decorator_list if isinstance(call, ast.Call)
    )
    readers = (call for call in calls if READERS.intersection(_names(call.func)))
    # the empty suffix stands for folders of images
    suffixes = {ast.literal_eval(argument) for call in readers for argument in call.args}
    return tuple(sorted(suffixes.union(_registry("data.formats.registry", "REGISTRY")) - {""}))


def _registry(module: str, name: str) -> Iterable[str]:
    """Names in a registry, with those of plugins; empty if its module is not imported.

    Args:
        module: Name of the module inside `unwarp`, such as `warps.warp`.
        name: Name of the registry in the module, such as `Warp.registry`.
    """
    head, *attributes = name.split(".")
    member = getattr(sys.modules.get(f"unwarp.{module}"), head, {})
    for attribute in attributes:
        member = getattr(member, attribute, {})
    return tuple(member)


def _class_attributes(folder: str, attribute: str) -> Iterator[str]:
    """Values that classes in the files of a folder assign to an attribute."""
    trees = map(_syntax, sorted((ROOT / folder).glob("*.py")))
    classes = (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    for name, value in (_assignment(statement) for node in classes for statement in node.body):
        if name == attribute and value is not None:
            yield ast.literal_eval(value)


def _scores() -> Iterator[str]:
    """Names of all scores.

    A score is a function of `unwarp.metrics` that is decorated by a decorator of
    `unwarp.metrics.registry`, or listed in a tuple `SCORES`.
    """
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
    """Names of all variables that expressions use."""
    nodes = (node for expression in expressions for node in ast.walk(expression))
    return (node.id for node in nodes if isinstance(node, ast.Name))


def _assignment(node: ast.stmt) -> tuple[str | None, ast.expr | None]:
    """Name and value of an assignment to one name; None for any other statement."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return None, None
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return (target.id, node.value) if isinstance(target, ast.Name) else (None, None)


@cache
def _syntax(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"))
