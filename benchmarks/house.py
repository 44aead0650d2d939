"""The structure of the code in numbers: rooms, floors, circles, sizes, branches on the domain.

    python -m benchmarks.house                 the table
    python -m benchmarks.house --tree FOLDER   the same for another checkout

A room is a folder directly under `src/unwarp`, or a file there; a file imports whatever its import
statements name, wherever they stand: at the top, inside a function, or for type checkers alone. A
folder's `__init__.py` is its face: its own imports are the folder's, and who imports a name from a
face imports the folder. Floor 1 imports nothing; every other room stands one floor above the
highest that it imports.
"""

from __future__ import annotations

import argparse
import ast
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from statistics import median, quantiles

SOURCE = Path("src/unwarp")
Graph = Mapping[str, frozenset[str]]

DOMAIN_BRANCH = re.compile(
    r"ndim [!=]= [34]|len\(shape\) [!=]= [23]|domain [!=]= |(kind|name) [!=]= [\"'](image|series)"
    r"|[\"'](image|series)[\"'] if "
)
"""Code that asks whether samples are pictures or series."""

DOMAIN_USERS = ("data/", "app/report/", "core.py", "readers/", "report.py", "schema.py")
"""Where such questions are at home."""


def modules(root: Path) -> dict[str, Path]:
    """Files of a package by dotted name; `__init__.py` has the name of its folder."""
    files = {path.relative_to(root).with_suffix(""): path for path in sorted(root.rglob("*.py"))}
    return {
        ".".join(p for p in name.parts if p != "__init__") or "__init__": path
        for name, path in files.items()
    }


def imported(path: Path, package: str = "unwarp") -> Iterator[str]:
    """Dotted names, within `package`, of all that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (
                a.name.removeprefix(f"{package}.")
                for a in node.names
                if a.name.startswith(f"{package}.")
            )
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports are not followed"
            if node.module == package:
                yield from (alias.name for alias in node.names)
            elif (node.module or "").startswith(f"{package}."):
                head = (node.module or "").removeprefix(f"{package}.")
                yield from (f"{head}.{alias.name}" for alias in node.names)


def outside(path: Path) -> set[str]:
    """Third-party packages that a file imports at module level."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"unwarp"}


def file_graph(root: Path) -> Graph:
    """Which files import which."""
    known = modules(root)
    graph: dict[str, frozenset[str]] = {}
    for name, path in known.items():
        reached = {_module(full, known) for full in imported(path)}
        graph[name] = frozenset(other for other in reached if other and other != name)
    return graph


def _module(full: str, known: Mapping[str, Path]) -> str | None:
    """The file that a dotted name stands for or in."""
    if full in known:
        return full
    head = full.rpartition(".")[0]
    return head if head in known else None


def room_graph(root: Path) -> Graph:
    """Which rooms import which."""
    graph: dict[str, set[str]] = {}
    for name, reached in file_graph(root).items():
        room = name.split(".")[0]
        graph.setdefault(room, set()).update(other.split(".")[0] for other in reached)
    return {room: frozenset(reached - {room}) for room, reached in graph.items()}


def circles(graph: Graph) -> list[frozenset[str]]:
    """Sets of nodes that reach each other."""
    reach = {node: _reached(graph, node) for node in graph}
    found = {frozenset(b for b in reach[a] if a in reach[b]) for a in graph if a in reach[a]}
    return sorted(found, key=sorted)


def _reached(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    pending = list(graph[start])
    while pending:
        node = pending.pop()
        if node not in seen:
            seen.add(node)
            pending += graph.get(node, ())
    return seen


def floors(graph: Graph) -> dict[str, int]:
    """The floor of each room; rooms of one circle share what is left of them."""
    tied = {
        node: next((c for c in circles(graph) if node in c), frozenset({node})) for node in graph
    }

    @cache
    def floor(node: str) -> int:
        below = {other for member in tied[node] for other in graph[member]} - tied[node]
        return 1 + max((floor(other) for other in below), default=0)

    return {node: floor(node) for node in graph}


def function_lines(root: Path) -> list[int]:
    """Lines of every function without its docstring and its decorators."""
    sizes = []
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                first = node.body[0]
                if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                    lines -= (first.end_lineno or first.lineno) - first.lineno + 1
                sizes.append(lines)
    return sizes


def file_lines(root: Path) -> dict[str, int]:
    """Lines of every file."""
    return {
        str(path.relative_to(root)): path.read_text().count("\n") for path in root.rglob("*.py")
    }


def domain_branches(root: Path) -> dict[str, int]:
    """How often files outside `DOMAIN_USERS` ask whether samples are pictures or series."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        name = str(path.relative_to(root))
        count = sum(len(DOMAIN_BRANCH.findall(line)) for line in path.read_text().splitlines())
        if count and not name.startswith(DOMAIN_USERS):
            found[name] = count
    return found


def listing(root: Path, *options: str) -> list[str]:
    """Files that list some options by hand: in a signature, a call, a record or a mapping."""
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*.py"))
        if any(set(options) <= _names(node) for node in ast.walk(ast.parse(path.read_text())))
    ]


def _names(node: ast.AST) -> set[str]:
    """Names that a signature, a call, a class or a mapping lists."""
    if isinstance(node, ast.FunctionDef):
        return {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
    if isinstance(node, ast.Call):
        values = (*node.args, *(keyword.value for keyword in node.keywords))
        words = {keyword.arg or "" for keyword in node.keywords}
        return words | {value.attr for value in values if isinstance(value, ast.Attribute)}
    if isinstance(node, ast.ClassDef):
        targets = (item.target for item in node.body if isinstance(item, ast.AnnAssign))
        return {target.id for target in targets if isinstance(target, ast.Name)}
    if isinstance(node, ast.Dict):
        return {str(key.value) for key in node.keys if isinstance(key, ast.Constant)}
    return set()


def quoting(root: Path, text: str) -> list[str]:
    """Files that hold a text as a constant, docstrings apart."""
    constants = {
        str(path.relative_to(root)): [
            n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)
        ]
        for path in sorted(root.rglob("*.py"))
    }
    return [name for name, values in constants.items() if text in values]


def cpu_seconds(tree: Path, *words: str, rounds: int = 3) -> float:
    """CPU seconds of a command of `unwarp`, the least of several rounds."""
    best = float("inf")
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "unwarp", *words]
        subprocess.run(command, env=_environment(tree), capture_output=True, check=False, cwd=tree)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def times_opened(tree: Path) -> int:
    """How often `unwarp fit FILE --set n_content=4` opens the file to read it."""
    with tempfile.TemporaryDirectory() as folder:
        place, log = Path(folder) / "waves.csv", Path(folder) / "log"
        rows = (
            ",".join(f"{(7 * i * k) % 11 / 10 + 0.01 * i:.2f}" for k in range(24))
            for i in range(1, 31)
        )
        place.write_text("\n".join(rows) + "\n")
        script = OPENED.format(place=str(place), log=str(log), out=str(Path(folder) / "run"))
        subprocess.run(
            [sys.executable, "-c", script], env=_environment(tree), check=True, capture_output=True
        )
        return int(log.read_text())


OPENED = """
import sys
count = 0
def watch(event, arguments):
    global count
    if event == "open" and str(arguments[0]) == {place!r}:
        count += 1
sys.addaudithook(watch)
sys.argv = ["unwarp", "fit", {place!r}, "--out", {out!r}, "--set", "n_content=4", "--steps", "2"]
try:
    from unwarp.app.cli.main import main
except ImportError:
    from unwarp.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
open({log!r}, "w").write(str(count))
"""


def _environment(tree: Path) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(tree / "src")}


def table(tree: Path) -> dict[str, str]:
    """The measures of a checkout, by what they are of."""
    root = tree / SOURCE
    rooms = {
        name: reached
        for name, reached in room_graph(root).items()
        if name not in ("__init__", "__main__")
    }
    rooms = {name: reached & rooms.keys() for name, reached in rooms.items()}
    storeys, sizes, files = floors(rooms), function_lines(root), file_lines(root)
    upward = sum(storeys[b] >= storeys[a] for a, reached in rooms.items() for b in reached)
    shape = (len(rooms), max(storeys.values()), len(circles(file_graph(root))), upward)
    branches, tail = domain_branches(root), quantiles(sizes, n=10)[-1]
    return {
        "rooms / floors / circles of files / upward arrows": " / ".join(map(str, shape)),
        "function lines: median / p90 / max": f"{median(sizes):.0f} / {tail:.0f} / {max(sizes)}",
        "file lines: max": f"{max(files.values())} ({max(files, key=lambda name: files[name])})",
        "branches on the domain": f"{sum(branches.values())} {branches}",
        "openings of a file in `unwarp fit FILE --set n_content=4`": str(times_opened(tree)),
        "files that name the reader of `.arff`": ", ".join(quoting(root, ".arff")),
        "files that list options of `fit` by hand": ", ".join(listing(root, "missing", "scale")),
        "CPU seconds of `unwarp info`": f"{cpu_seconds(tree, 'info'):.2f}",
        "CPU seconds of `unwarp --help`": f"{cpu_seconds(tree, '--help'):.2f}",
        "CPU seconds of `unwarp fit nowhere`": f"{cpu_seconds(tree, 'fit', 'nowhere'):.2f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tree", type=Path, default=Path(__file__).parents[1], help="another checkout"
    )
    for name, value in table(parser.parse_args().tree.resolve()).items():
        print(f"{name:60} {value}")


if __name__ == "__main__":
    main()
