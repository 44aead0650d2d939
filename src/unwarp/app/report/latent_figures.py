"""Figures of the latent space: traversals, interpolations, new samples.

The latents of a sample are its content code and the parameters of its deformation.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from unwarp import plots
from unwarp.analysis.interpolation import interpolate, interpolate_chunks
from unwarp.analysis.latents import Rendering
from unwarp.analysis.traversal import traverse
from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import example_rows, held_out_samples
from unwarp.app.report.illustrations import Plot, fixed_caption
from unwarp.core import Array, LatentDensity
from unwarp.plots.animation import render_frames

MAX_TRAVERSAL_ROWS = 8
"""Greatest number of rows of a traversal: dimensions of the content, or factors of the warp."""

SAMPLES_PER_PATH = 9
"""Samples from one end of an interpolation or a traversal to the other."""

FRAMES_PER_ANIMATION = 21
"""Frames from one end of an animated interpolation to the other."""

N_NEW_SAMPLES = 30
"""Samples that are generated from the model."""


def traversal(outcome: Outcome) -> Figure:
    """Templates around the mean content code; one content dimension varies per row.

    Returns:
        A figure with at most `MAX_TRAVERSAL_ROWS` rows of `SAMPLES_PER_PATH` templates, from -2 to
        2 standard deviations. `traversal_caption` explains the order of the rows.
    """
    x = held_out_samples(outcome)
    walk = traverse(outcome.warped.unwarper.model_, x, n=SAMPLES_PER_PATH)
    rows = slice(MAX_TRAVERSAL_ROWS)
    return plots.traversal(walk.labels[rows], walk.values.numpy()[rows], walk.x.numpy()[rows], "sd")


def traversal_caption(outcome: Outcome) -> str:
    """The caption of the traversal, with unit and order of rows."""
    deviation, order = "of the codes along it", "the standard deviation of the codes"
    if outcome.warped.unwarper.recipe_.stochastic:
        deviation = "of the prior"
        order = "the KL divergence from the prior (nats); a row near 0 carries no information"
    return (
        "Latent traversal: templates around the mean content code. One content dimension varies "
        f"per row, in standard deviations (sd) {deviation}. Rows are sorted by {order}. At most "
        f"{MAX_TRAVERSAL_ROWS} rows are shown."
    )


def interpolation_path(outcome: Outcome, n: int) -> tuple[Tensor, Rendering]:
    """A path in latent space from the first example to another example.

    The distances from the first content code to those of all examples are sorted; the other example
    is the one with the median distance.

    Args:
        outcome: The run.
        n: Number of points of the path, ends included.

    Returns:
        Both ends as observed (2, *shape), and the n points as templates and as deformed templates.
    """
    rows = example_rows(outcome.test.labels, len(outcome.test))
    codes = outcome.warped.embedding.codes[rows]
    median = np.linalg.norm(codes - codes[0], axis=1).argsort()[len(rows) // 2]
    ends = held_out_samples(outcome)[[rows[0], rows[median]]]
    return ends, interpolate(outcome.warped.unwarper.model_, ends[0], ends[1], n)


def interpolation(outcome: Outcome) -> Figure:
    """The path between two held-out samples.

    Returns:
        A figure with three rows: the two samples as observed, the templates of
        `SAMPLES_PER_PATH` points of the path, and the deformed templates.
    """
    ends, path = interpolation_path(outcome, SAMPLES_PER_PATH)
    return plots.interpolation(ends.numpy(), path.templates.numpy(), path.x_hat.numpy())


def chunks(outcome: Outcome) -> Figure | None:
    """Paths between two held-out samples; each changes one chunk.

    Returns:
        A figure with a row per chunk; None if the recipe divides its content into no chunks.
    """
    sizes = getattr(outcome.warped.unwarper.recipe_, "chunk_sizes", ())
    if not sizes:
        return None
    ends, _ = interpolation_path(outcome, SAMPLES_PER_PATH)
    model = outcome.warped.unwarper.model_
    walk = interpolate_chunks(model, ends[0], ends[1], sizes, SAMPLES_PER_PATH)
    return plots.chunks(walk.labels, ends.numpy(), walk.x.numpy())


def animate_interpolation(outcome: Outcome) -> Array:
    """Frames of the path between two held-out samples.

    Returns:
        `FRAMES_PER_ANIMATION` frames (F, height, width, 3) as uint8, templates at the left and
        deformed templates at the right.
    """
    _, path = interpolation_path(outcome, FRAMES_PER_ANIMATION)
    fractions = [f"{fraction:.2f}" for fraction in np.linspace(0, 1, FRAMES_PER_ANIMATION)]
    tiles = {"template": path.templates.numpy(), "deformed": path.x_hat.numpy()}
    return render_frames(tiles, dict.fromkeys(tiles, fractions))


def new_samples(outcome: Outcome, density: LatentDensity, n_columns: int) -> Figure | None:
    """A grid of new samples, decoded from random latents.

    Args:
        outcome: The run.
        density: Distribution of the latents: `prior`, which only generative families have, or
            `mixture`, a Gaussian mixture that is fitted to the latents of the training samples.
        n_columns: Samples per row.

    Returns:
        The figure; None if the family has no prior.
    """
    unwarper = outcome.warped.unwarper
    if density == "prior" and not unwarper.recipe_.generative:
        return None
    x = np.asarray(unwarper.sample(N_NEW_SAMPLES, source=density, random_state=0))
    return plots.samples(unwarper.schema_.scaler.apply(x), n_columns)


def prior_caption(outcome: Outcome) -> str:
    """The caption of samples from the prior, with advice on bad samples."""
    is_fitted = outcome.warped.unwarper.recipe_.prior == "learned"
    return (
        "New samples: content code and deformation are drawn from the prior. Empty or cut-off "
        "samples mean that the deformations of the prior are larger than those of the data"
        f"{'' if is_fitted else '; set prior=learned to fit the scale of the prior to the data'}."
    )


def sample_plots(n_columns: int) -> tuple[Plot, Plot]:
    """The plots of new samples, from the prior and from the mixture.

    Args:
        n_columns: Samples per row.
    """
    mixture = (
        "New samples: content code and deformation are drawn from a Gaussian mixture that is "
        "fitted to the content codes and deformations of the training samples."
    )
    prior_plot = partial(new_samples, density="prior", n_columns=n_columns)
    mixture_plot = partial(new_samples, density="mixture", n_columns=n_columns)
    return (
        Plot("prior", prior_plot, prior_caption),
        Plot("mixture", mixture_plot, fixed_caption(mixture)),
    )


TRAVERSAL = Plot("traversal", traversal, traversal_caption)
INTERPOLATION = Plot(
    "interpolation",
    interpolation,
    fixed_caption(
        "Interpolation from one held-out sample to another. Content codes follow a straight line, "
        "and so do the parameters of the deformation. Numbers are fractions of the path."
    ),
)
CHUNKS = Plot(
    "chunks",
    chunks,
    fixed_caption(
        "Chunks of the latents. The top row shows two held-out samples, a and b. In each row below "
        "one chunk of the content code, or the deformation, goes from its value in a to that in b; "
        "the others stay as in a. Numbers are fractions of the path."
    ),
)
ANIMATION = Plot(
    "moving",
    animate_interpolation,
    fixed_caption("The same path as an animation, forwards and backwards."),
)
