"""The figures of a run's report: which samples are shown, and how."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from unwarp import plots
from unwarp.analysis.arithmetic import arithmetic
from unwarp.analysis.embedding import align_in_chunks, tsne
from unwarp.analysis.interpolation import interpolate
from unwarp.analysis.latents import Rendering
from unwarp.analysis.traversal import traverse, traverse_deformation, walkable_columns
from unwarp.app.outcome import Outcome
from unwarp.app.report.series_figures import _of_series, _ways
from unwarp.app.report.shown import (
    DRAWN,
    FEW,
    POINTS,
    ROWS,
    SHOWN,
    _clusters,
    _embedding,
    _examples,
    _held_out,
    _kinds,
    _principal,
    _typical,
)
from unwarp.core import Array, LatentDensity
from unwarp.estimators.unwarper import Unwarper
from unwarp.metrics.recovery import relative
from unwarp.plots.animation import moving
from unwarp.plots.training import game
from unwarp.training.state import Row

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


def draw(outcome: Outcome) -> dict[str, Figure]:
    """The figures of a report by name."""
    warped, baseline = outcome.warped, outcome.baseline
    histories = {"with warp": warped.unwarper.history_.rows, "without": baseline.unwarper.history_.rows}
    pictures = outcome.test.x.ndim == 4
    return {
        "gallery": _gallery(outcome),
        "latent_space": _latent_space(outcome),
        **(_of_pictures(outcome) if pictures else _of_series(outcome)),
        **_walks(outcome),
        **_samples(warped.unwarper),
        "training": game(histories) if adversarial(histories["with warp"]) else plots.curves(histories),
    }


def _of_pictures(outcome: Outcome) -> dict[str, Figure]:
    """What pictures alone are shown by."""
    clusters = plots.gallery({"clusters": _cluster_templates(outcome.warped.unwarper)})
    return {"clusters": clusters, **_deformations(outcome), **_arithmetic(outcome)}


def adversarial(rows: Sequence[Row]) -> bool:
    """Whether a history tells of a game between a critic and a generator."""
    return bool(rows) and "critic.real" in rows[0]


def moving_pictures(outcome: Outcome) -> dict[str, Array]:
    """Frames (F, height, width, 3) of what a report shows in motion, by name."""
    _, way = _interpolation(outcome, 21)
    shares = [f"{share:.2f}" for share in np.linspace(0, 1, 21)]
    tiles = {"template": way.templates.numpy(), "deformed": way.x_hat.numpy()}
    return {"moving": moving(tiles, dict.fromkeys(tiles, shares))}


def _gallery(outcome: Outcome) -> Figure:
    x, warped, baseline = _held_out(outcome), outcome.warped, outcome.baseline
    rows = _examples(outcome.test.labels, len(outcome.test), SHOWN if x.ndim == 4 else SHOWN // 2)
    aligned = align_in_chunks(x, warped.embedding.map, warped.unwarper.model_.padding) if x.ndim == 3 else None
    return plots.gallery(
        {
            "observed": x.numpy()[rows],
            **({} if aligned is None else {"aligned": aligned.numpy()[rows]}),
            "template": warped.embedding.templates[rows],
            "reconstructed": warped.embedding.x_hat[rows],
            "without warp": baseline.embedding.x_hat[rows],
        }
    )


def _latent_space(outcome: Outcome) -> Figure:
    codes = [_embedding(trial, outcome).codes for trial in outcome.trials.values()]
    some, kinds = np.random.default_rng(0).permutation(len(codes[0]))[:POINTS], _kinds(outcome)
    names = ("content code, with warp", "code without warp, as many latents")
    points = {name: tsne(found[some]) for name, found in zip(names, codes, strict=True)}
    return plots.maps(points, None if kinds is None else kinds[some])


def _deformations(outcome: Outcome) -> dict[str, Figure]:
    """What deformations were found, and how they compare with the true ones where those are known."""
    embedding, test = outcome.warped.embedding, outcome.test
    drawn = {"deformations": plots.columns(embedding.table)} if embedding.table else {}
    if test.maps is not None and test.ids is not None:
        found = relative(embedding.map, test.maps, test.ids, (test.x.shape[2], test.x.shape[3]))
        drawn["recovery"] = plots.recovered({f: (a.numpy(), b.numpy()) for f, (a, b) in found.items()})
    return drawn


def _walks(outcome: Outcome) -> dict[str, Figure]:
    """Traversals of content and of the deformation, and an interpolation."""
    model, x = outcome.warped.unwarper.model_, _held_out(outcome)
    content = traverse(model, x)
    ends, way = _interpolation(outcome, 9)
    values, shown = content.values.numpy()[:ROWS], content.x.numpy()[:ROWS]
    drawn = {"traversal": plots.traversal(content.labels[:ROWS], values, shown, "sd")}
    if x.ndim == 3 and model.warp.factors:
        drawn["deformation"] = _ways(model, _embedding(outcome.warped, outcome))
    elif walkable_columns(model.chart):
        moved = traverse_deformation(model, way.content[0])
        values, shown = moved.values.numpy()[:ROWS], moved.x.numpy()[:ROWS]
        drawn["deformation"] = plots.traversal(moved.labels[:ROWS], values, shown)
    drawn["interpolation"] = plots.interpolation(ends.numpy(), way.templates.numpy(), way.x_hat.numpy())
    return drawn


def _interpolation(outcome: Outcome, n: int) -> tuple[Tensor, Rendering]:
    """The way from the first example to the one at the median distance in content, and both as observed."""
    codes = outcome.warped.embedding.codes[rows := _examples(outcome.test.labels, len(outcome.test))]
    typical = np.linalg.norm(codes - codes[0], axis=1).argsort()[len(rows) // 2]
    ends = _held_out(outcome)[[rows[0], rows[typical]]]
    return ends, interpolate(outcome.warped.unwarper.model_, ends[0], ends[1], n)


def _arithmetic(outcome: Outcome) -> dict[str, Figure]:
    """What sets the two ends of one kind apart, added to others; nothing where there is one kind, or too few samples."""
    unwarper, labels = outcome.warped.unwarper, outcome.test.labels
    kinds = _clusters(unwarper, outcome.warped.embedding.codes) if labels is None else labels
    chosen = _analogy(outcome.warped.embedding.codes, kinds)
    if chosen is None:
        return {}
    plus, minus, to = chosen
    x, word = _held_out(outcome), "cluster " if labels is None else ""
    found = arithmetic(unwarper.model_, x[plus], x[minus], x[to])
    rows = [f"{word}{kinds[row]}\n{PLUS_MINUS} ends of {word}{kinds[plus[0]]}" for row in to]
    sets = (found.plus.templates.numpy(), found.minus.templates.numpy())
    before, after = found.to.templates.numpy(), found.result.templates.numpy()
    return {"arithmetic": plots.arithmetic(rows, before, *sets, after, found.result.x_hat.numpy())}


def _analogy(codes: Array, kinds: Array) -> tuple[Array, Array, Array] | None:
    """Rows to add, rows to take away and rows to change, of codes (N, D) of `kinds` (N,).

    The first two are the ends of the largest kind, a tenth of it each, along the direction in which its codes vary most; the
    last are the most typical samples of the next three kinds.
    """
    names, sizes = np.unique(kinds, return_counts=True)
    members = [np.flatnonzero(kinds == name) for name in names[np.argsort(-sizes, kind="stable")]]
    if len(members) < 2 or len(members[0]) < 2 * FEW:
        return None
    order, end = members[0][_principal(codes[members[0]]).argsort()], max(FEW, len(members[0]) // 10)
    return order[-end:], order[:end], np.array([rows[_typical(codes[rows])] for rows in members[1:4]])


def _samples(unwarper: Unwarper) -> dict[str, Figure]:
    """New samples: from the prior, where the family has one, and from a mixture fitted to the latents."""
    drawn: dict[str, Figure] = {}
    sources: tuple[LatentDensity, ...] = ("prior", "mixture") if unwarper.recipe_.generative else ("mixture",)
    for source in sources:
        made = np.asarray(unwarper.sample(DRAWN, source=source, random_state=0))
        drawn[source] = plots.samples(unwarper.schema_.scaler.apply(made), SHOWN if made.ndim == 4 else SHOWN // 2)
    return drawn


def _cluster_templates(unwarper: Unwarper) -> Array:
    """Templates of the cluster centres in the model's own range."""
    with torch.no_grad():
        return unwarper.model_.template(torch.from_numpy(unwarper.cluster_centers_)).numpy()
