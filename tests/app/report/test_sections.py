"""The sections of a report: their words, numbers and order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.pictures import pictures
from unwarp import AE, GAN, Affine2d, Identity
from unwarp.analysis.scoring import Report
from unwarp.app.outcome import Outcome
from unwarp.app.report import series_figures
from unwarp.app.report.illustrations import Illustration, Plot
from unwarp.app.report.section import Section
from unwarp.app.report.sections import sections
from unwarp.models import Net

Runs = Callable[..., Outcome]


def undrawn(plot: Plot, outcome: Outcome) -> Illustration:
    """A figure's words without the figure."""
    return Illustration(plot.name, plot.caption(outcome))


def words_of(outcome: Outcome) -> str:
    """All words and numbers of a report, without drawing it."""
    return repr(sections(outcome, undrawn))


def names_of(outcome: Outcome) -> set[str]:
    """Names of the figures that a report draws; none is missing."""
    figures = [figure for part in sections(outcome) for figure in part.figures]
    assert not [figure for figure in figures if figure.failure]
    return {figure.name for figure in figures}


def section_of(outcome: Outcome, title: str) -> Section:
    return next(part for part in sections(outcome, undrawn) if part.title == title)


def with_scores(outcome: Outcome, **scores: float) -> Outcome:
    """The same run with other scores of the model with the warp."""
    report = Report(dict(outcome.warped.report.scores) | scores, {})
    return replace(outcome, warped=replace(outcome.warped, report=report))


def test_images_have_their_figures(image_run: Outcome) -> None:
    """A VAE of few images draws all but what needs true maps or many samples."""
    assert names_of(image_run) == {
        *("gallery", "deformations", "latent_space", "clusters", "traversal", "deformation"),
        *("interpolation", "moving", "prior", "mixture", "training"),
    }


def test_series_have_their_figures(series_run: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    """An autoencoder of series draws warps of time, and no figure of images."""
    monkeypatch.setattr(series_figures, "find_spec", lambda name: None)
    assert names_of(series_run) == {
        *("gallery", "alignment", "warps", "deformations", "latent_space", "traversal"),
        *("deformation", "interpolation", "moving", "mixture", "training"),
    }


def test_series_without_warp_lack_warps(run_of: Runs, small_net: Net) -> None:
    """Without a warp there is no deformation to show."""
    x = np.random.default_rng(0).normal(size=(30, 24)).cumsum(1)
    names = names_of(run_of({"x": x}, AE(warp=Identity(), n_content=3, net=small_net)))
    assert not {"deformation", "deformations", "warps", "prior"} & names
    assert {"alignment", "traversal", "interpolation", "mixture"} <= names


def test_series_compare_raw_and_aligned(series_run: Outcome) -> None:
    """Scores of series stand beside those of the raw and of the aligned series."""
    table = section_of(series_run, "What the code knows").table
    assert table is not None
    assert table.head == ("", "code, with warp", "code, without", "raw series", "aligned")
    assert table.rows[0][0] == "nearest neighbour (1-NN), accuracy"
    assert all(len(row) == len(table.head) for row in table.rows)
    assert len(series_run.warped.unwarper.cluster_centers_) == 2


def test_few_held_out_are_named(series_run: Outcome) -> None:
    """Where few series are held out, the report says how exact a score can be."""
    words = words_of(series_run)
    assert "All 30 series, since few are held out" in words
    assert "With 3 samples, no score is more exact than 33%" in words
    assert "nan" not in words and "pixels" not in words


def test_best_score_stands_out(series_run: Outcome) -> None:
    """The best cell of a row is the greatest accuracy and the least error."""
    table = section_of(series_run, "What the code knows").table
    assert table is not None
    for row, best in zip(table.rows, table.best, strict=True):
        cells = [cell for cell in row[1:] if cell]
        if row[0] == "squared error a sample":
            assert best == min(cells, key=float)
        elif best:
            assert best == max(cells, key=lambda cell: float(cell.rstrip("%")))


def test_recovery_of_series_in_lengths(bumps_run: Outcome) -> None:
    """True time maps are compared in lengths of the series, without a word on places."""
    part = section_of(bumps_run, "Recovered against true deformation")
    assert part.table is not None and part.table.rows[0][1].endswith("of the length")
    assert "object's place" not in part.words[0] and not part.figures


def test_recovery_needs_true_maps(series_run: Outcome) -> None:
    """Without true maps there is no section on recovery."""
    titles = [part.title for part in sections(series_run, undrawn)]
    assert "Recovered against true deformation" not in titles


def test_game_is_shown(run_of: Runs, small_net: Net) -> None:
    """A GAN shows its game, and says who reads codes."""
    recipe = GAN(warp=Affine2d(), n_content=3, net=small_net)
    run = run_of({"x": pictures(30)[:, 0]}, recipe, batch_size=8)
    words = words_of(run)
    assert "sigmoid of the critic" in words and "Reconstruction term" not in words
    assert "saw only generated samples" in words


@pytest.mark.parametrize("explained", [-0.5, 0.5])
def test_error_above_mean_is_no_success(image_run: Outcome, explained: float) -> None:
    """An error greater than that of the mean is no success, however small the ratio is."""
    run = with_scores(image_run, explained=explained, reconstruction_error=0.0)
    check = section_of(run, "Did it work on this data?").checks[0]
    assert check.is_good == (explained > 0)
    assert ("greater than the error of their mean" in check.words) == (explained < 0)


def test_checks_without_scores_are_left_out(image_run: Outcome) -> None:
    """Only checks whose scores are known stand in the report."""
    scores: dict[str, Any] = {"reconstruction_error": 1.0, "unused_content": 0.0}
    run = replace(image_run, warped=replace(image_run.warped, report=Report(scores, {})))
    assert len(section_of(run, "Did it work on this data?").checks) == 2
