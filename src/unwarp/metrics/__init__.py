"""Measures as functions of arrays, and the registry of scores.

A score is a function with the decorator `score_function`. The names of its arguments are fields of
`ScoreInputs`. An argument with the prefix `train_` is the same field of the reference data, to
which nearest neighbours, probes (linear classifiers) and clusters are fitted. A score returns a
number, or several numbers by name. All files of this folder are imported, which registers their
scores; a score of another module is registered when that module is imported.
"""

from __future__ import annotations

from unwarp.metrics.inputs import ScoreInputs
from unwarp.metrics.registry import Metric, Score, definitions, needs, score_function, unregister
from unwarp.registry import import_files

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
    """All registered scores by name, with their declared properties.

    The first call imports every file of this folder.

    Returns:
        `Metric` records: those of this folder first, then those of other modules.

    >>> catalogue()["mig"].best
    1.0
    """
    import_files(__name__)
    return definitions()


def scores() -> dict[str, Score]:
    """All registered scores by name, as functions.

    Returns:
        The same names in the same order as in `catalogue`.

    >>> scores()["explained"].__name__
    'explained'
    """
    return {name: metric.function for name, metric in catalogue().items()}
