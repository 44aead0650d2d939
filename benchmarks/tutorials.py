"""Tutorials at full size: their tables and pictures, from the code that the pages show.

    python -m benchmarks.tutorials                   tutorials without a result file, then the pages
    python -m benchmarks.tutorials --cell particles  one tutorial
    python -m benchmarks.tutorials --table           the tables alone, from the result files

The code of a page ends with a `table`, a data frame, and with a picture of the page's name.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from contextlib import chdir
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch
from PIL import Image

from benchmarks import cells, provenance
from benchmarks.pictures import small

PAGES = Path(__file__).parents[1] / "docs" / "tutorials"
PEERS = {
    "digits": ("scikit-learn", "opencv-python-headless"),
    "heartbeats": ("tslearn",),
    "outlines": ("scikit-learn", "opencv-python-headless"),
    "particles": ("pystackreg",),
    "trials": ("numpy",),
}
"""Packages that each tutorial compares with; a tutorial is a page with this name."""

HEADLINES = {
    "particles": ("angle of noisy particles, median error in degrees", "median error (degrees)"),
    "heartbeats": ("T wave of heartbeats, median error in ms", "T wave, median error (ms)"),
    "trials": ("second response, median error in ms", "second response, median error (ms)"),
    "outlines": ("species of leaves, agreement (ARI)", "species found (ARI)"),
    "digits": ("kinds of deformed digits, agreement (ARI)", "kinds found (ARI)"),
}
"""For each tutorial, its row in the README, and a column of its table."""

LARGEST_PICTURE = 200_000
"""Greatest size of a picture as matplotlib writes it, in bytes."""

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def cell(name: str, quick: bool = False) -> cells.Result:
    """Run a tutorial, and keep its picture.

    Args:
        name: Name of the page.
        quick: No tutorial has a quick run; `tests/test_snippets.py` runs them with short trainings.
    """
    mpl.use("agg")
    torch.set_num_threads(1)
    code = "\n".join(BLOCK.findall((PAGES / f"{name}.md").read_text()))
    page: dict[str, Any] = {"__name__": "tutorial"}
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        exec(compile(code, name, "exec"), page)
        keep_picture(Path(f"{name}.png"))
    scores = json.loads(page["table"].round(4).to_json(orient="index"))
    return {"scores": scores, "peers": {peer: version(peer) for peer in PEERS[name]}}


def keep_picture(path: Path) -> None:
    """Copy a picture to the pages, with a palette if its file is large."""
    shutil.copy(path, PAGES / path.name)
    if path.stat().st_size > LARGEST_PICTURE:
        with Image.open(path) as picture:
            (PAGES / path.name).write_bytes(small(picture.convert("RGB")))


def lines_of(result: cells.Result) -> list[str]:
    """The table of a tutorial as lines of Markdown."""
    rows: dict[str, dict[str, float | None]] = result["scores"]
    columns = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    mark = provenance.mark([result])
    for name, row in rows.items():
        values = " | ".join(text_of(row[column]) for column in columns)
        lines.append(f"| {name}{mark if name == 'Unwarp' else ''} | {values} |")
    versions = ", ".join(f"{peer} {number}" for peer, number in result["peers"].items())
    threads = result["environment"]["threads"]
    return [
        *lines,
        "",
        f"Measured by `python -m benchmarks.tutorials` with {versions}, {threads} thread.",
    ]


def text_of(value: float | None) -> str:
    """A number with about three digits."""
    if value is None:
        return "-"
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{round(value, digits) + 0.0:.{digits}f}"  # no minus before a zero


def table() -> None:
    """Write the tables of the pages from the result files."""
    paths = {name: cells.RESULTS / "tutorials" / f"{name}.json" for name in HEADLINES}
    results = {name: json.loads(path.read_text()) for name, path in paths.items() if path.is_file()}
    for name, result in results.items():
        page = f"docs/tutorials/{name}.md"
        cells.quote(f"tutorial-{name}", "\n".join(lines_of(result)), page)
    cells.quote("tutorials", "\n".join(summary(results)))


def summary(results: dict[str, cells.Result]) -> list[str]:
    """The table of the README: a row for each tutorial.

    Args:
        results: Result of each tutorial by its name.
    """
    lines = [
        "| question | tools used now | Unwarp | CPU seconds, theirs and ours |",
        "|---|---|---|---|",
    ]
    peers: dict[str, str] = {}
    for name, result in results.items():
        words, column = HEADLINES[name]
        rows = result["scores"]
        texts = {k: text_of(row[column]) for k, row in rows.items()}
        best = (min if "error" in column else max)(texts.values(), key=float)
        entries = {
            k: f"**{text}** {k}" if text == best else f"{text} {k}" for k, text in texts.items()
        }
        ours = entries.pop("Unwarp").removesuffix(" Unwarp")
        theirs = max(row["CPU seconds"] for k, row in rows.items() if k != "Unwarp")
        seconds = f"{text_of(theirs)}, {text_of(rows['Unwarp']['CPU seconds'])}"
        link = f"[{words}](docs/tutorials/{name}.md){provenance.mark([result])}"
        lines.append(f"| {link} | {'; '.join(entries.values())} | {ours} | {seconds} |")
        peers |= result["peers"]
    versions = ", ".join(f"{peer} {number}" for peer, number in sorted(peers.items()))
    note = "Bold is best. CPU seconds of the slowest other tool, and of Unwarp with its training"
    return [*lines, "", f"{note}; {versions}."]


if __name__ == "__main__":
    cells.command(__doc__, "tutorials", tuple(PEERS), cell, table, ())
