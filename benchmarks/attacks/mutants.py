"""Mutants: small changes of the source that a test should notice."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/unwarp"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "storage": ("storage/[a-z]*.py", "checksums.py", "disk/[a-z]*.py", "models/store.py"),
    "checkpoint": ("training/checkpoint*.py", "training/snapshot.py"),
    "losses": ("models/losses.py", "models/likelihood.py", "models/posterior.py"),
    "warps": ("warps/[a-z]*.py",),
    "schema": (
        "data/schema.py",
        "data/scaling.py",
        "data/limits.py",
        "data/outliers.py",
        "ranges.py",
        "range_kinds.py",
    ),
}
"""Files to mutate, under `src/unwarp`; a group has about as many mutants as another."""

COMPARISONS: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
}

WITHOUT_BEHAVIOUR = frozenset({"annotation", "returns", "decorator_list", "exc", "type_params"})
"""Fields of nodes that mutants leave alone: annotations, decorators, and texts of errors."""


@dataclass(frozen=True)
class Place:
    """A place of a module that can be mutated.

    Attributes:
        node: Number of the node in the module.
        name: The function or class around it; empty at the top of the file.
        change: The change in words; numbered, where a function has several that read alike.
    """

    node: int
    name: str
    change: str


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        file: The file, under `src/unwarp`.
        line: Its line.
        label: File, place and change in one line; it does not depend on the line number.
        source: The text of the changed file.
    """

    file: str
    line: int
    label: str
    source: str


def places(tree: ast.Module) -> list[Place]:
    """All places where a module can be mutated."""
    counts, result = Counter[tuple[str, str]](), list[Place]()
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    for i, node in enumerate(_nodes(tree)):
        for change in changes(node):
            name, words = _name_of(scopes, node), _words(node, change)
            counts[name, words] += 1
            number = counts[name, words]
            result.append(Place(i, name, words if number == 1 else f"{words} ({number})"))
    return result


def make_mutant(file: str, tree: ast.Module, place: Place) -> Mutant:
    """The mutant of a module at a place.

    Args:
        file: Name of the file.
        tree: The module; it stays as it is.
        place: The place, of `places(tree)`.
    """
    changed = copy.deepcopy(tree)
    target = next(node for i, node in enumerate(_nodes(changed)) if i == place.node)
    apply_change(target)
    source = ast.unparse(ast.fix_missing_locations(changed))
    return Mutant(file, target.lineno, f"{file}: {place.name}: {place.change}", source)


def _words(node: ast.expr | ast.stmt, change: str) -> str:
    """A change in words: the first line before it, and after it."""
    before, after = ast.unparse(node), apply_change(copy.deepcopy(node))
    return f"{change}: {before.splitlines()[0]} -> {after.splitlines()[0]}"


def _name_of(scopes: Iterable[ast.ClassDef | ast.FunctionDef], target: ast.expr | ast.stmt) -> str:
    """The names of the classes and functions around a node, outer ones first, joined by dots."""
    return ".".join(
        scope.name for scope in scopes if scope.lineno <= target.lineno <= (scope.end_lineno or 0)
    )


def _nodes(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """Nodes with behaviour, parents first."""
    for name, value in ast.iter_fields(node):
        if name in WITHOUT_BEHAVIOUR:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.expr | ast.stmt) and not isinstance(child, ast.JoinedStr):
                yield child
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield from _nodes(child)


def changes(node: ast.AST) -> Iterator[str]:
    """Names of the changes that suit a node."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield "comparison"
        case ast.BinOp(op=op) if type(op) in OPERATORS:
            yield "operator"
        case ast.BoolOp():
            yield "and / or"
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield "no sign"
        case ast.Constant(value=bool()):
            yield "other truth"
        case ast.Constant(value=int() | float()):
            yield "other number"
        case ast.If() | ast.IfExp():
            yield "other branch"
        case ast.Expr(value=ast.Call()):
            yield "no call"
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield "no result"


def apply_change(node: ast.AST) -> str:
    """Change a node in place; its source afterwards."""
    match node:
        case ast.Compare(ops=[op]):
            node.ops = [COMPARISONS[type(op)]()]
        case ast.BinOp(op=operator):
            node.op = OPERATORS[type(operator)]()
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.UnaryOp(op=ast.USub()):
            node.op = ast.UAdd()
        case ast.UnaryOp():
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        case ast.Constant(value=bool()):
            node.value = not node.value
        case ast.Constant():
            node.value = node.value + 1  # type: ignore[operator]
        case ast.If() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Expr() | ast.Return():
            node.value = ast.Constant(None)
    return ast.unparse(node)


def files_of(group: str) -> list[str]:
    """The files of a group, under `src/unwarp`."""
    paths = (path for pattern in GROUPS[group] for path in sorted(SOURCE.glob(pattern)))
    return [path.relative_to(SOURCE).as_posix() for path in paths]


def sample_mutants(n: int, seed: int = 0) -> list[Mutant]:
    """Mutants drawn at random, as many of each group.

    Every place of a group that can be mutated is equally probable. The draw is by a hash of seed
    and label, so that a change of the source exchanges only mutants of the changed lines.

    Args:
        n: Number of mutants, a multiple of the number of groups.
        seed: Seed of the draw.
    """
    pools = [_order(group, seed)[: n // len(GROUPS)] for group in GROUPS]
    return [make_mutant(*entry) for row in zip(*pools, strict=True) for entry in row]


def _order(group: str, seed: int) -> list[tuple[str, ast.Module, Place]]:
    """All places of a group in the order of a seed, each with its file and its module."""
    return sorted(
        _places_of(group),
        key=lambda e: sha256(f"{seed} {e[0]}: {e[2].name}: {e[2].change}".encode()).digest(),
    )


@cache
def _places_of(group: str) -> list[tuple[str, ast.Module, Place]]:
    """All places of a group, each with its file and its module."""
    trees = {file: ast.parse((SOURCE / file).read_text()) for file in files_of(group)}
    return [(file, tree, place) for file, tree in trees.items() for place in places(tree)]
