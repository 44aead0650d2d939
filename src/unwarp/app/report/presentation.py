"""Figures and scores of a report by domain: images and series."""

from __future__ import annotations

from dataclasses import dataclass

from unwarp.app.outcome import Outcome
from unwarp.app.report import (
    cluster_figures,
    examples,
    figures,
    image_figures,
    latent_figures,
    series_deformations,
    series_figures,
)
from unwarp.app.report.illustrations import Plot
from unwarp.app.report.scores import IMAGE_SCORES, SERIES_SCORES, ScoreLayout


@dataclass(frozen=True)
class Presentation:
    """The figures and the scores of one domain, section by section.

    To present another domain, add a `Presentation` to `PRESENTATIONS`.

    Attributes:
        introduction: Figures under the introduction.
        checks: Figures under the checks.
        codes: Figures of the section on codes, under its table of scores.
        recovery: Figures of the section on true deformations, under its table of errors.
        latent_space: Figures of the section on the latent space.
        scores: Rows and columns of the table of scores.
        recovery_note: Last sentence of the text on the errors of deformations; empty for none.

    >>> [plot.name for plot in IMAGES.codes]
    ['latent_space']
    """

    introduction: tuple[Plot, ...]
    checks: tuple[Plot, ...]
    codes: tuple[Plot, ...]
    recovery: tuple[Plot, ...]
    latent_space: tuple[Plot, ...]
    scores: ScoreLayout
    recovery_note: str = ""


IMAGES = Presentation(
    introduction=(image_figures.GALLERY, cluster_figures.CLUSTERS),
    checks=(figures.SAVINGS, image_figures.DEFORMATIONS),
    codes=(figures.LATENT_SPACE,),
    recovery=(image_figures.RECOVERY,),
    latent_space=(
        latent_figures.TRAVERSAL,
        image_figures.DEFORMATION,
        latent_figures.INTERPOLATION,
        latent_figures.CHUNKS,
        latent_figures.ANIMATION,
        image_figures.ARITHMETIC,
        *latent_figures.sample_plots(examples.MAX_EXAMPLES),
    ),
    scores=IMAGE_SCORES,
    recovery_note="Shifts are compared at the centre of the object.",
)
SERIES = Presentation(
    introduction=(series_figures.GALLERY,),
    checks=(
        figures.SAVINGS,
        series_figures.ALIGNMENT,
        series_deformations.TIME_MAPS,
        series_deformations.DEFORMATIONS,
        series_figures.AVERAGES,
    ),
    codes=(figures.LATENT_SPACE,),
    recovery=(series_deformations.RECOVERY,),
    latent_space=(
        latent_figures.TRAVERSAL,
        series_deformations.DEFORMATION,
        latent_figures.INTERPOLATION,
        latent_figures.CHUNKS,
        latent_figures.ANIMATION,
        *latent_figures.sample_plots(series_figures.MAX_SERIES_EXAMPLES),
    ),
    scores=SERIES_SCORES,
)
PRESENTATIONS = {"image": IMAGES, "series": SERIES}
"""Presentations by the name of their domain."""


def presentation(outcome: Outcome) -> Presentation:
    """The presentation of the domain of a run.

    Args:
        outcome: The run.

    Returns:
        The presentation in `PRESENTATIONS`. A domain that is not listed there is presented as
        series if its samples have times, else as images; figures that cannot be drawn for it
        appear as errors on the page.
    """
    domain = outcome.warped.unwarper.schema_.domain
    return PRESENTATIONS.get(domain.name, SERIES if domain.has_times else IMAGES)
