"""The sections of a report: their words, numbers and order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.app.report.words import section_of, undrawn
from tests.pictures import pictures
from unwarp import AE, GAN, Affine2d, Identity
from unwarp.app.outcome import Outcome
from unwarp.app.report import series_figures
from unwarp.app.report.sections import sections
from unwarp.models import Net

Runs = Callable[..., Outcome]


def words_of(outcome: Outcome) -> str:
    """All words and numbers of a report, without drawing it."""
    return repr(sections(outcome, undrawn))


def names_of(outcome: Outcome) -> set[str]:
    """Names of the figures that a report draws; none is missing."""
    figures = [figure for part in sections(outcome) for figure in part.figures]
    assert not [figure for figure in figures if figure.failure]
    return {figure.name for figure in figures}


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


def test_few_held_out_are_named(series_run: Outcome) -> None:
    """Where few series are held out, the report says how exact a score can be."""
    words = words_of(series_run)
    assert "All 30 series, since few are held out" in words
    assert "With 3 samples, no score is more exact than 33%" in words
    assert "nan" not in words and "pixels" not in words


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
