"""The tables of scores of a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import has_overview_of_held_out
from unwarp.app.report.section import Table

Columns = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Line:
    """One line of a table of scores.

    Attributes:
        words: Its name for people.
        key: The name of its score.
        form: How to print it.
        is_gain: Whether more is better.
    """

    words: str
    key: str
    form: str
    is_gain: bool = True


@dataclass(frozen=True)
class ScoreLayout:
    """How the scores of one domain stand in their table.

    Attributes:
        lines: Its lines, those without any score left out.
        columns: Scores of a run by the head of their column; both models come first.
        note: What its columns are, where there are more than those of the two models.
    """

    lines: tuple[Line, ...]
    columns: Callable[[Outcome], Columns]
    note: str


def score_table(outcome: Outcome, layout: ScoreLayout) -> Table:
    """The scores of both models, and those of baselines.

    Args:
        outcome: The run.
        layout: The lines and columns of its domain.
    """
    columns = layout.columns(outcome)
    keys = {key for column in columns.values() for key in column}
    lines = [line for line in layout.lines if line.key in keys]
    rows = [(line.words, *_cells(line, columns)) for line in lines]
    best = [_best(line, columns) for line in lines]
    paces = [_pace("training", [f"{t.images_per_second:,.0f}" for t in outcome.trials.values()])]
    if has_overview_of_held_out(outcome):  # the pace of a few samples is that of the first call
        speeds = [f"{t.embedding.samples_per_second:,.0f}" for t in outcome.trials.values()]
        paces.append(_pace("encoding", speeds))
    free = [""] * (len(columns) - len(outcome.trials))
    rows += [(*pace, *free) for pace in paces]
    return Table(("", *columns), tuple(rows), (*best, *[""] * len(paces)))


def _cells(line: Line, columns: Columns) -> list[str]:
    """The scores of one line as they are printed, column by column.

    Args:
        line: The line.
        columns: Scores by the head of their column.
    """
    scores = [column.get(line.key) for column in columns.values()]
    return ["" if score is None else line.form.format(score) for score in scores]


def _best(line: Line, columns: Columns) -> str:
    """The best score of one line as it is printed.

    Args:
        line: The line, which has one score at least.
        columns: Scores by the head of their column.
    """
    scores = [column[line.key] for column in columns.values() if line.key in column]
    return line.form.format(max(scores) if line.is_gain else min(scores))


def _pace(verb: str, speeds: list[str]) -> tuple[str, ...]:
    """The row of how many samples a second each model takes."""
    return (f"samples a second, {verb}", *speeds)


def recovery_table(scores: Mapping[str, float]) -> Table | None:
    """Median errors of deformations; None where true ones are unknown."""
    lines = [line for line in RECOVERY if line.key in scores]
    rows = tuple((line.words, line.form.format(scores[line.key])) for line in lines)
    return Table(("median error", ""), rows, ("",) * len(rows)) if rows else None


def image_columns(outcome: Outcome) -> Columns:
    """Scores of images: both models', and those of pixels alone."""
    models = {
        "with warp": outcome.warped.report.scores,
        "without": outcome.baseline.report.scores,
    }
    scores = outcome.baselines.scores
    if not scores:
        return models
    pixels = PIXEL_COLUMNS.items()
    return models | {head: {k: scores[name] for k, name in names.items()} for head, names in pixels}


def series_columns(outcome: Outcome) -> Columns:
    """Scores of series: of both models' codes, raw and aligned series."""
    warped, plain = outcome.warped.report.scores, outcome.baseline.report.scores
    columns = {
        "code, with warp": {**warped, **_family(warped, "codes_")},
        "code, without": {**plain, **_family(plain, "codes_")},
    }
    if outcome.baselines.scores:
        columns["raw series"] = _family(outcome.baselines.scores, "raw_")
        columns["aligned"] = _family(warped, "aligned_")
    return {head: column for head, column in columns.items() if column}


def _family(scores: Mapping[str, float], head: str) -> dict[str, float]:
    """The scores whose names begin with `head`, named without it.

    Args:
        scores: Scores by their name.
        head: Begin of the names.
    """
    return {k.removeprefix(head): v for k, v in scores.items() if k.startswith(head)}


PIXEL_COLUMNS = {
    "raw pixels": {"neighbours": "raw_neighbours", "acc": "raw_acc", "nmi": "raw_nmi"},
    "deskewed pixels": {
        "neighbours": "deskewed_neighbours",
        "acc": "deskewed_kmeans_acc",
        "nmi": "deskewed_kmeans_nmi",
    },
    "deskewed, mixture": {"acc": "deskewed_mixture_acc", "nmi": "deskewed_mixture_nmi"},
}
"""Names of the scores of pixels, by the head of their column and the key of their line."""

NEIGHBOURS = Line("5 nearest neighbours, accuracy", "neighbours", "{:.1%}")
COMMON = (
    Line("linear probe, accuracy", "linear", "{:.1%}"),
    Line("k-means, accuracy (ACC)", "acc", "{:.1%}"),
    Line("k-means, mutual information (NMI)", "nmi", "{:.1%}"),
    Line("k-means on templates, ACC", "template_acc", "{:.1%}"),
    Line("variance explained", "explained", "{:.1%}"),
    Line("squared error a sample", "reconstruction_error", "{:.3g}", is_gain=False),
)
"""Lines that images and series share."""

RECOVERY = (
    Line("rotation", "angle_deg", "{:.2f} degrees", is_gain=False),
    Line("shift", "shift_px", "{:.3f} pixels", is_gain=False),
    Line("scale", "scale", "{:.4f}", is_gain=False),
    Line("shear", "shear_deg", "{:.2f} degrees", is_gain=False),
    Line("largest distance of the time maps", "warp_error", "{:.3f} of the length", is_gain=False),
)

IMAGE_SCORES = ScoreLayout(
    (NEIGHBOURS, *COMMON),
    image_columns,
    "Neighbours, probe and clusters are fitted on the training samples and scored on held-out "
    "ones. The pixel columns learn nothing: raw pixels, and pixels whose second moments were made "
    "round (deskewed), clustered by k-means and by a Gaussian mixture. A method that does not "
    "beat them has shown nothing.",
)
SERIES_SCORES = ScoreLayout(
    (
        Line("nearest neighbour (1-NN), accuracy", "1nn", "{:.1%}"),
        Line("nearest class mean, accuracy", "centroid", "{:.1%}"),
        *COMMON,
    ),
    series_columns,
    "Neighbours, class means, probe and clusters are fitted on the training series and scored on "
    "held-out ones: on the content codes of both models, on the series as they are (raw), and on "
    "the series with their warps undone (aligned).",
)
