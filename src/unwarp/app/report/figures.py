"""Figures that reports of every domain share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from unwarp import plots
from unwarp.analysis.embedding import tsne
from unwarp.analysis.interpolation import interpolate
from unwarp.analysis.latents import Rendering
from unwarp.analysis.traversal import traverse
from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import (
    example_rows,
    held_out_samples,
    overview_embedding,
    overview_labels,
    overview_words,
)
from unwarp.app.report.illustrations import Plot, always
from unwarp.core import Array, LatentDensity
from unwarp.plots.animation import moving
from unwarp.plots.training import TrainingPlot, training_plot

MAX_POINTS_IN_MAP = 1000
"""Samples that t-SNE maps; of more, so many are taken at random."""

MAX_TRAVERSAL_ROWS = 8
"""Dimensions or factors of a traversal that are shown."""

SAMPLES_IN_WALK = 9
"""Samples from one end of an interpolation or a traversal to the other."""

FRAMES_OF_MOVING_PICTURES = 21
"""Frames from one end of an interpolation to the other."""

NEW_SAMPLES = 28
"""Samples drawn from the model."""


def gallery(outcome: Outcome, most: int, undone: Mapping[str, Tensor]) -> Figure:
    """Held-out examples as observed, as templates, and as both models see them.

    Args:
        outcome: The run.
        most: Examples at most.
        undone: Further rows under the observed one, of all held-out samples, by their name.
    """
    rows = example_rows(outcome.test.labels, len(outcome.test), most)
    embedding = outcome.warped.embedding
    return plots.gallery(
        {
            "observed": held_out_samples(outcome).numpy()[rows],
            **{name: x.numpy()[rows] for name, x in undone.items()},
            "template": embedding.templates[rows],
            "reconstructed": embedding.x_hat[rows],
            "without warp": outcome.baseline.embedding.x_hat[rows],
        }
    )


def gallery_caption(outcome: Outcome, noun: str, undone: str = "") -> str:
    """The rows of a gallery in words.

    Args:
        outcome: The run.
        noun: A word for samples, in the plural.
        undone: Words for further rows, each ending in `; `.
    """
    note = training_plot_of(outcome).encoder_note
    return (
        f"From the top: held-out {noun}; {undone}the template of each, its undeformed form; "
        "the template deformed as the sample was found to be; what the same network without a "
        f"warp makes of it.{note and f' {note}'}"
    )


def latent_space(outcome: Outcome) -> Figure:
    """Maps of the codes of both models, coloured by class."""
    codes = [overview_embedding(trial, outcome).codes for trial in outcome.trials.values()]
    labels = overview_labels(outcome)
    rows = np.random.default_rng(0).permutation(len(codes[0]))[:MAX_POINTS_IN_MAP]
    titles = ("content code, with warp", "code without warp, as many latents")
    points = {title: tsne(part[rows]) for title, part in zip(titles, codes, strict=True)}
    return plots.maps(points, None if labels is None else labels[rows])


def latent_space_caption(outcome: Outcome) -> str:
    """What the points and the colours of the maps are."""
    return (
        f"t-SNE of the content codes of {overview_words(outcome, 'samples')}. Colours, where there "
        "are any, are the true classes, which no model has seen."
    )


def traversal(outcome: Outcome) -> Figure:
    """Templates about the mean code, one content dimension moved in each row."""
    walk = traverse(outcome.warped.unwarper.model_, held_out_samples(outcome), n=SAMPLES_IN_WALK)
    rows = slice(MAX_TRAVERSAL_ROWS)
    return plots.traversal(walk.labels[rows], walk.values.numpy()[rows], walk.x.numpy()[rows], "sd")


def traversal_caption(outcome: Outcome) -> str:
    """What moves in a traversal, and how its rows are sorted."""
    deviation, order = "of the codes along it", "by the standard deviation of the codes"
    if outcome.warped.unwarper.recipe_.stochastic:
        deviation = "of the prior"
        order = "by their rate, the KL divergence from the prior in nats: a row near 0 says nothing"
    return (
        "Templates about the mean code. In each row one content dimension moves; sd: standard "
        f"deviation {deviation}. Rows are sorted {order}; at most {MAX_TRAVERSAL_ROWS} are shown."
    )


def interpolation_path(outcome: Outcome, n: int) -> tuple[Tensor, Rendering]:
    """The path from the first example to another at a median distance.

    Args:
        outcome: The run.
        n: Samples of the path, ends included.

    Returns:
        Both ends as observed (2, *shape), and the path.
    """
    rows = example_rows(outcome.test.labels, len(outcome.test))
    codes = outcome.warped.embedding.codes[rows]
    median = np.linalg.norm(codes - codes[0], axis=1).argsort()[len(rows) // 2]
    ends = held_out_samples(outcome)[[rows[0], rows[median]]]
    return ends, interpolate(outcome.warped.unwarper.model_, ends[0], ends[1], n)


def interpolation(outcome: Outcome) -> Figure:
    """The path between two held-out samples, in templates and deformed."""
    ends, path = interpolation_path(outcome, SAMPLES_IN_WALK)
    return plots.interpolation(ends.numpy(), path.templates.numpy(), path.x_hat.numpy())


def moving_interpolation(outcome: Outcome) -> Array:
    """Frames (F, height, width, 3) of the same path."""
    _, path = interpolation_path(outcome, FRAMES_OF_MOVING_PICTURES)
    shares = [f"{share:.2f}" for share in np.linspace(0, 1, FRAMES_OF_MOVING_PICTURES)]
    tiles = {"template": path.templates.numpy(), "deformed": path.x_hat.numpy()}
    return moving(tiles, dict.fromkeys(tiles, shares))


def new_samples(outcome: Outcome, source: LatentDensity, across: int) -> Figure | None:
    """Samples drawn from the model; None where it has no such source.

    Args:
        outcome: The run.
        source: The prior, which only generative families have, or the mixture.
        across: Samples in a row.
    """
    unwarper = outcome.warped.unwarper
    if source == "prior" and not unwarper.recipe_.generative:
        return None
    x = np.asarray(unwarper.sample(NEW_SAMPLES, source=source, random_state=0))
    return plots.samples(unwarper.schema_.scaler.apply(x), across)


def prior_caption(outcome: Outcome) -> str:
    """How samples from the prior are drawn, and what their faults mean."""
    is_fitted = outcome.warped.unwarper.recipe_.prior == "learned"
    return (
        "New samples: code and deformation drawn from the prior. Empty or torn frames mean that "
        "the prior allows more deformation than the samples show"
        f"{'' if is_fitted else '; prior=learned fits it to them'}."
    )


def sample_plots(across: int) -> tuple[Plot, Plot]:
    """New samples from prior and mixture, `across` in a row."""
    mixture = (
        "New samples: code and deformation drawn from a Gaussian mixture that was fitted to those "
        "of the training samples."
    )
    return (
        Plot("prior", partial(new_samples, source="prior", across=across), prior_caption),
        Plot("mixture", partial(new_samples, source="mixture", across=across), always(mixture)),
    )


def training_plot_of(outcome: Outcome) -> TrainingPlot:
    """The way to draw the training of the model with the warp."""
    return training_plot(outcome.warped.unwarper.history_.rows)


def training(outcome: Outcome) -> Figure:
    """How the trainings of both models went."""
    trials = {"with warp": outcome.warped, "without": outcome.baseline}
    rows = {name: trial.unwarper.history_.rows for name, trial in trials.items()}
    return training_plot_of(outcome).draw(rows)


LATENT_SPACE = Plot("latent_space", latent_space, latent_space_caption)
TRAVERSAL = Plot("traversal", traversal, traversal_caption)
INTERPOLATION = Plot(
    "interpolation",
    interpolation,
    always(
        "From one held-out sample to another: between both, codes go along a straight line, and "
        "deformations go factor by factor."
    ),
)
MOVING = Plot("moving", moving_interpolation, always("The same way there and back."))
TRAINING = Plot("training", training, lambda outcome: training_plot_of(outcome).caption)
