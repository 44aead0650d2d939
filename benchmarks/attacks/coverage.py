"""Coverage: lines and branches of the package that the default suite reaches."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[2]

FILES_IN_LIST = 15
"""Files with the most lines out of reach that a result names."""


def measure(*tests: str) -> dict[str, Any]:
    """Shares of lines and branches that tests reach; what they start as processes is not counted.

    Args:
        tests: Arguments of pytest; none for the default suite.

    Returns:
        Scores in percent, and the files with the most lines out of reach.

    Raises:
        SystemExit: The package coverage is not installed.
    """
    if find_spec("coverage") is None:
        raise SystemExit("coverage is not installed; install it with: pip install coverage")
    with TemporaryDirectory() as folder:
        data, out = f"--data-file={folder}/data", Path(folder) / "coverage.json"
        run = [*PYTHON, "run", data, "--branch", "--source=unwarp", "-m", "pytest", *tests]
        suite = subprocess.run(run, cwd=ROOT, capture_output=True, text=True)
        subprocess.run([*PYTHON, "json", data, "-q", "-o", str(out)], cwd=ROOT, check=True)
        record = json.loads(out.read_text())
    failures = [line for line in suite.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return _result(record) | {"failures": failures}


PYTHON = (sys.executable, "-m", "coverage")


def _result(record: dict[str, Any]) -> dict[str, Any]:
    totals = record["totals"]
    lines = 100 * totals["covered_lines"] / totals["num_statements"]
    branches = 100 * totals["covered_branches"] / totals["num_branches"]
    files = sorted(record["files"].items(), key=lambda item: -len(item[1]["missing_lines"]))
    return {
        "scores": {"lines": round(lines, 2), "branches": round(branches, 2)},
        "missing": {
            path.removeprefix("src/unwarp/"): len(part["missing_lines"])
            for path, part in files[:FILES_IN_LIST]
            if part["missing_lines"]
        },
    }
