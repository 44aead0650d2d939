"""Figures of every domain draw a run: the gallery, the latent space, the training."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

from unwarp.app.outcome import Outcome
from unwarp.app.report import figures
from unwarp.estimators.choices import Selection


def test_training_shows_reconstruction(image_run: Outcome) -> None:
    """A family without a critic shows the reconstruction term, and says so."""
    assert "reconstruction" in figures.training(image_run).axes[0].get_ylabel()
    assert figures.TRAINING.caption(image_run).startswith("Reconstruction term")


def test_latent_space_has_both_models(series_run: Outcome) -> None:
    """Both models have a panel with a point per sample."""
    figure = figures.latent_space(series_run)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["content code, with warp", "code, without warp"]
    assert "true classes" in figures.latent_space_caption(series_run)
    counts = [sum(len(part.get_offsets()) for part in axis.collections) for axis in figure.axes]
    assert counts == [30, 30]


def test_latent_space_shows_clusters(image_run: Outcome) -> None:
    """Without classes the colours are the clusters, which the legend names by their number."""
    figure = figures.latent_space(image_run)
    numbers = {text.get_text() for text in figure.legends[0].get_texts()}
    assert numbers <= {str(number) for number in range(20)} and len(numbers) > 1
    assert "clusters of the model with the warp" in figures.latent_space_caption(image_run)


def test_gallery_rows(image_run: Outcome) -> None:
    """A gallery has a row of observations, of templates, and of both reconstructions."""
    figure = figures.gallery(image_run, 14, {})
    names = [axis.get_ylabel() for axis in figure.axes]
    assert names == ["observed", "template", "reconstruction", "without warp"]


def test_savings_need_trials(series_run: Outcome, image_run: Outcome) -> None:
    """Every fold of the trials has its point; a warp that a user names has no figure."""
    for run, choice, word in ((series_run, "smooth", "series"), (image_run, "affine", "image")):
        unwarper = copy(run.warped.unwarper)
        unwarper.selection_ = Selection(
            choice, (19.0, 24.0, 28.0), domain=unwarper.schema_.domain.name
        )
        selected = replace(run, warped=replace(run.warped, unwarper=unwarper))
        figure = figures.savings(selected)
        assert figure is not None and word in figure.axes[0].get_xlabel()
        assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == [
            *("fold 1", "fold 2", "fold 3")
        ]
        assert ("second sign" in figures.savings_caption(selected)) == (word == "series")
        assert figures.savings(run) is None
