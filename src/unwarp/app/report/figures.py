"""Figures of every domain: examples, evidence, latent space, training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from unwarp import plots
from unwarp.analysis.embedding import tsne
from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import (
    describe_overview,
    example_rows,
    held_out_samples,
    overview_clusters,
    overview_embedding,
    overview_labels,
)
from unwarp.app.report.illustrations import Plot
from unwarp.estimators.choices import MIN_SAVED_NATS
from unwarp.plots.training import TrainingPlot, training_plot

MAX_POINTS_IN_MAP = 1000
"""Greatest number of samples that t-SNE maps; if there are more, a random subset is mapped."""


def gallery(outcome: Outcome, max_examples: int, aligned: Mapping[str, Tensor]) -> Figure:
    """Held-out examples as observed, as templates, and as both models reconstruct them.

    Args:
        outcome: The run.
        max_examples: Greatest number of examples.
        aligned: Further rows below the observations, by their name: all held-out samples
            (N, *shape) with their deformations undone. May be empty.
    """
    rows = example_rows(outcome.test.labels, len(outcome.test), max_examples)
    embedding = outcome.warped.embedding
    return plots.gallery(
        {
            "observed": held_out_samples(outcome).numpy()[rows],
            **{name: x.numpy()[rows] for name, x in aligned.items()},
            "template": embedding.templates[rows],
            "reconstruction": embedding.x_hat[rows],
            "without warp": outcome.baseline.embedding.x_hat[rows],
        }
    )


def savings(outcome: Outcome) -> Figure | None:
    """Nats that a warp saves in each fold; None without trials."""
    unwarper = outcome.warped.unwarper
    selection, domain = unwarper.selection_, unwarper.schema_.domain
    if selection is None or not selection.saved:
        return None
    bounds, unit = (-MIN_SAVED_NATS, MIN_SAVED_NATS), f"nats saved per held-out {domain.singular}"
    return plots.folds(np.array(selection.saved), bounds, unit)


def savings_caption(outcome: Outcome) -> str:
    """The caption of the figure of evidence."""
    domain = outcome.warped.unwarper.schema_.domain
    undecided = (
        "and a second sign does: whether nearest neighbours of aligned series agree more with "
        "clusters of elastic distances"
        if domain.has_times
        else f"and the {domain.plural} stay as they are"
    )
    return (
        "Evidence for or against a warp. A point is one fold: the reduction of the description "
        f"length of its held-out {domain.plural} by a warp, in nats. The dotted line is the mean, "
        f"which decides. Within the shaded range it decides nothing, {undecided}. A first fold far "
        "from the range ends the comparison."
    )


def gallery_caption(outcome: Outcome, noun: str, aligned: str = "") -> str:
    """The caption of a gallery, row by row.

    Args:
        outcome: The run.
        noun: Word for the samples, in the plural.
        aligned: Descriptions of further rows, each ending in `; `; empty for none.
    """
    note = training_plot_of(outcome).encoder_note
    return (
        f"From the top: held-out {noun}; {aligned}the template of each, which is its content code "
        "decoded without deformation; the reconstruction, which is the template under the "
        "estimated deformation; the reconstruction by the baseline without a warp."
        f"{note and f' {note}'}"
    )


def latent_space(outcome: Outcome) -> Figure:
    """t-SNE of the codes of both models, coloured by class or cluster.

    Clusters stand in for classes that are unknown.

    At most `MAX_POINTS_IN_MAP` samples of the overview are mapped, the same samples for both
    models. The seed is fixed, so that the figure can be reproduced.

    Args:
        outcome: The run.

    Returns:
        A figure with two panels, with and without the warp.
    """
    codes = [overview_embedding(model, outcome).codes for model in outcome.scored_models.values()]
    labels = overview_labels(outcome)
    labels = overview_clusters(outcome) if labels is None else labels
    rows = np.random.default_rng(0).permutation(len(codes[0]))[:MAX_POINTS_IN_MAP]
    titles = ("content code, with warp", "code, without warp")
    points = {title: tsne(part[rows]) for title, part in zip(titles, codes, strict=True)}
    return plots.embeddings(points, labels[rows])


def latent_space_caption(outcome: Outcome) -> str:
    """The caption of the figure of the latent space."""
    is_joint = outcome.warped.unwarper.recipe_.content == "joint"
    joint_size = "with as many dimensions as content and deformation together"
    size = joint_size if is_joint else "made alike"
    colours = "the true classes, which were not used for training"
    if overview_labels(outcome) is None:
        colours = "the clusters of the model with the warp, by their number"
    return (
        f"t-SNE of the codes of {describe_overview(outcome, 'samples')}. Left: content code of the "
        f"model with the warp. Right: code of the baseline, {size}. Colours are {colours}."
    )


def training_plot_of(outcome: Outcome) -> TrainingPlot:
    """The kind of training plot for the model with the warp.

    The plot also fits the history of the baseline, since both models are of the same family.
    """
    return training_plot(outcome.warped.unwarper.history_.curve)


def training(outcome: Outcome) -> Figure:
    """Training curves of both models, over seconds.

    For adversarial families they are measures of critic and generator, for all others the
    reconstruction term of the loss.
    """
    models = {"with warp": outcome.warped, "without warp": outcome.baseline}
    rows = {name: model.unwarper.history_.curve for name, model in models.items()}
    return training_plot_of(outcome).draw(rows)


SAVINGS = Plot("savings", savings, savings_caption)
LATENT_SPACE = Plot("latent_space", latent_space, latent_space_caption)
TRAINING = Plot("training", training, lambda outcome: training_plot_of(outcome).caption)
