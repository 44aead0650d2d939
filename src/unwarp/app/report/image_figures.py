"""Figures of images: examples, deformations, recovery, feature arithmetic."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from unwarp import plots
from unwarp.analysis.arithmetic import arithmetic as add_difference
from unwarp.analysis.embedding import align_in_chunks, encode
from unwarp.analysis.latents import Rendering
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


NEIGHBOURS_OF_SUM = 5
"""Number of nearest samples that must all be of the kind of a sum."""


def image_gallery(outcome: Outcome) -> Figure:
    """Held-out images, observed and aligned, with templates and reconstructions.

    Returns:
        A figure with five rows of at most `MAX_EXAMPLES` images.
    """
    embedding, padding = outcome.warped.embedding, outcome.warped.unwarper.model_.padding
    aligned = align_in_chunks(held_out_samples(outcome), embedding.map, padding)
    return gallery(outcome, MAX_EXAMPLES, {"aligned": aligned})


def deformations(outcome: Outcome) -> Figure | None:
    """Histograms of the estimated deformations of held-out images; None without a warp.

    Returns:
        A figure with a panel per summary column of the warp, such as `rotation (deg)`. Dotted
        lines mark the range of one step of the estimate.
    """
    table = varying(outcome.warped.embedding.table)
    return plots.histograms(table) if table else None


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

    Only sums that keep their kind are shown, as `_keep_kind` measures it.

    Returns:
        The figure; None if `analogy_rows` has too few samples, or no sum keeps its kind.
    """
    labels, noun = outcome.test.labels, "class"
    if labels is None:
        labels, noun = held_out_clusters(outcome), "cluster"
    analogy = analogy_rows(outcome.warped.embedding.codes, labels)
    if analogy is None:
        return None
    plus, minus, to = analogy
    x, model = held_out_samples(outcome), outcome.warped.unwarper.model_
    terms = add_difference(model, x[plus], x[minus], x[to])
    sums = np.flatnonzero(_keep_kind(outcome, labels, to, terms.result))[:MAX_GROUPS_CHANGED]
    if not len(sums):
        return None
    ends = f"{PLUS_MINUS} ends of {noun} {labels[plus[0]]}"
    return plots.arithmetic(
        [f"{noun} {labels[row]}\n{ends}" for row in to[sums]],
        terms.to.templates.numpy()[sums],
        terms.plus.templates.numpy(),
        terms.minus.templates.numpy(),
        terms.result.templates.numpy()[sums],
        terms.result.x_hat.numpy()[sums],
    )


def _keep_kind(outcome: Outcome, groups: Array, rows: Array, sums: Rendering) -> Array:
    """Whether sums are of the kind of the samples that they were made from (M,).

    The `NEIGHBOURS_OF_SUM` samples nearest to the code of a sum must all be of that kind, and so
    must those nearest to the code that the model finds for the drawn sum.

    Args:
        outcome: The run.
        groups: Class or cluster of each held-out sample (N,).
        rows: Rows of the samples among the held-out ones (M,).
        sums: The sums, under the deformations of the samples.
    """
    codes, model = outcome.warped.embedding.codes, outcome.warped.unwarper.model_
    is_kept = np.ones(len(rows), bool)
    for content in (sums.content, encode(model, sums.x_hat)[0]):
        distances = np.linalg.norm(content.numpy()[:, None] - codes, axis=2)
        nearest = distances.argsort(axis=1)[:, :NEIGHBOURS_OF_SUM]
        is_kept &= (groups[nearest] == groups[rows][:, None]).all(1)
    return is_kept


def analogy_rows(codes: Array, groups: Array) -> tuple[Array, Array, Array] | None:
    """Samples to add, to subtract, and to change in feature arithmetic.

    The samples of the largest group are ranked along the first principal component of their codes.
    The tenth of them with the highest ranks is added, the tenth with the lowest ranks is
    subtracted. Of each of the other groups, the sample nearest to the mean code is changed.

    Args:
        codes: Content codes (N, D).
        groups: Classes or clusters (N,).

    Returns:
        Three arrays of rows of `codes`: samples to add (M,), samples to subtract (M,), and a sample
        to change for each other group, the largest group first. None if there is only one group, or
        if the largest group has fewer than two times `MIN_SAMPLES_PER_END` samples.
    """
    names, sizes = np.unique(groups, return_counts=True)
    order = names[np.argsort(-sizes, kind="stable")]
    main_group, *other_groups = (np.flatnonzero(groups == name) for name in order)
    if not other_groups or len(main_group) < 2 * MIN_SAMPLES_PER_END:
        return None
    ranking = main_group[first_component(codes[main_group]).argsort()]
    n_end = max(MIN_SAMPLES_PER_END, len(main_group) // 10)
    typical_rows = [rows[nearest_to_mean(codes[rows])] for rows in other_groups]
    return ranking[-n_end:], ranking[:n_end], np.array(typical_rows)


GALLERY = Plot(
    "gallery",
    image_gallery,
    partial(
        gallery_caption, noun="images", aligned="the same images with their deformations undone; "
    ),
)
DEFORMATIONS = Plot(
    "deformations",
    deformations,
    fixed_caption(
        "Histograms of the estimated deformations of held-out samples. The model estimates a "
        "deformation in several steps; dotted lines mark the range of one step. Many samples at or "
        "beyond a line mean that the range is too narrow."
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
        "range of one step of the estimate (the dotted lines of the histograms); the content and "
        "the other factors are constant."
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
        "the difference between plus and minus changes. Only sums that stay among samples of their "
        "kind are shown. The last column shows the sum under the deformation of the "
        "sample."
    ),
)
