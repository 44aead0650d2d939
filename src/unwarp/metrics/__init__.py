"""Measures: functions of arrays. Those that `score_function` marks are scores, in one registry.

The names of a score's arguments say what it needs: they are fields of `ScoreInputs`, or such a
field with `train_` before it, of the samples on which neighbours, probes and clusters are fitted.
A score gives a number, or several by name. Every file of this folder is read for its scores; a
score of another module joins when that module is imported.
"""

from __future__ import annotations

from unwarp.core import import_files
from unwarp.metrics.inputs import ScoreInputs
from unwarp.metrics.registry import Metric, Score, definitions, needs, score_function, unregister

__all__ = [
    "Metric",
    "Score",
    "ScoreInputs",
    "catalogue",
    "needs",
    "score_function",
    "scores",
    "unregister",
]


def catalogue() -> dict[str, Metric]:
    """Every registered score by its name, with what it promises."""
    import_files(__name__)
    return definitions()


def scores() -> dict[str, Score]:
    """Every registered score by its name, as a function."""
    return {name: metric.function for name, metric in catalogue().items()}
