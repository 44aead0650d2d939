"""Figures of finished runs for papers, with captions.

Text in vector files stays text. A caption states data, seed and protocol.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from unwarp._version import __version__
from unwarp.app.figure_kinds import FigureFormat, FigureKind
from unwarp.app.job import load_job
from unwarp.app.outcome import Outcome, unscored_outcome
from unwarp.app.parts import open_parts
from unwarp.app.report import (
    cluster_figures,
    figures,
    image_figures,
    latent_figures,
    series_deformations,
    series_figures,
)
from unwarp.app.report.illustrations import Plot
from unwarp.app.run import read_history
from unwarp.app.run_facts import MODEL_NAMES, check_run
from unwarp.errors import CheckpointError, ConfigError
from unwarp.estimators.unwarper import Unwarper
from unwarp.models.codec import describe
from unwarp.storage.files import expand

TEXT_AS_TEXT: Any = {"svg.fonttype": "none", "pdf.fonttype": 42, "svg.hashsalt": "unwarp"}
"""Settings of matplotlib for files with text instead of outlines, and the same at every call."""


@dataclass(frozen=True)
class PaperFigure:
    """The figures of one kind by domain.

    Attributes:
        image: Figure of images; None for none.
        series: Figure of series, and of other samples with times; None for none.
        mend: Condition of the figure, and what to do, for the error message.

    >>> KINDS["templates"].image.name
    'clusters'
    """

    image: Plot | None
    series: Plot | None
    mend: str


KINDS: Mapping[FigureKind, PaperFigure] = {
    "templates": PaperFigure(
        cluster_figures.CLUSTERS, series_figures.ALIGNMENT, "choose another kind"
    ),
    "latent-map": PaperFigure(figures.LATENT_SPACE, figures.LATENT_SPACE, "choose another kind"),
    "traversal": PaperFigure(
        latent_figures.TRAVERSAL, latent_figures.TRAVERSAL, "choose another kind"
    ),
    "chunks": PaperFigure(
        latent_figures.CHUNKS,
        latent_figures.CHUNKS,
        "only a mixing autoencoder has chunks: train one with --set family=mixing-ae",
    ),
    "recovery": PaperFigure(
        image_figures.RECOVERY,
        series_deformations.RECOVERY,
        "it needs known deformations, as in 'unwarp fit affine-mnist' and 'unwarp fit bumps'",
    ),
    "warps": PaperFigure(
        image_figures.DEFORMATIONS,
        series_deformations.TIME_MAPS,
        "it needs a model with a warp: train one with --warp affine or --warp time",
    ),
    "interpolation": PaperFigure(
        latent_figures.INTERPOLATION, latent_figures.INTERPOLATION, "choose another kind"
    ),
}
"""Figures by their kind."""


def load_run(folder: Path) -> Outcome:
    """Both models of a finished run, with its samples, without scores.

    Args:
        folder: The run folder; nothing is written to it.

    Raises:
        CheckpointError: It is no run folder, is damaged, its run is not finished, or its data have
            changed.
        DataError: The data cannot be read.
    """
    folder = expand(folder)
    job = load_job(folder)
    if not all((folder / name).is_dir() for name in MODEL_NAMES):
        raise CheckpointError(
            f"{folder} holds a run that is not finished; continue it with 'unwarp resume {folder}'"
        )
    parts = open_parts(job.source, job.make_estimator())
    check_run(folder, job, parts)
    warped, baseline = (Unwarper.load(folder / name) for name in MODEL_NAMES)
    warped.history_ = read_history(folder / "model.history.json")
    return unscored_outcome(job, parts, warped, baseline)


def draw(outcome: Outcome, kind: FigureKind) -> tuple[Figure, str]:
    """A figure of a run with its caption.

    Args:
        outcome: The run.
        kind: Kind of the figure.

    Returns:
        The figure, and its caption with data, seed, protocol and version.

    Raises:
        ConfigError: The run has no such figure.
    """
    domain = outcome.warped.unwarper.schema_.domain
    plot = KINDS[kind].series if domain.has_times else KINDS[kind].image
    figure = plot.draw(outcome) if plot else None
    if plot is None or not isinstance(figure, Figure):
        raise ConfigError(f"this run has no figure {kind!r}: {KINDS[kind].mend}")
    return figure, f"{plot.caption(outcome)} {protocol(outcome)}"


def protocol(outcome: Outcome) -> str:
    """Sentences on data, training, seed and version of a run.

    Args:
        outcome: The run.
    """
    unwarper = outcome.warped.unwarper
    return (
        f"Data: {outcome.training.name}, {outcome.n_training:,} training samples and "
        f"{len(outcome.test):,} held-out samples. Model: {describe(unwarper.recipe_)['family']} "
        f"with warp {unwarper.recipe_.warp.name}, {unwarper.history_.steps:,} training steps "
        f"without labels, seed {outcome.job.seed}. unwarp {__version__}."
    )


def encode_figure(figure: Figure, caption: str, file_format: FigureFormat) -> bytes:
    """The file of a figure, with the caption in its metadata.

    Args:
        figure: The figure.
        caption: Caption.
        file_format: Format of the file.

    Returns:
        Bytes of the file; the same for the same figure.
    """
    software = f"unwarp {__version__}"
    metadata: dict[FigureFormat, dict[str, str | None]] = {
        "pdf": {"Subject": caption, "Creator": software, "CreationDate": None},
        "png": {"Description": caption, "Software": software},
        "svg": {"Description": caption, "Creator": software, "Date": None},
    }
    out = io.BytesIO()
    with rc_context(TEXT_AS_TEXT):
        figure.savefig(out, format=file_format, metadata=metadata[file_format])
    return out.getvalue()
