"""Run benchmarks by cell, each with one committed result file; tables follow from the files."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy
import sklearn
import torch

from benchmarks import provenance
from unwarp import __version__

RESULTS = Path(__file__).parent / "results"
Result = dict[str, Any]


def environment() -> Result:
    """Versions and machine that a result depends on."""
    return {
        "unwarp": __version__,
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "sklearn": sklearn.__version__,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


def write(path: Path, result: Result) -> None:
    """Write a result file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(result, indent=1) + "\n")
    partial.replace(path)


def run(folder: str, name: str, work: Callable[[], Result], *, again: bool = False) -> Result:
    """The result of a cell, from its file where there is one."""
    path = RESULTS / folder / f"{name}.json"
    if path.is_file() and not again:
        found: Result = json.loads(path.read_text())
        return found
    print(f"{folder}/{name} ...", flush=True)
    result = work()
    result = result | {"environment": environment()} | provenance.origin(result, work)
    write(path, result)
    print(f"{folder}/{name}: {json.dumps(result.get('scores', result))}", flush=True)
    return result


def quote(name: str, words: str, page: str = "README.md") -> None:
    """Put a table between its marks in a page, with a line on rows that are older."""
    words = provenance.with_note(words)
    path = RESULTS.parent.parent / page
    head, rest = path.read_text().split(f"<!-- {name} -->\n")
    tail = rest.split(f"<!-- /{name} -->", 1)[1]
    path.write_text(f"{head}<!-- {name} -->\n{words}\n<!-- /{name} -->{tail}")


def medians(results: Iterable[Result]) -> dict[str, float]:
    """Median over cells of every number under `scores`."""
    columns: dict[str, list[float]] = {}
    for result in results:
        for name, value in result["scores"].items():
            columns.setdefault(name, []).append(value)
    return {name: round(median(values), 5) for name, values in columns.items()}


def command(
    words: str | None,
    folder: str,
    names: Sequence[str],
    cell: Callable[..., Result],
    table: Callable[[], None],
    quick: Sequence[str],
) -> None:
    """Run a benchmark from the command line: missing cells first, then the table."""
    parser = argparse.ArgumentParser(
        description=words, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cell", action="append", choices=names, help="may be given several times")
    parser.add_argument(
        "--again", action="store_true", help="run cells that have a result file too"
    )
    parser.add_argument("--table", action="store_true", help="rebuild the table alone")
    parser.add_argument(
        "--quick", action="store_true", help=f"a little of {', '.join(quick)}, written nowhere"
    )
    asked = parser.parse_args()
    if asked.quick:
        for name in quick:
            print(name, cell(name, quick=True)["scores"])
        return
    for name in [] if asked.table else asked.cell or names:
        run(folder, name, lambda n=name: cell(n), again=asked.again)  # type: ignore[misc]
    table()
