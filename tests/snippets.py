"""Find the code of the pages, and run it with trainings cut to a few steps."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import unwarp
import unwarp.training

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
MAX_STEPS = 4
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^ {4}(?:\$ )?((?:unwarp|make|pip|python) .+)$", re.MULTILINE)
INLINE = re.compile(r"`((?:unwarp|make|pip|python -m) [^`]+)`")

SHORTEN = "from tests.snippets import shorten_trainings; shorten_trainings()"


def shorten_trainings(replace: Callable[[object, str, object], None] = setattr) -> None:
    """Let every training end after a few steps, wherever it is started.

    Args:
        replace: Sets an attribute of a module; `MonkeyPatch.setattr` puts it back later.
    """
    whole = unwarp.training.train

    def train(*arguments: object, steps: int, **options: object) -> object:
        return whole(*arguments, steps=min(steps, MAX_STEPS), **options)

    for _, name, _ in pkgutil.walk_packages(unwarp.__path__, "unwarp."):
        if not name.endswith("__main__"):
            importlib.import_module(name)
    for module in list(sys.modules.values()):
        if getattr(module, "train", None) is whole:
            replace(module, "train", train)


def python_blocks(page: Path) -> list[str]:
    """Fenced blocks of Python of a page, from top to bottom."""
    return BLOCK.findall(page.read_text())


def commands(page: Path) -> list[list[str]]:
    """Words of each indented command of a page, comments left out."""
    text = COMMAND.findall(re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M))
    return [shlex.split(line, comments=True) for line in text]


def inline_commands(page: Path) -> list[list[str]]:
    """Words of each command that a sentence or a table quotes."""
    return [shlex.split(line) for line in INLINE.findall(page.read_text())]


def run_python(code: str, folder: Path) -> None:
    """Run code in a folder, in a process of its own, with short trainings and warnings as errors.

    Args:
        code: Statements of Python.
        folder: Working directory.
    """
    command = [sys.executable, "-W", "error", "-c", f"{SHORTEN}\n{code}"]
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert not done.returncode, f"{done.stdout}\n{done.stderr[-3000:]}"


def run_command(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of `unwarp` in a folder, in a process of its own, with short trainings.

    Args:
        words: The command, its first word `unwarp` included.
        folder: Working directory.

    Returns:
        The finished process with its output.
    """
    start = f"import sys; sys.argv = {words!r}\nfrom unwarp.app.cli.main import main\nmain()"
    code = f"{SHORTEN}\n{start}"
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
