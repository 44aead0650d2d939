"""Tables of scores of a report: both models, and methods without learning.

The methods without learning classify or cluster the pixels or values of the samples directly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import has_overview_of_held_out
from unwarp.app.report.section import Table
from unwarp.prefixes import strip_prefix

Columns = Mapping[str, Mapping[str, float]]
"""For the head of each column, its scores by their name."""


@dataclass(frozen=True)
class ScoreRow:
    """One score, as a row of a table.

    Attributes:
        label: Name of the score for readers.
        key: Name of the score in `metrics.json`.
        form: Format of a value, for `str.format`.
        is_higher_better: Whether the greatest value of the row is the best.

    >>> ScoreRow("linear probe accuracy", "linear", "{:.1%}").form.format(0.953)
    '95.3%'
    """

    label: str
    key: str
    form: str
    is_higher_better: bool = True


@dataclass(frozen=True)
class ScoreLayout:
    """Rows and columns of the table of scores of one domain.

    Attributes:
        rows: All rows that a table may have; a row without any value is left out.
        columns: Function from a run to the columns. The first two are those of the two models.
        note: Explanation of the other columns.

    >>> rows = (ScoreRow("variance explained", "explained", "{:.1%}"),)
    >>> layout = ScoreLayout(rows, lambda outcome: {"with warp": {"explained": 0.9}}, "")
    >>> layout.rows[0].is_higher_better
    True
    """

    rows: tuple[ScoreRow, ...]
    columns: Callable[[Outcome], Columns]
    note: str


def score_table(outcome: Outcome, layout: ScoreLayout) -> Table:
    """Scores and speeds of both models, and scores of methods without learning.

    Args:
        outcome: The run.
        layout: Rows and columns of its domain.

    Returns:
        A table with one row for each score that at least one column has, followed by the speeds.
    """
    columns = layout.columns(outcome)
    keys = {key for column in columns.values() for key in column}
    score_rows = [row for row in layout.rows if row.key in keys]
    rows = [(row.label, *_format_row(row, columns)) for row in score_rows]
    best = [_format_best(row, columns) for row in score_rows]
    speeds = _speed_rows(outcome)
    padding = [""] * (len(columns) - len(outcome.scored_models))
    rows += [(*speed, *padding) for speed in speeds]
    return Table(("score", *columns), tuple(rows), (*best, *[""] * len(speeds)))


def _format_row(row: ScoreRow, columns: Columns) -> list[str]:
    """The cells of a row, column by column; empty for columns without this score.

    Args:
        row: The score.
        columns: Scores by the head of their column.
    """
    scores = [column.get(row.key) for column in columns.values()]
    return ["" if score is None else row.form.format(score) for score in scores]


def _format_best(row: ScoreRow, columns: Columns) -> str:
    """The best cell of a row.

    Args:
        row: A score that at least one column has.
        columns: Scores by the head of their column.
    """
    scores = [column[row.key] for column in columns.values() if row.key in column]
    return row.form.format(max(scores) if row.is_higher_better else min(scores))


def _speed_rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Rows with the training speed and the encoding speed of both models, in samples per second."""
    models = outcome.scored_models.values()
    training = [f"{model.samples_per_second:,.0f}" for model in models]
    rows = [("training speed (samples per second)", *training)]
    # few samples are encoded in a single call of the network, and the first call is always slow
    if has_overview_of_held_out(outcome):
        encoding = [f"{model.embedding.samples_per_second:,.0f}" for model in models]
        rows.append(("encoding speed (samples per second)", *encoding))
    return rows


def recovery_table(scores: Mapping[str, float]) -> Table | None:
    """The median errors of estimated deformations, with their units.

    Args:
        scores: Scores of the model with the warp.

    Returns:
        A table with a row per factor; None if the true deformations are unknown.

    >>> recovery_table({"angle_deg": 0.573}).rows
    (('rotation', '0.57 degrees'),)
    """
    score_rows = [row for row in RECOVERY if row.key in scores]
    rows = tuple((row.label, row.form.format(scores[row.key])) for row in score_rows)
    return Table(("deformation", "median error"), rows, ("",) * len(rows)) if rows else None


def image_columns(outcome: Outcome) -> Columns:
    """Scores of both models and, with labels, of pixels without learning.

    Returns:
        For each column its scores by their name. The columns are `with warp`, `without warp` and,
        with labels, those of `PIXEL_COLUMNS`.
    """
    models = {
        "with warp": outcome.warped.report.scores,
        "without warp": outcome.baseline.report.scores,
    }
    scores = outcome.sample_scores.scores
    if not scores:
        return models
    pixels = PIXEL_COLUMNS.items()
    return models | {head: {k: scores[name] for k, name in names.items()} for head, names in pixels}


def series_columns(outcome: Outcome) -> Columns:
    """Scores of both codes and, with labels, of the series themselves.

    Returns:
        For each column its scores by their name. The columns are the codes of both models and,
        with labels, the observed series, and the series after alignment by the model with the
        warp.
    """
    warped, baseline = outcome.warped.report.scores, outcome.baseline.report.scores
    columns = {
        "code, with warp": {**warped, **strip_prefix(warped, "codes_")},
        "code, without warp": {**baseline, **strip_prefix(baseline, "codes_")},
    }
    if outcome.sample_scores.scores:
        columns["observed series"] = strip_prefix(outcome.sample_scores.scores, "raw_")
        columns["aligned series"] = strip_prefix(warped, "aligned_")
    return {head: column for head, column in columns.items() if column}


PIXEL_COLUMNS = {
    "raw pixels": {"neighbours": "raw_neighbours", "acc": "raw_acc", "nmi": "raw_nmi"},
    "deskewed pixels": {
        "neighbours": "deskewed_neighbours",
        "acc": "deskewed_kmeans_acc",
        "nmi": "deskewed_kmeans_nmi",
    },
    "deskewed pixels, mixture": {"acc": "deskewed_mixture_acc", "nmi": "deskewed_mixture_nmi"},
}
"""For the head of each column of pixels, the name of the score by the key of the row."""

NEIGHBOURS = ScoreRow("5-nearest-neighbour accuracy", "neighbours", "{:.1%}")
COMMON = (
    ScoreRow("linear probe accuracy", "linear", "{:.1%}"),
    ScoreRow("k-means accuracy (ACC)", "acc", "{:.1%}"),
    ScoreRow("k-means normalised mutual information (NMI)", "nmi", "{:.1%}"),
    ScoreRow("k-means accuracy on templates", "template_acc", "{:.1%}"),
    ScoreRow("variance explained", "explained", "{:.1%}"),
    ScoreRow("squared error per sample", "reconstruction_error", "{:.3g}", is_higher_better=False),
)
"""Rows of the tables of images and of series."""

RECOVERY = (
    ScoreRow("rotation", "angle_deg", "{:.2f} degrees", is_higher_better=False),
    ScoreRow("shift", "shift_px", "{:.3f} pixels", is_higher_better=False),
    ScoreRow("scale", "scale", "{:.4f}", is_higher_better=False),
    ScoreRow("shear", "shear_deg", "{:.2f} degrees", is_higher_better=False),
    ScoreRow(
        "greatest distance between time maps",
        "warp_error",
        "{:.3f} of the length",
        is_higher_better=False,
    ),
)
"""Rows of the table of errors of estimated deformations."""

IMAGE_SCORES = ScoreLayout(
    (NEIGHBOURS, *COMMON),
    image_columns,
    "Classifiers and clusters are fitted on the training samples and scored on held-out ones. "
    "The columns of pixels are baselines without learning: raw pixels, and deskewed pixels (each "
    "image centred, its second moments normalised), clustered by k-means and by a Gaussian "
    "mixture. A useful code scores higher than these.",
)
SERIES_SCORES = ScoreLayout(
    (
        ScoreRow("nearest-neighbour (1-NN) accuracy", "1nn", "{:.1%}"),
        ScoreRow("nearest class mean accuracy", "centroid", "{:.1%}"),
        *COMMON,
    ),
    series_columns,
    "Classifiers and clusters are fitted on the training series and scored on held-out ones: on "
    "the content codes of both models, on the observed series, and on the series after alignment "
    "by the model with the warp. Distances between series are Euclidean.",
)
