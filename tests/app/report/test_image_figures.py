"""Figures of images have units, and choose samples for feature arithmetic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from unwarp.analysis.latents import Rendering
from unwarp.app.outcome import Outcome, ScoredModel
from unwarp.app.report import image_figures
from unwarp.app.report.image_figures import analogy_rows, arithmetic, deformation, recovery
from unwarp.core import Array
from unwarp.warps import Affine2d


def grouped_codes(n: int) -> tuple[Array, Array]:
    """Codes (4 n, 3) of three groups, each long along its own direction, and the groups."""
    random = np.random.default_rng(0)
    groups = np.repeat([2, 0, 1], [2 * n, n, n])
    codes = 0.01 * random.normal(size=(4 * n, 3)) + 10 * np.eye(3)[groups]
    codes[np.arange(4 * n), (groups + 1) % 3] += np.linspace(-1, 1, 4 * n)
    return codes, groups


def test_deformation_has_units(image_run: Outcome) -> None:
    """The factors of the warp are named with their unit."""
    figure = deformation(image_run)
    assert figure is not None
    assert figure.axes[0].get_ylabel() == "rotation (deg)"


def test_gallery_of_images_shows_alignment(image_run: Outcome) -> None:
    """Below the images as observed are the same images with their deformations undone."""
    rows = [axis.get_ylabel() for axis in image_figures.image_gallery(image_run).axes]
    assert rows == ["observed", "aligned", "template", "reconstruction", "without warp"]


def test_recovery_needs_true_maps(image_run: Outcome) -> None:
    """Without true deformations there is no figure of recovery."""
    assert recovery(image_run) is None


def test_analogy_joins_ends_of_largest_group() -> None:
    """Plus and minus are ends of the largest group; the others are typical of their group."""
    codes, groups = grouped_codes(30)
    rows = analogy_rows(codes, groups)
    assert rows is not None
    plus, minus, to = rows
    assert set(groups[plus]) == set(groups[minus]) == {2}
    assert list(groups[to]) == [0, 1]
    assert len(plus) == len(minus) == 6
    difference = codes[plus].mean(0) - codes[minus].mean(0)
    assert abs(difference[0]) > 10 * np.abs(difference[1:]).max()
    means = [codes[groups == group].mean(0) for group in (0, 1)]
    np.testing.assert_allclose(codes[to], means, atol=0.1)


def test_analogy_needs_two_groups() -> None:
    """One group alone, or too few samples of the largest, make no analogy."""
    codes, groups = grouped_codes(30)
    assert analogy_rows(codes, np.zeros_like(groups)) is None
    assert analogy_rows(codes[:5], np.array([0, 0, 0, 0, 1])) is None


def scored_on_training(run: Outcome, **facts: Any) -> Outcome:
    """A run whose held-out samples are those of the training, with further facts."""
    data = replace(run.training, **facts)
    return replace(run, test=data, warped=ScoredModel.of(run.warped.unwarper, data, data))


def test_recovery_has_a_panel_per_factor(image_run: Outcome) -> None:
    """Images with known deformations have a panel for each factor, in its unit."""
    n = len(image_run.training)
    maps = Affine2d(size=(20, 20)).sample(n, torch.Generator().manual_seed(0))
    figure = recovery(scored_on_training(image_run, maps=maps, ids=np.arange(n) // 2))
    assert figure is not None
    words = " ".join(
        text.get_text() for text in figure.findobj(lambda item: hasattr(item, "get_text"))
    )
    for word in ("rotation", "(deg)", "scale_x", "shear", "shift_y", "(px)"):
        assert word.replace("_", " ") in words or word in words, words


def test_sums_of_another_kind_are_left_out(
    image_run: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sum is shown only if the samples nearest to its code are of its kind."""
    n = len(image_run.training)
    run = scored_on_training(image_run, labels=np.arange(n) % 2)
    assert arithmetic(run) is None, "an untrained model mixes its kinds"
    codes = 100 * np.eye(10, dtype=np.float32)[np.arange(n) % 2]
    codes = codes + np.random.default_rng(0).normal(size=codes.shape).astype("float32")
    parts = replace(run.warped, embedding=replace(run.warped.embedding, codes=codes))
    far = torch.from_numpy(codes[:2])
    monkeypatch.setattr(image_figures, "encode", lambda model, x: (far[1:].expand(len(x), -1),))
    apart = replace(run, warped=parts)
    sums = Rendering(far[1:], far[1:], run.test.x[1:2], run.test.x[1:2])
    groups, row = np.arange(n) % 2, np.array([1])
    assert image_figures._keep_kind(apart, groups, row, sums).tolist() == [True]
    moved = replace(sums, content=far[:1])
    assert image_figures._keep_kind(apart, groups, row, moved).tolist() == [False]


def test_arithmetic_is_of_classes_or_clusters(
    image_run: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With enough samples the figure names classes, without labels clusters; else there is none."""
    monkeypatch.setattr(image_figures, "_keep_kind", lambda run, groups, rows, sums: rows >= 0)
    assert arithmetic(image_run) is None
    n = len(image_run.training)
    monkeypatch.setattr(image_figures, "held_out_clusters", lambda outcome: np.arange(n) % 2)
    for labels, noun in ((np.arange(n) % 2, "class"), (None, "cluster")):
        figure = arithmetic(scored_on_training(image_run, labels=labels))
        assert figure is not None
        words = " ".join(
            text.get_text() for text in figure.findobj(lambda item: hasattr(item, "get_text"))
        )
        assert f"ends of {noun} " in words
