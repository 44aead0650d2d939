"""Figures of images: deformations, clusters, recovery, feature arithmetic."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from matplotlib.figure import Figure

from unwarp import plots
from unwarp.analysis.arithmetic import arithmetic as add_difference
from unwarp.analysis.traversal import invertible_columns, traverse_deformation
from unwarp.app.outcome import Outcome
from unwarp.app.report.examples import (
    MAX_EXAMPLES,
    first_component,
    held_out_clusters,
    held_out_samples,
    nearest_to_mean,
)
from unwarp.app.report.figures import gallery, gallery_caption
from unwarp.app.report.illustrations import Plot, fixed_caption
from unwarp.app.report.latent_figures import (
    MAX_TRAVERSAL_ROWS,
    SAMPLES_PER_PATH,
    interpolation_path,
)
from unwarp.app.report.notes import varying
from unwarp.core import Array
from unwarp.metrics.recovery import relative_poses

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"

MIN_SAMPLES_PER_END = 3
"""Feature arithmetic averages at least this many samples at either end of a group."""

MAX_GROUPS_CHANGED = 3
"""Feature arithmetic changes one sample in each of at most this many groups."""


def deformations(outcome: Outcome) -> Figure | None:
    """Histograms of the estimated deformations of held-out images; None without a warp.

    Returns:
        A figure with a panel per summary column of the warp, such as `rotation (deg)`. Dotted
        lines mark the range that one stage of the encoder can predict. A stage is one step of the
        encoder, which predicts a part of the deformation.
    """
    table = varying(outcome.warped.embedding.table)
    return plots.histograms(table) if table else None


def clusters(outcome: Outcome) -> Figure:
    """The templates that are decoded from the centres of the clusters.

    Returns:
        A figure with one row of K images, in the order of `Unwarper.cluster_centers_`.
    """
    unwarper = outcome.warped.unwarper
    with torch.no_grad():
        templates = unwarper.model_.template(torch.from_numpy(unwarper.cluster_centers_))
    return plots.gallery({"clusters": templates.numpy()})


def recovery(outcome: Outcome) -> Figure | None:
    """Estimated against true relative deformations; None if the true deformations are unknown.

    Data sets with true deformations contain two observations of each original. A relative
    deformation leads from the first to the second observation (see `unwarp.metrics.recovery`).

    Returns:
        A figure with a panel per factor of an affine deformation, in its unit.
    """
    test = outcome.test
    if test.maps is None or test.ids is None:
        return None
    size = (test.x.shape[2], test.x.shape[3])
    columns = relative_poses(outcome.warped.embedding.map, test.maps, test.ids, size)
    return plots.recovery({f: (a.numpy(), b.numpy()) for f, (a, b) in columns.items()})


def deformation(outcome: Outcome) -> Figure | None:
    """One template, deformed along each factor of the warp.

    The template is that of the first example. Factors of non-invertible parts of the warp, such as
    a displacement field, are left out.

    Returns:
        A figure with at most `MAX_TRAVERSAL_ROWS` rows, with the value of the factor under every
        sample; None if the warp has no such factors.
    """
    model = outcome.warped.unwarper.model_
    if not invertible_columns(model.chart):
        return None
    _, path = interpolation_path(outcome, SAMPLES_PER_PATH)
    walk, rows = traverse_deformation(model, path.content[0]), slice(MAX_TRAVERSAL_ROWS)
    return plots.traversal(walk.labels[rows], walk.values.numpy()[rows], walk.x.numpy()[rows])


def arithmetic(outcome: Outcome) -> Figure | None:
    """Feature arithmetic between classes, or between clusters if classes are unknown.

    Returns:
        The figure; None if `analogy_rows` has too few samples.
    """
    unwarper, labels = outcome.warped.unwarper, outcome.test.labels
    codes = outcome.warped.embedding.codes
    groups = held_out_clusters(outcome) if labels is None else labels
    analogy = analogy_rows(codes, groups)
    if analogy is None:
        return None
    plus, minus, to = analogy
    x, noun = held_out_samples(outcome), "cluster" if labels is None else "class"
    terms = add_difference(unwarper.model_, x[plus], x[minus], x[to])
    ends = f"{PLUS_MINUS} ends of {noun} {groups[plus[0]]}"
    return plots.arithmetic(
        [f"{noun} {groups[row]}\n{ends}" for row in to],
        terms.to.templates.numpy(),
        terms.plus.templates.numpy(),
        terms.minus.templates.numpy(),
        terms.result.templates.numpy(),
        terms.result.x_hat.numpy(),
    )


def analogy_rows(codes: Array, groups: Array) -> tuple[Array, Array, Array] | None:
    """Samples to add, to subtract, and to change in feature arithmetic.

    The samples of the largest group are ranked along the first principal component of their codes.
    The tenth of them with the highest ranks is added, the tenth with the lowest ranks is
    subtracted. Of each of the next largest groups, the sample nearest to the mean code is changed.

    Args:
        codes: Content codes (N, D).
        groups: Classes or clusters (N,).

    Returns:
        Three arrays of rows of `codes`: samples to add (M,), samples to subtract (M,), and at most
        `MAX_GROUPS_CHANGED` samples to change. None if there is only one group, or if the largest
        group has fewer than two times `MIN_SAMPLES_PER_END` samples.
    """
    names, sizes = np.unique(groups, return_counts=True)
    order = names[np.argsort(-sizes, kind="stable")]
    main_group, *other_groups = (np.flatnonzero(groups == name) for name in order)
    if not other_groups or len(main_group) < 2 * MIN_SAMPLES_PER_END:
        return None
    ranking = main_group[first_component(codes[main_group]).argsort()]
    n_end = max(MIN_SAMPLES_PER_END, len(main_group) // 10)
    typical_rows = [
        rows[nearest_to_mean(codes[rows])] for rows in other_groups[:MAX_GROUPS_CHANGED]
    ]
    return ranking[-n_end:], ranking[:n_end], np.array(typical_rows)


GALLERY = Plot(
    "gallery",
    partial(gallery, max_examples=MAX_EXAMPLES, aligned={}),
    partial(gallery_caption, noun="samples"),
)
DEFORMATIONS = Plot(
    "deformations",
    deformations,
    fixed_caption(
        "Histograms of the estimated deformations of held-out samples. Dotted lines mark the range "
        "that one stage (step) of the encoder can predict. Many samples near a line mean that the "
        "range is too narrow."
    ),
)
CLUSTERS = Plot(
    "clusters",
    clusters,
    fixed_caption(
        "Templates decoded from the centres of the clusters of content codes. A centre is a mean "
        "of content codes, so these templates belong to no single sample."
    ),
)
RECOVERY = Plot(
    "recovery",
    recovery,
    fixed_caption(
        "Estimated against true relative deformation. A point is a pair of observations of one "
        "original. Points of perfect estimates are on the line. Crosses at the border stand for "
        "points outside the panel."
    ),
)
DEFORMATION = Plot(
    "deformation",
    deformation,
    fixed_caption(
        "One template under the deformations of the warp. One factor varies per row, over the "
        "range that one stage (step) of the encoder can predict; the content and the other factors "
        "are constant."
    ),
)
ARITHMETIC = Plot(
    "arithmetic",
    arithmetic,
    fixed_caption(
        "Feature arithmetic on templates, between classes if labels are known, else between "
        "clusters. The samples of the largest class are ranked along the direction of greatest "
        "variance of their codes. The mean code of one end (plus) is added to a typical sample of "
        "another class, and the mean code of the other end (minus) is subtracted. Ideally, only "
        "the difference between plus and minus changes. The last column shows the sum under the "
        "deformation of the sample."
    ),
)
