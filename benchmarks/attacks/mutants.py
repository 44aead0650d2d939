"""Mutants: small changes of the source that a test should notice."""

from __future__ import annotations

import ast
import copy
import multiprocessing
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic

import pytest

ROOT = Path(__file__).parents[2]

SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "storage.py": ("tests/test_storage.py",),
    "training/checkpoint.py": ("tests/training/test_checkpoint.py",),
    "models/losses.py": ("tests/models/test_losses.py",),
    "data/schema.py": ("tests/data/test_schema.py",),
    "warps/affine_map.py": ("tests/warps/test_affine_map.py", "tests/laws/test_maps.py"),
    "warps/time_map.py": ("tests/warps/test_time_map.py", "tests/laws/test_maps.py"),
    "warps/piecewise.py": ("tests/warps/test_piecewise.py", "tests/laws/test_maps.py"),
    "warps/window.py": ("tests/warps/test_window.py",),
    "warps/chain.py": ("tests/warps/test_chain.py", "tests/laws/test_warps.py"),
    "warps/missing.py": ("tests/warps/test_missing.py",),
}
"""Files to mutate, under `src/unwarp`, each with its tests; its doctests run, too."""

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
class Mutant:
    """One change of one file.

    Attributes:
        file: The file, under `src/unwarp`.
        line: Its line.
        change: The change in words.
        source: The text of the changed file.
    """

    file: str
    line: int
    change: str
    source: str


def places(tree: ast.Module) -> list[tuple[int, str]]:
    """Where a module can be mutated: the number of a node, and the name of the change."""
    return [(i, change) for i, node in enumerate(_nodes(tree)) for change in changes(node)]


def make_mutant(file: str, tree: ast.Module, place: tuple[int, str]) -> Mutant:
    """The mutant of a module at a place.

    Args:
        file: Name of the file.
        tree: The module; it stays as it is.
        place: Number of a node, and the name of the change.
    """
    changed = copy.deepcopy(tree)
    target = next(node for i, node in enumerate(_nodes(changed)) if i == place[0])
    before = ast.unparse(target)
    after = apply_change(target)
    words = f"{place[1]}: {before.splitlines()[0]} -> {after.splitlines()[0]}"
    return Mutant(file, target.lineno, words, ast.unparse(ast.fix_missing_locations(changed)))


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
        case ast.Return(value=ast.expr()):
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


def sample_mutants(n: int, seed: int = 0) -> list[Mutant]:
    """Mutants of all subjects, drawn at random, about as many of each file."""
    random, trees = Random(seed), dict[str, ast.Module]()
    pools = dict[str, list[tuple[int, str]]]()
    for file in SUBJECTS:
        trees[file] = ast.parse((ROOT / "src/unwarp" / file).read_text())
        pools[file] = random.sample(places(trees[file]), len(places(trees[file])))
    drawn: list[Mutant] = []
    while len(drawn) < n and any(pools.values()):
        drawn += [
            make_mutant(file, trees[file], pool.pop()) for file, pool in pools.items() if pool
        ]
    return drawn[:n]


def run_tests(mutant: Mutant | str, seconds: float) -> str:
    """`killed`, `late` (killed by the time limit) or `survived`.

    Args:
        mutant: The mutant; the name of a file for its tests without a change.
        seconds: Longest time of the tests.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    with TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        if isinstance(mutant, Mutant):
            (source / "unwarp" / mutant.file).write_text(mutant.source)
        file = mutant.file if isinstance(mutant, Mutant) else mutant
        worker = context.Process(target=_test, args=(source, file, sender))
        worker.start()
        sender.close()
        worker.join(seconds)
        is_late = worker.is_alive()
        worker.kill()
        worker.join()
        if is_late:
            return "late"
        return "survived" if receiver.poll() and _passes(receiver) else "killed"


def _passes(receiver: Connection) -> bool:
    try:
        return bool(receiver.recv() == 0)
    except EOFError:
        return False


def _test(source: Path, file: str, sender: Connection) -> None:
    """Run the tests of a file in this process, with the package at `source`."""
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    for name in [name for name in sys.modules if name.partition(".")[0] == "unwarp"]:
        del sys.modules[name]
    sys.path.insert(0, str(source))
    os.environ["PYTHONPATH"] = str(source)
    os.chdir(ROOT)
    tests = [*SUBJECTS[file], str(source / "unwarp" / file)]
    options = ["-x", "-q", "-p", "no:cacheprovider", "--durations=0", "--rootdir", str(ROOT)]
    sender.send(int(pytest.main([*options, "-c", str(ROOT / "pyproject.toml"), *tests])))


def attack(n: int, seconds: float, limit: float) -> dict[str, object]:
    """Kill mutants as long as a time budget lasts.

    Args:
        n: Number of mutants.
        seconds: Time budget; mutants that it does not reach are not counted.
        limit: Longest time of the tests of one mutant.

    Returns:
        Number of mutants, number and share of those killed, by file, and the survivors.

    Raises:
        RuntimeError: Tests fail without a change, so that they could not tell a mutant.
    """
    end, fates, checked = monotonic() + seconds, dict[Mutant, str](), set[str]()
    for mutant in sample_mutants(n):
        if monotonic() > end:
            break
        if mutant.file not in checked and run_tests(mutant.file, limit) != "survived":
            raise RuntimeError(f"the tests of {mutant.file} fail, or last too long, as they are")
        checked.add(mutant.file)
        fates[mutant] = run_tests(mutant, limit)
    files = {
        file: f"{sum(fate != 'survived' for fate in part)} of {len(part)}"
        for file in SUBJECTS
        if (part := [fate for mutant, fate in fates.items() if mutant.file == file])
    }
    survivors = [mutant for mutant, fate in fates.items() if fate == "survived"]
    n_killed = len(fates) - len(survivors)
    return {
        "scores": {
            "mutants": len(fates),
            "killed": n_killed,
            "share": round(n_killed / max(1, len(fates)), 3),
            "late": sum(fate == "late" for fate in fates.values()),
        },
        "files": files,
        "survivors": [f"{m.file}:{m.line}: {m.change}" for m in survivors],
    }
