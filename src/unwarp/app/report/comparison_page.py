"""Page and text of a comparison of runs: data, settings, scores, templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment

from unwarp import plots
from unwarp.app.report.cluster_figures import decode_centres
from unwarp.app.report.illustrations import Illustration, encode
from unwarp.app.report.scores import IMAGE_SCORES, RECOVERY, SERIES_SCORES, ScoreRow
from unwarp.app.report.section import Section, Table
from unwarp.app.report.setting_texts import value_text
from unwarp.app.run_comparison import Comparison, FinishedRun
from unwarp.core import Array
from unwarp.estimators.unwarper import Unwarper

MAX_TEMPLATES = 10
"""Greatest number of templates of each run that are shown."""

MODELS = {"warped": "with warp", "baseline": "without warp"}
"""Words for both models of a run, by their name."""

TEMPLATES_CAPTION = (
    "Templates of the clusters, a row for each run. The order is that of the first run; below are "
    "the templates of the other runs that are nearest to them, each once."
)


def comparison_sections(comparison: Comparison) -> tuple[Section, ...]:
    """Sections of the page of a comparison.

    Args:
        comparison: The runs.

    Returns:
        Data and scores, settings that differ, and templates.
    """
    title = f"Comparison of {len(comparison.runs)} runs"
    figures = tuple(template_figures(comparison))
    return (
        Section(title, (data_text(comparison),), facts=_run_facts(comparison.runs)),
        Section(
            "Scores on held-out samples",
            ("The best value of each row is bold.",) if comparison.has_same_data else (),
            table=score_table(comparison),
        ),
        _settings(comparison),
        Section("Templates", figures=figures),
    )


def data_text(comparison: Comparison) -> str:
    """A sentence on whether the runs have the same data.

    Args:
        comparison: The runs.
    """
    if comparison.has_same_data is None:
        return (
            "An earlier version of unwarp made one of the runs and did not record its data; "
            "compare scores only if you know that the data are the same."
        )
    if comparison.has_same_data:
        return "All runs have the same training samples and the same held-out samples."
    return (
        "The runs have different data, so their scores cannot be compared: the samples, their "
        "labels, or the division into training and held-out samples differ. (Another seed divides "
        "a file or folder in another way.)"
    )


def _run_facts(runs: Mapping[str, FinishedRun]) -> dict[str, str]:
    """Source, number of samples, seed and length of the training of each run, in words."""
    texts = {}
    for name, run in runs.items():
        training = run.metrics["warped"]
        n = f"{run.metrics['held_out']:,} held-out samples"
        length = f"{training['steps']:,} steps in {training['training_seconds']:.0f} s"
        texts[name] = f"{run.source}; {n}; seed {run.seed}; {length}"
    return texts


def score_table(comparison: Comparison) -> Table:
    """Scores of both models of each run.

    Args:
        comparison: The runs.

    Returns:
        A column per run; first the rows of the models with the warp, then those without. The best
        of a row is marked only if the runs have the same data.
    """
    layout = {row.key: row for row in (*IMAGE_SCORES.rows, *SERIES_SCORES.rows, *RECOVERY)}
    rows, best = [], []
    for model, words in MODELS.items():
        columns = [run.scores(model) for run in comparison.runs.values()]
        for row in layout.values():
            values = [column.get(row.key) for column in columns]
            if any(value is not None for value in values):
                texts = ("" if value is None else row.form.format(value) for value in values)
                rows.append((f"{row.label}, {words}", *texts))
                best.append(_best(row, values) if comparison.has_same_data else "")
    return Table(("score", *comparison.runs), tuple(rows), tuple(best))


def _best(row: ScoreRow, values: list[float | None]) -> str:
    """Text of the best value of a row; empty if all are equal."""
    numbers = [value for value in values if value is not None]
    text = row.form.format(max(numbers) if row.is_higher_better else min(numbers))
    return "" if all(row.form.format(number) == text for number in numbers) else text


def _settings(comparison: Comparison) -> Section:
    """The section of settings that differ."""
    table = setting_table(comparison)
    if not table.rows:
        return Section("Settings that differ", ("No setting differs but the seed, if any.",))
    return Section("Settings that differ", table=table)


def setting_table(comparison: Comparison) -> Table:
    """Settings that differ, with a column per run.

    Args:
        comparison: The runs.
    """
    rows = tuple(
        (name.removeprefix("recipe.").removeprefix("settings."), *map(_setting_text, values))
        for name, values in comparison.differences.items()
    )
    return Table(("setting", *comparison.runs), rows, ("",) * len(rows))


def _setting_text(value: Any) -> str:
    """A setting in words; a dash if the run lacks it."""
    return "-" if value is None else value_text(value)


def template_figures(comparison: Comparison) -> list[Illustration]:
    """Figures of the templates, one for each shape of samples.

    Args:
        comparison: The runs.
    """
    templates = {name: _templates(run) for name, run in comparison.runs.items()}
    shapes = dict.fromkeys(x.shape[1:] for x in templates.values())
    groups = [{k: x for k, x in templates.items() if x.shape[1:] == shape} for shape in shapes]
    return [
        Illustration(f"templates {i + 1}", TEMPLATES_CAPTION, encode(draw_templates(group)))
        for i, group in enumerate(groups)
    ]


def _templates(run: FinishedRun) -> Array:
    """Templates (K, *shape) of the clusters of a run, scaled as for its model."""
    unwarper = Unwarper.load(run.folder / "model")
    return decode_centres(unwarper.model_, unwarper.cluster_centers_)


def draw_templates(templates: Mapping[str, Array]) -> Figure:
    """Templates of several runs, similar ones in the same column.

    Args:
        templates: Templates (K, *shape) by the name of their run; K may differ.

    Returns:
        A figure with at most `MAX_TEMPLATES` columns.
    """
    first, *_ = templates.values()
    rows = {name: _match(first, x)[:MAX_TEMPLATES] for name, x in templates.items()}
    return plots.gallery(rows)


def _match(first: Array, x: Array) -> list[Array | None]:
    """Templates in the order of the nearest first ones; None where there is no partner.

    Args:
        first: Templates of the first run (K, *shape).
        x: Templates of another run (M, *shape).
    """
    distances = np.linalg.norm((first[:, None] - x).reshape(len(first), len(x), -1), axis=2)
    places, partners = linear_sum_assignment(distances)
    order = dict(zip(places.tolist(), partners.tolist(), strict=True))
    row = [x[order[place]] if place in order else None for place in range(len(first))]
    return [*row, *(x[i] for i in range(len(x)) if i not in partners)]
