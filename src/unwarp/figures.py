"""The figures of a run's report: which samples are shown, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from unwarp import plots
from unwarp.animation import moving
from unwarp.estimators import Source, Unwarper
from unwarp.metrics.recovery import relative
from unwarp.runs import Outcome
from unwarp.training import Row
from unwarp.traversals import Rendering, arithmetic, deform, interpolate, slidable, traverse

Array = NDArray[Any]
SHOWN = 14
POINTS = 1000
ROWS = 8
DRAWN = 28
FEW = 3
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
GAME = {
    "D(x), and D(G(z)) dashed": ("critic.real", "critic.fake"),
    "coverage of a batch": ("generator.coverage",),
    "error of inferred content": ("content",),
    "gradient norm of the critic": ("critic.gradient",),
    "gradient norm of the generator": ("generator.gradient",),
    "gradient norm of the inference": ("inference.gradient",),
}
"""What the history of a generative adversarial network says of the game, by the title of its panel."""


def draw(outcome: Outcome) -> dict[str, Figure]:
    """The figures of a report by name."""
    structured, identity = outcome.structured, outcome.identity
    histories = {"with warp": structured.unwarper.history_.rows, "without": identity.unwarper.history_.rows}
    return {
        "gallery": _gallery(outcome),
        "latent_space": _latent_space(outcome),
        "clusters": plots.gallery({"clusters": _cluster_templates(structured.unwarper)}),
        **_deformations(outcome),
        **_walks(outcome),
        **_arithmetic(outcome),
        **_samples(structured.unwarper),
        "training": game(histories) if adversarial(histories["with warp"]) else plots.curves(histories),
    }


def adversarial(rows: Sequence[Row]) -> bool:
    """Whether a history tells of a game between a critic and a generator."""
    return bool(rows) and "critic.real" in rows[0]


@plots.styled
def game(histories: Mapping[str, Sequence[Row]]) -> Figure:
    """How the games of several runs went over their seconds: a panel for each quantity, a colour for each run."""
    figure = Figure(figsize=(9.4, 4.4), dpi=130, layout="constrained")
    axes = figure.subplots(2, 3, sharex=True)
    for axis, (title, columns) in zip(axes.flat, GAME.items(), strict=True):
        for (name, rows), colour in zip(histories.items(), (plots.ACCENT, plots.OTHER), strict=True):
            for column, line in zip(columns, ("-", "--"), strict=False):
                points = [(row["seconds"], row[column]) for row in rows if column in row]
                label = name if line == "-" else None
                axis.plot(*zip(*points, strict=True), color=colour, linestyle=line, label=label, linewidth=0.9)
        axis.set(title=title, **({"yscale": "log"} if "norm" in title else {"ylim": (0, None)}))
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("seconds of training")
    axes[0, 0].axhline(0.5, color=plots.QUIET, linewidth=0.8, linestyle=":")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False)
    return figure


def moving_pictures(outcome: Outcome) -> dict[str, Array]:
    """Frames (F, height, width, 3) of what a report shows in motion, by name."""
    _, way = _interpolation(outcome, 21)
    shares = [f"{share:.2f}" for share in np.linspace(0, 1, 21)]
    tiles = {"template": way.templates.numpy(), "deformed": way.x_hat.numpy()}
    return {"moving": moving(tiles, dict.fromkeys(tiles, shares))}


def _gallery(outcome: Outcome) -> Figure:
    rows = _examples(outcome.test.labels, len(outcome.test))
    structured, identity = outcome.structured, outcome.identity
    return plots.gallery(
        {
            "observed": _held_out(outcome).numpy()[rows],
            "template": structured.embedding.templates[rows],
            "reconstructed": structured.embedding.x_hat[rows],
            "without warp": identity.embedding.x_hat[rows],
        }
    )


def _latent_space(outcome: Outcome) -> Figure:
    some = np.random.default_rng(0).permutation(len(outcome.test))[:POINTS]
    points = {
        "content code, with warp": tsne(outcome.structured.embedding.codes[some]),
        "code without warp, as many latents": tsne(outcome.identity.embedding.codes[some]),
    }
    return plots.maps(points, None if outcome.test.labels is None else outcome.test.labels[some])


def _deformations(outcome: Outcome) -> dict[str, Figure]:
    """What deformations were found, and how they compare with the true ones where those are known."""
    embedding, test = outcome.structured.embedding, outcome.test
    drawn = {"deformations": plots.columns(embedding.table)} if embedding.table else {}
    if test.maps is not None and test.ids is not None:
        found = relative(embedding.map, test.maps, test.ids, (test.x.shape[2], test.x.shape[3]))
        drawn["recovery"] = plots.recovered({f: (a.numpy(), b.numpy()) for f, (a, b) in found.items()})
    return drawn


def _walks(outcome: Outcome) -> dict[str, Figure]:
    """Traversals of content and of the deformation, and an interpolation."""
    model, x = outcome.structured.unwarper.model_, _held_out(outcome)
    content = traverse(model, x)
    ends, way = _interpolation(outcome, 9)
    values, shown = content.values.numpy()[:ROWS], content.x.numpy()[:ROWS]
    drawn = {"traversal": plots.traversal(content.labels[:ROWS], values, shown, "sd")}
    if slidable(model.chart):
        moved = deform(model, way.content[0])
        values, shown = moved.values.numpy()[:ROWS], moved.x.numpy()[:ROWS]
        drawn["deformation"] = plots.traversal(moved.labels[:ROWS], values, shown)
    drawn["interpolation"] = plots.interpolation(ends.numpy(), way.templates.numpy(), way.x_hat.numpy())
    return drawn


def _interpolation(outcome: Outcome, n: int) -> tuple[Tensor, Rendering]:
    """The way from the first example to the one at the median distance in content, and both as observed."""
    codes = outcome.structured.embedding.codes[rows := _examples(outcome.test.labels, len(outcome.test))]
    typical = np.linalg.norm(codes - codes[0], axis=1).argsort()[len(rows) // 2]
    ends = _held_out(outcome)[[rows[0], rows[typical]]]
    return ends, interpolate(outcome.structured.unwarper.model_, ends[0], ends[1], n)


def _arithmetic(outcome: Outcome) -> dict[str, Figure]:
    """What sets the two ends of one kind apart, added to others; nothing where there is one kind, or too few samples."""
    unwarper, labels = outcome.structured.unwarper, outcome.test.labels
    kinds = unwarper.predict(outcome.test.x.numpy()) if labels is None else labels
    chosen = _analogy(outcome.structured.embedding.codes, kinds)
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


def _principal(codes: Array) -> Array:
    """Where codes (N, D) lie along the direction in which they vary most, (N,)."""
    centred = codes - codes.mean(0)
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    return np.asarray(centred @ direction * np.sign(direction[np.abs(direction).argmax()]))


def _typical(codes: Array) -> int:
    """The row of `codes` (N, D) nearest their mean."""
    return int(np.linalg.norm(codes - codes.mean(0), axis=1).argmin())


def _samples(unwarper: Unwarper) -> dict[str, Figure]:
    """New samples: from the prior, where the family has one, and from a mixture fitted to the latents."""
    drawn: dict[str, Figure] = {}
    sources: tuple[Source, ...] = ("prior", "mixture") if unwarper.recipe_.generative else ("mixture",)
    for source in sources:
        made = np.asarray(unwarper.sample(DRAWN, source=source, random_state=0))
        drawn[source] = plots.samples(unwarper.schema_.scaler.apply(made), SHOWN)
    return drawn


def tsne(codes: Array, seed: int = 0) -> Array:
    """Two-dimensional t-SNE (van der Maaten and Hinton 2008) of codes (N, D), (N, 2)."""
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(codes) - 1) / 3)
    start = "pca" if codes.shape[1] > 1 else "random"
    return np.asarray(TSNE(perplexity=perplexity, init=start, random_state=seed).fit_transform(codes))


def _held_out(outcome: Outcome) -> Tensor:
    """The held-out samples as the model sees them."""
    return outcome.structured.unwarper.prepare(outcome.test.x.numpy())


def _cluster_templates(unwarper: Unwarper) -> Array:
    """Templates of the cluster centres in the model's own range."""
    with torch.no_grad():
        return unwarper.model_.template(torch.from_numpy(unwarper.cluster_centers_)).numpy()


def _examples(labels: Array | None, n: int) -> Array:
    """Rows to show: spread over the classes where they are known."""
    if labels is None:
        return np.linspace(0, n - 1, min(n, SHOWN)).astype(int)
    rows = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    turn = [mine[i] for i in range(SHOWN) for mine in rows if i < len(mine)]
    return np.sort(np.array(turn[:SHOWN]))
