"""The page of a comparison marks the best scores of equal data, and matches templates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unwarp.app.outcome import Outcome
from unwarp.app.report import comparison_page
from unwarp.app.report.comparison_page import (
    comparison_sections,
    data_text,
    draw_templates,
    score_table,
    setting_table,
)
from unwarp.app.run_comparison import Comparison, read_run


@pytest.fixture
def comparison(image_run: Outcome) -> Comparison:
    """Two records of one run, the second with a lower error and another recipe."""
    run = read_run(Path(image_run.job.source).parent / "run")
    warped = dict(run.metrics["warped"], scores={"reconstruction_error": 0.5, "acc": 0.75})
    other = replace(run, metrics={**run.metrics, "warped": warped}, seed=7)
    return Comparison({"one": run, "two": replace(other, settings={"recipe.views": None})})


def test_best_scores_need_equal_data(comparison: Comparison) -> None:
    """The better value of a row is marked, unless the runs have other data."""
    table = score_table(comparison)
    errors = [i for i, row in enumerate(table.rows) if row[0].startswith("squared error")]
    assert [table.rows[i][0].rpartition(", ")[2] for i in errors] == ["with warp", "without warp"]
    assert table.best[errors[0]] == "0.5" and table.best[errors[1]] == ""
    one, two = comparison.runs.values()
    other = Comparison({"one": one, "two": replace(two, data={})})
    assert not any(score_table(other).best)
    assert "cannot be compared" in data_text(other)
    assert "same training samples" in data_text(comparison)
    unknown = Comparison({"one": one, "two": replace(two, data=None)})
    assert "did not record" in data_text(unknown)


def test_page_shows_seeds_and_settings(comparison: Comparison) -> None:
    """A page has a fact per run, the settings that differ, and the templates of both runs."""
    first, _, settings, templates = comparison_sections(comparison)
    assert "seed 7" in first.facts["two"] and "seed 0" in first.facts["one"]
    assert settings.table is not None and ("views", "0.3", "-") not in settings.table.rows
    assert any(row[0] == "warp.rotation" for row in settings.table.rows)
    assert len(templates.figures) == 1 and templates.figures[0].data
    one = comparison.runs["one"]
    assert not setting_table(Comparison({"one": one, "two": one})).rows


def test_templates_stand_below_similar_ones() -> None:
    """Templates in another order are drawn in the order of the first run."""
    first = np.eye(4)[:3].reshape(3, 1, 2, 2)
    figure = draw_templates({"one": first, "two": first[[2, 0, 1]], "three": first[:1]})
    one, two, three = (axis.images for axis in figure.axes)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.get_array(), b.get_array())
    assert len(three) == 1


def test_runs_of_other_shapes_have_figures(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs whose samples differ in shape are drawn apart."""
    shapes = iter([(2, 1, 4, 4), (3, 1, 9)])
    monkeypatch.setattr(comparison_page, "_templates", lambda run: np.zeros(next(shapes)))
    assert len(comparison_page.template_figures(comparison)) == 2
