"""The tables of scores of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unwarp.app.outcome import Outcome, _series
from unwarp.app.report import series_figures, shown
from unwarp.app.report.html import _figure, _table
from unwarp.app.report.shown import _crowd

PICTURE_NOTE = (
    "<p>Neighbours, probe and clusters are fitted on codes of the training samples and scored on held-out ones. The pixel "
    "columns learn nothing: raw pixels, and pixels whose second moments were made round (deskewed), clustered by k-means and "
    "by a Gaussian mixture. A method that does not beat them has shown nothing.</p>"
)


SERIES_NOTE = (
    "<p>Neighbours, class means, probe and clusters are fitted on the training series and scored on held-out ones: on the content "
    "codes of both models, on the series as they are (raw), and on the series with their warps undone (aligned).</p>"
)


@dataclass(frozen=True)
class Line:
    """One line of the score table: a name for people, a key, how to print it, and whether more is better."""

    words: str
    key: str
    form: str
    more: bool = True


SERIES = (
    Line("nearest neighbour (1-NN), accuracy", "1nn", "{:.1%}"),
    Line("nearest class mean, accuracy", "centroid", "{:.1%}"),
)
"""Scores of series, before those of all data."""


SCORES = (
    Line("5 nearest neighbours, accuracy", "neighbours", "{:.1%}"),
    Line("linear probe, accuracy", "linear", "{:.1%}"),
    Line("k-means, accuracy (ACC)", "acc", "{:.1%}"),
    Line("k-means, mutual information (NMI)", "nmi", "{:.1%}"),
    Line("k-means on templates, ACC", "template_acc", "{:.1%}"),
    Line("variance explained", "explained", "{:.1%}"),
    Line("squared error a sample", "reconstruction_error", "{:.3g}", more=False),
)


POSE = (
    Line("rotation", "angle_deg", "{:.2f} degrees", more=False),
    Line("shift", "shift_px", "{:.3f} pixels", more=False),
    Line("scale", "scale", "{:.4f}", more=False),
    Line("shear", "shear_deg", "{:.2f} degrees", more=False),
    Line("largest distance of the time maps", "warp_error", "{:.3f} of the length", more=False),
)


def _budget(outcome: Outcome) -> str:
    """What both models were given alike."""
    first, second = (trial.unwarper.history_.steps for trial in outcome.trials.values())
    if first == second:
        return "as many training steps"
    return f"the same bound of {outcome.job.max_seconds:g} seconds on its training ({first:,} and {second:,} steps)"


def _time(outcome: Outcome, drawn: dict[str, bytes]) -> str:
    """What series alone are shown by."""
    clusters = (
        f"{_crowd(outcome, 'series').capitalize()}, overlaid cluster by cluster. Left: as observed, with their mean. Right: with "
        "their warps undone, and the cluster's template, which is its centre in content, decoded. Bands: root mean square "
        "distance from that line. Clusters are found without labels, as many as there are classes where these are known; at most "
        f"{series_figures.CLUSTERS} are shown, the largest."
    )
    warps = (
        "Warps of time, coloured by cluster. Left: the moment of the template that is seen at each moment; on the dotted line "
        "nothing is moved, and below it things are seen later than in the template. Right: local speed; at 2 the "
        "observation runs through its template twice as fast."
    )
    columns = "Lag is the mean of observed minus template time (positive: seen later); speed and acceleration are the extremes of a series."
    averages = (
        "Averages of a few series of the largest clusters (grey, standardised): the cluster's template under the mean warp of these "
        "series, beside their DBA and soft-DTW barycenters and their plain mean. A template also aligns new series in one pass."
    )
    captions = {"alignment": clusters, "warps": warps, "deformations": columns, "averages": averages}
    return "".join(_figure(drawn, name, caption) for name, caption in captions.items())


def _scores(outcome: Outcome) -> str:
    columns = _series_columns(outcome) if _series(outcome) else _picture_columns(outcome)
    rows: list[tuple[str, ...]] = []
    best: dict[int, str] = {}
    for line in (*SERIES, *SCORES[1:]) if _series(outcome) else SCORES:
        values = [column.get(line.key) for column in columns.values()]
        known = [value for value in values if value is not None]
        if not known:
            continue
        best[len(rows)] = line.form.format(max(known) if line.more else min(known))
        rows.append((line.words, *("" if value is None else line.form.format(value) for value in values)))
    pace = [f"{t.images_per_second:,.0f}" for t in (outcome.warped, outcome.baseline)]
    rows.append(("samples a second, training", *pace, *[""] * (len(columns) - 2)))
    if shown.held_out_alone(outcome):  # the pace of a few samples is that of the first call
        pace = [f"{t.embedding.samples_per_second:,.0f}" for t in (outcome.warped, outcome.baseline)]
        rows.append(("samples a second, encoding", *pace, *[""] * (len(columns) - 2)))
    note = SERIES_NOTE if _series(outcome) else PICTURE_NOTE
    return (note if len(columns) > 2 else "") + _table(("", *columns), rows, best)


def _picture_columns(outcome: Outcome) -> dict[str, Mapping[str, float]]:
    """Scores by the head of their column: both models', and those of pixels alone."""
    models = {"with warp": outcome.warped.report.scores, "without": outcome.baseline.report.scores}
    found = outcome.baselines.scores
    if not found:
        return models
    near = found["deskewed_neighbours"]
    return {
        **models,
        "raw pixels": {"neighbours": found["raw_neighbours"], "acc": found["raw_acc"], "nmi": found["raw_nmi"]},
        "deskewed pixels": {
            "neighbours": near,
            "acc": found["deskewed_kmeans_acc"],
            "nmi": found["deskewed_kmeans_nmi"],
        },
        "deskewed, mixture": {"acc": found["deskewed_mixture_acc"], "nmi": found["deskewed_mixture_nmi"]},
    }


def _series_columns(outcome: Outcome) -> dict[str, Mapping[str, float]]:
    """Scores by the head of their column: both models' codes, the raw series and the aligned ones."""
    first, second = outcome.warped.report.scores, outcome.baseline.report.scores
    columns = {"code, with warp": _named(first, "codes_"), "code, without": _named(second, "codes_")}
    if outcome.baselines.scores:
        columns |= {
            "raw series": _named(outcome.baselines.scores, "raw_", {}),
            "aligned": _named(first, "aligned_", {}),
        }
    return {head: column for head, column in columns.items() if column}


def _named(scores: Mapping[str, float], head: str, start: Mapping[str, float] | None = None) -> Mapping[str, float]:
    """The scores whose names begin with `head`, without it, over those of `start` (None: all)."""
    found = {name.removeprefix(head): value for name, value in scores.items() if name.startswith(head)}
    return {**(scores if start is None else start), **found}


def _recovery(outcome: Outcome, drawn: dict[str, bytes]) -> str:
    scores = outcome.warped.report.scores
    if "recovery" not in drawn and "warp_error" not in scores:
        return ""
    found = [line for line in POSE if line.key in scores]
    rows: list[tuple[str, ...]] = [(line.words, line.form.format(scores[line.key])) for line in found]
    place = "" if _series(outcome) else " Shifts are taken at the object's place."
    words = (
        "<h2>Recovered against true deformation</h2><p>Each held-out original was observed twice under known deformations. "
        "An upright frame cannot be known without labels, so the deformation that leads from the first observation to the "
        f"second is compared.{place}</p>"
    )
    table = _table(("median error", ""), rows)
    return (
        words
        + table
        + _figure(drawn, "recovery", "One point a pair of observations; a perfect method lies on the line.")
    )
