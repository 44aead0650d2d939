"""Results on kills, faults of the disk and damaged files, as text of the page on reliability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Result = dict[str, Any]

TITLES_OF_PHASES = {
    "start": "reading, and between the other phases",
    "selection": "measuring how much to warp",
    "checkpoint": "writing a checkpoint, or that measurement",
    "save": "saving a model",
    "scores": "scoring",
    "tables": "writing scores and tables",
    "report": "drawing and writing the report",
}
"""Words for phases of a run."""

COLUMNS_OF_FAULTS = {
    "calls": "calls",
    "clear": "refused: a clear line",
    "as_usual": "refused: ends as usual",
    "unclear": "refused: an unclear line",
    "tracebacks": "refused: a traceback",
    "died": "died",
    "losses": "something lost",
}
COLUMNS_OF_FLIPS = {
    "bytes": "bytes",
    "refused": "refused",
    "fallback": "replaced, with a message",
    "equal": "same content",
    "fault": "not noticed",
}


def words_of_kills(result: Result) -> str:
    """The share of equal runs, and kills by phase.

    Args:
        result: Result of the part `kills`.
    """
    scores, domains = result["scores"], next(iter(result["phases"].values()))
    head = (
        f"{scores['equal']} of {scores['runs']} runs are equal to the bit, after "
        f"{scores['kills']} kills; {scores['killed_twice']} of them were killed twice."
    )
    rows = {TITLES_OF_PHASES.get(name, name): row for name, row in result["phases"].items()}
    return f"{head}\n\n{_table('killed while', dict(zip(domains, domains, strict=True)), rows)}"


def words_of_faults(result: Result) -> str:
    """The outcomes of faults of the disk.

    Args:
        result: Result of the part `faults`.
    """
    return _table("work", COLUMNS_OF_FAULTS, {**result["works"], "all": result["scores"]})


def words_of_flips(result: Result) -> str:
    """The outcomes of changed bytes, and of hostile folders.

    Args:
        result: Result of the part `flips`.
    """
    rows = {
        kind: {"number": sum(counts.values()), "refused": counts["typed"]}
        for kind, counts in result["hostile"].items()
    }
    titles = {"number": "number", "refused": "refused in a clear line"}
    files = _table("file", COLUMNS_OF_FLIPS, {**result["files"], "all": result["scores"]})
    return f"{files}\n\n{_table('hostile', titles, rows)}"


def _table(head: str, titles: Mapping[str, str], rows: Mapping[str, Mapping[str, int]]) -> str:
    """A table in Markdown with a row for each name and a column for each title."""
    lines = [f"| {head} | {' | '.join(titles.values())} |", "|---" * (1 + len(titles)) + "|"]
    for name, counts in rows.items():
        lines.append(f"| {name} | {' | '.join(f'{counts[key]:,}' for key in titles)} |")
    return "\n".join(lines)
