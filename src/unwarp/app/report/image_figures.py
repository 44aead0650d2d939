"""Figures that reports of images have."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from matplotlib.figure import Figure

from unwarp import plots
from unwarp.analysis.arithmetic import arithmetic as add_difference
from unwarp.analysis.traversal import traverse_deformation, walkable_columns
from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import (
    MAX_EXAMPLES,
    first_component,
    held_out_samples,
    nearest_clusters,
    nearest_to_mean,
)
from unwarp.app.report.figures import (
    MAX_TRAVERSAL_ROWS,
    SAMPLES_IN_WALK,
    gallery,
    gallery_caption,
    interpolation_path,
)
from unwarp.app.report.illustrations import Plot, always
from unwarp.core import Array
from unwarp.metrics.recovery import relative

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"

MIN_SAMPLES_AT_AN_END = 3
"""Samples whose mean code stands for one end of a kind in feature arithmetic."""

MAX_KINDS_CHANGED = 3
"""Further kinds to a sample of which feature arithmetic adds."""


def deformations(outcome: Outcome) -> Figure | None:
    """Histograms of the estimated deformations, where there are any."""
    table = outcome.warped.embedding.table
    return plots.histograms(table) if table else None


def clusters(outcome: Outcome) -> Figure:
    """The templates of the centres of clusters."""
    unwarper = outcome.warped.unwarper
    with torch.no_grad():
        templates = unwarper.model_.template(torch.from_numpy(unwarper.cluster_centers_))
    return plots.gallery({"clusters": templates.numpy()})


def recovery(outcome: Outcome) -> Figure | None:
    """Estimated against true deformations, where true ones are known."""
    test = outcome.test
    if test.maps is None or test.ids is None:
        return None
    size = (test.x.shape[2], test.x.shape[3])
    columns = relative(outcome.warped.embedding.map, test.maps, test.ids, size)
    return plots.recovery({f: (a.numpy(), b.numpy()) for f, (a, b) in columns.items()})


def deformation(outcome: Outcome) -> Figure | None:
    """One template along each factor of the warp, where it has any."""
    model = outcome.warped.unwarper.model_
    if not walkable_columns(model.chart):
        return None
    _, path = interpolation_path(outcome, SAMPLES_IN_WALK)
    walk, rows = traverse_deformation(model, path.content[0]), slice(MAX_TRAVERSAL_ROWS)
    return plots.traversal(walk.labels[rows], walk.values.numpy()[rows], walk.x.numpy()[rows])


def arithmetic(outcome: Outcome) -> Figure | None:
    """Feature arithmetic between kinds; None with too few samples."""
    unwarper, labels = outcome.warped.unwarper, outcome.test.labels
    codes = outcome.warped.embedding.codes
    kinds = nearest_clusters(codes, unwarper.cluster_centers_) if labels is None else labels
    analogy = analogy_rows(codes, kinds)
    if analogy is None:
        return None
    plus, minus, to = analogy
    x, noun = held_out_samples(outcome), "cluster " if labels is None else ""
    terms = add_difference(unwarper.model_, x[plus], x[minus], x[to])
    names = [f"{noun}{kinds[row]}\n{PLUS_MINUS} ends of {noun}{kinds[plus[0]]}" for row in to]
    return plots.arithmetic(
        names,
        terms.to.templates.numpy(),
        terms.plus.templates.numpy(),
        terms.minus.templates.numpy(),
        terms.result.templates.numpy(),
        terms.result.x_hat.numpy(),
    )


def analogy_rows(codes: Array, kinds: Array) -> tuple[Array, Array, Array] | None:
    """Samples to add, subtract and change; None with too few samples.

    The first two are the ends of the largest kind, a tenth of it each, along the direction in
    which its codes vary most. The last are the most typical samples of the next kinds.

    Args:
        codes: Content codes (N, D).
        kinds: Classes or clusters (N,).

    Returns:
        Rows of `codes`, three times.
    """
    names, sizes = np.unique(kinds, return_counts=True)
    order = names[np.argsort(-sizes, kind="stable")]
    largest, *others = (np.flatnonzero(kinds == name) for name in order)
    if not others or len(largest) < 2 * MIN_SAMPLES_AT_AN_END:
        return None
    ranked = largest[first_component(codes[largest]).argsort()]
    end = max(MIN_SAMPLES_AT_AN_END, len(largest) // 10)
    typical = [rows[nearest_to_mean(codes[rows])] for rows in others[:MAX_KINDS_CHANGED]]
    return ranked[-end:], ranked[:end], np.array(typical)


GALLERY = Plot(
    "gallery",
    partial(gallery, most=MAX_EXAMPLES, undone={}),
    partial(gallery_caption, noun="samples"),
)
DEFORMATIONS = Plot(
    "deformations",
    deformations,
    always(
        "The deformations found in held-out samples. Dotted lines are the ends of what one stage "
        "may predict; heaps there mean that the range is too narrow."
    ),
)
CLUSTERS = Plot(
    "clusters",
    clusters,
    always("The centres of the clusters in content, decoded: templates that nobody drew."),
)
RECOVERY = Plot(
    "recovery",
    recovery,
    always("One point is one pair of observations; a perfect method lies on the line."),
)
DEFORMATION = Plot(
    "deformation",
    deformation,
    always(
        "One template, deformed along one factor at a time over the range that one stage may "
        "predict; everything else stands still."
    ),
)
ARITHMETIC = Plot(
    "arithmetic",
    arithmetic,
    always(
        "Feature arithmetic on templates. Within one kind, samples are ranked along the direction "
        "in which their codes vary most. The mean code of one end (plus) is added to typical "
        "samples of other kinds, and that of the other end (minus) is taken away: what tells plus "
        "from minus should be all that changes. Kinds are the true classes where they are known, "
        "else clusters."
    ),
)
