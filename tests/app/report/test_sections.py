"""The sections of a report: their texts, numbers and order."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from tests.app.report.section_texts import section_of, skip_drawing
from tests.pictures import pictures
from unwarp import AE, GAN, Affine2d, Identity
from unwarp.app.outcome import Outcome
from unwarp.app.report import series_figures
from unwarp.app.report.sections import sections
from unwarp.models import Net

Runs = Callable[..., Outcome]
RECOVERY = "Estimated and true deformations"


def text_of(outcome: Outcome) -> str:
    """All text and numbers of a report, without drawing it."""
    return repr(sections(outcome, skip_drawing))


def names_of(outcome: Outcome) -> set[str]:
    """Names of the figures that a report draws; none fails."""
    figures = [figure for part in sections(outcome) for figure in part.figures]
    assert not [figure for figure in figures if figure.failure]
    return {figure.name for figure in figures}


def test_images_have_their_figures(image_run: Outcome) -> None:
    """A VAE of few images draws all but those that need true maps or many samples."""
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
    """Without a warp there is no figure of deformations."""
    x = np.random.default_rng(0).normal(size=(30, 24)).cumsum(1)
    names = names_of(run_of({"x": x}, AE(warp=Identity(), n_content=3, net=small_net)))
    assert not {"deformation", "deformations", "warps", "prior"} & names
    assert {"alignment", "traversal", "interpolation", "mixture"} <= names


def test_few_held_out_samples_are_reported(series_run: Outcome) -> None:
    """If few series are held out, the report says how much one of them changes a score."""
    text = text_of(series_run)
    assert "All 30 series, since few are held out" in text
    assert "With 3 held-out samples, one of them changes an accuracy by 33%" in text
    assert "nan" not in text and "pixels" not in text


def test_time_limits_are_told(series_run: Outcome) -> None:
    """If seconds end the trainings, the report says how many steps each model made."""
    warped = copy(series_run.warped.unwarper)
    warped.history_ = replace(warped.history_, steps=1234)
    scored = replace(series_run.warped, unwarper=warped)
    job = replace(series_run.job, settings={**series_run.job.settings, "max_seconds": 2.5})
    text = text_of(replace(series_run, warped=scored, job=job))
    assert (
        "the same limit of 2.5 seconds of training (1,234 steps with the warp, 4 without)" in text
    )
    assert "as many training steps" in text_of(series_run)
    text = text_of(replace(series_run, warped=scored))
    assert "and a training of the decoder alone (1,234 steps with the warp, 4 without)" in text


def test_recovery_of_series_in_lengths(bumps_run: Outcome) -> None:
    """Errors of time maps are in lengths of the series, without a remark on shifts of images."""
    part = section_of(bumps_run, RECOVERY)
    assert part.table is not None and part.table.rows[0][1].endswith("of the length")
    assert "centre of the object" not in part.paragraphs[0] and len(part.figures) == 1


def test_recovery_needs_true_maps(series_run: Outcome) -> None:
    """Without true maps there is no section on recovery."""
    titles = [part.title for part in sections(series_run, lambda plot, outcome: None)]
    assert RECOVERY not in titles


def test_adversarial_training_is_shown(run_of: Runs, small_net: Net) -> None:
    """The report of a GAN shows the critic, and says how the encoder was trained."""
    recipe = GAN(warp=Affine2d(), n_content=3, net=small_net)
    run = run_of({"x": pictures(30)[:, 0]}, recipe, batch_size=8)
    text = text_of(run)
    assert "sigmoid of the critic" in text and "Reconstruction term" not in text
    assert "trained on generated samples only" in text
