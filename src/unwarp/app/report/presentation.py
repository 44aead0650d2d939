"""`Presentation`: all that differs between the reports of images and of series."""

from __future__ import annotations

from dataclasses import dataclass

from unwarp.app.outcome import Outcome
from unwarp.app.report import examples, figures, image_figures, series_figures
from unwarp.app.report.illustrations import Plot
from unwarp.app.report.scores import IMAGE_SCORES, SERIES_SCORES, ScoreLayout


@dataclass(frozen=True)
class Presentation:
    """The figures and the scores of one domain, section by section.

    Attributes:
        opening: Figures under the introduction.
        checks: Figures under the checks.
        codes: Figures under the scores of codes.
        recovery: Figures under the errors of deformations.
        inside: Figures of the section that looks inside the model.
        scores: The table of scores.
        recovery_note: A last sentence on how deformations are compared; empty for none.
    """

    opening: tuple[Plot, ...]
    checks: tuple[Plot, ...]
    codes: tuple[Plot, ...]
    recovery: tuple[Plot, ...]
    inside: tuple[Plot, ...]
    scores: ScoreLayout
    recovery_note: str = ""


IMAGES = Presentation(
    opening=(image_figures.GALLERY,),
    checks=(image_figures.DEFORMATIONS,),
    codes=(figures.LATENT_SPACE, image_figures.CLUSTERS),
    recovery=(image_figures.RECOVERY,),
    inside=(
        figures.TRAVERSAL,
        image_figures.DEFORMATION,
        figures.INTERPOLATION,
        figures.MOVING,
        image_figures.ARITHMETIC,
        *figures.sample_plots(examples.MAX_EXAMPLES),
    ),
    scores=IMAGE_SCORES,
    recovery_note="Shifts are taken at the object's place.",
)
SERIES = Presentation(
    opening=(series_figures.GALLERY,),
    checks=(
        series_figures.ALIGNMENT,
        series_figures.TIME_MAPS,
        series_figures.DEFORMATIONS,
        series_figures.AVERAGES,
    ),
    codes=(figures.LATENT_SPACE,),
    recovery=(),
    inside=(
        figures.TRAVERSAL,
        series_figures.DEFORMATION,
        figures.INTERPOLATION,
        figures.MOVING,
        *figures.sample_plots(series_figures.MAX_SERIES_EXAMPLES),
    ),
    scores=SERIES_SCORES,
)
PRESENTATIONS = {"image": IMAGES, "series": SERIES}
"""By the name of the domain."""


def presentation(outcome: Outcome) -> Presentation:
    """The presentation of the domain of a run; of a domain of one's own, the nearest.

    Figures that cannot be drawn of such samples are named on the page.
    """
    domain = outcome.warped.unwarper.schema_.domain
    return PRESENTATIONS.get(domain.name, SERIES if domain.has_times else IMAGES)
