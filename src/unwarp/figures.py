"""The figures of a run's report: which samples are shown, and how."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_argmin
from torch import Tensor

from unwarp import plots
from unwarp.animation import moving
from unwarp.estimators import Source, Unwarper
from unwarp.evaluation import Embedding, embed, undone
from unwarp.metrics.recovery import relative
from unwarp.models import Model
from unwarp.models.latent import Latent
from unwarp.plots.timelines import largest
from unwarp.runs import Outcome, Trial
from unwarp.training import Row
from unwarp.traversals import Rendering, arithmetic, deform, interpolate, slidable, traverse
from unwarp.warps import Window, filled

Array = NDArray[Any]
SHOWN = 14
POINTS = 1000
ROWS = 8
DRAWN = 28
FEW = 3
ENOUGH = 30
AVERAGED = 10
LENGTH = 300
CELLS = 64
CLUSTERS = 6
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
    pictures = outcome.test.x.ndim == 4
    return {
        "gallery": _gallery(outcome),
        "latent_space": _latent_space(outcome),
        **(_of_pictures(outcome) if pictures else _of_series(outcome)),
        **_walks(outcome),
        **_samples(structured.unwarper),
        "training": game(histories) if adversarial(histories["with warp"]) else plots.curves(histories),
    }


def _of_pictures(outcome: Outcome) -> dict[str, Figure]:
    """What pictures alone are shown by."""
    clusters = plots.gallery({"clusters": _cluster_templates(outcome.structured.unwarper)})
    return {"clusters": clusters, **_deformations(outcome), **_arithmetic(outcome)}


def _of_series(outcome: Outcome) -> dict[str, Figure]:
    """What series alone are shown by: clusters raw and aligned, warps over time, averages by other methods."""
    unwarper, found = outcome.structured.unwarper, _embedding(outcome.structured, outcome)
    x, undo, rate = _shown(outcome), unwarper.schema_.scaler.undo, clock_rate(unwarper.model_)
    aligned = undone(x, found.map, unwarper.model_.padding).numpy()
    clusters, templates = _clusters(unwarper, found.codes), unwarper.cluster_templates_
    drawn = {"alignment": plots.series(undo(x.numpy()), undo(aligned), templates, clusters, rate=rate, most=CLUSTERS)}
    if found.table:
        gamma = found.map.pull(Window.frame((CELLS + 1,)).lattice(x))[..., 0].numpy()
        names = np.array([f"cluster {name}" for name in clusters])
        drawn["warps"] = plots.warps(gamma, x.shape[2], rate=rate, labels=names)
        drawn["deformations"] = plots.columns(found.table, bounds=False)
    return drawn | _averages(unwarper, x.numpy(), found, clusters)


def held_out_alone(outcome: Outcome) -> bool:
    """Whether there are enough held-out samples to show; else all samples are."""
    return len(outcome.test) >= ENOUGH or outcome.training.draw is not None


def _shown(outcome: Outcome) -> Tensor:
    """The samples that are shown as a crowd, as the model sees them: the held-out ones, or all where those are few."""
    x = outcome.test.x if held_out_alone(outcome) else torch.cat([outcome.training.x, outcome.test.x])
    return outcome.structured.unwarper.prepare(x.numpy())


def _embedding(trial: Trial, outcome: Outcome) -> Embedding:
    """What a model says of the samples that are shown as a crowd."""
    return trial.embedding if held_out_alone(outcome) else embed(trial.unwarper.model_, _shown(outcome))


def _kinds(outcome: Outcome) -> Array | None:
    """Classes of the samples that are shown as a crowd, where known."""
    training, test = outcome.training.labels, outcome.test.labels
    if test is None or held_out_alone(outcome) or training is None:
        return test
    return np.concatenate([training, test])


def _clusters(unwarper: Unwarper, codes: Array) -> Array:
    """The nearest of the cluster centres to each code (N, D)."""
    return np.asarray(pairwise_distances_argmin(codes, unwarper.cluster_centers_))


def clock_rate(model: Model) -> float | None:
    """Samples a second, where the warp of a model of series knows them."""
    rates = (getattr(part, "rate", None) for part in model.warp.parts)
    return next((float(rate) for rate in rates if rate is not None), None)


def _averages(unwarper: Unwarper, x: Array, embedding: Embedding, clusters: Array) -> dict[str, Figure]:
    """Templates of the largest clusters beside DBA (Petitjean et al. 2011) and soft-DTW barycenters (Cuturi and Blondel 2017).

    Nothing without `tslearn`, which has both; it knows no gaps, so that averages are taken over series with gaps filled. A few series of each cluster, thinned to at most `LENGTH` samples, and the
    first channel alone. Templates are moved by the mean warp of their series, as barycenters stand where these do.
    """
    if find_spec("tslearn") is None:
        return {}
    step = -(-x.shape[2] // LENGTH)
    names = largest(clusters, 4)
    members = [np.flatnonzero(clusters == name) for name in names]
    some = [mine[np.linspace(0, len(mine) - 1, min(len(mine), AVERAGED)).astype(int)] for mine in members]
    groups = [x[rows, 0, ::step] for rows in some]
    theta = torch.from_numpy(np.stack([embedding.theta[rows].mean(0) for rows in some]))
    centres = torch.from_numpy(unwarper.cluster_centers_[names])
    with torch.no_grad():
        moved = unwarper.model_.render(Latent(centres, unwarper.model_.chart.map(theta))).numpy()
    whole = [filled(torch.from_numpy(group)).numpy() for group in groups]
    curves = {
        "template": moved[:, 0, ::step],
        **_barycenters(whole),
        "mean": np.stack([group.mean(0) for group in whole]),
    }
    rate = clock_rate(unwarper.model_)
    titles = [f"cluster {name}" for name in names]
    return {"averages": plots.averages(dict(zip(titles, groups, strict=True)), curves, rate=rate, step=step)}


def _barycenters(groups: Sequence[Array]) -> dict[str, Array]:
    """DBA and soft-DTW barycenters (K, T) of K groups of series (N_k, T), by method."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = import_module("tslearn.barycenters")
        dba = [found.dtw_barycenter_averaging(group[..., None], max_iter=10) for group in groups]
        soft = [found.softdtw_barycenter(group[..., None], gamma=1.0, max_iter=15) for group in groups]
    return {name: np.stack(curves)[..., 0] for name, curves in (("DBA", dba), ("soft-DTW", soft))}


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
    x, structured, identity = _held_out(outcome), outcome.structured, outcome.identity
    rows = _examples(outcome.test.labels, len(outcome.test), SHOWN if x.ndim == 4 else SHOWN // 2)
    aligned = undone(x, structured.embedding.map, structured.unwarper.model_.padding) if x.ndim == 3 else None
    return plots.gallery(
        {
            "observed": x.numpy()[rows],
            **({} if aligned is None else {"aligned": aligned.numpy()[rows]}),
            "template": structured.embedding.templates[rows],
            "reconstructed": structured.embedding.x_hat[rows],
            "without warp": identity.embedding.x_hat[rows],
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
    if x.ndim == 3 and model.warp.factors:
        drawn["deformation"] = _ways(model, _embedding(outcome.structured, outcome))
    elif slidable(model.chart):
        moved = deform(model, way.content[0])
        values, shown = moved.values.numpy()[:ROWS], moved.x.numpy()[:ROWS]
        drawn["deformation"] = plots.traversal(moved.labels[:ROWS], values, shown)
    drawn["interpolation"] = plots.interpolation(ends.numpy(), way.templates.numpy(), way.x_hat.numpy())
    return drawn


def _ways(model: Model, found: Embedding, n: int = 9) -> Figure:
    """The most typical sample under the deformations that were found, along the directions in which these vary most.

    Single columns of a warp of time mean nothing to people; principal components of all of them, over their half-ranges,
    do.
    """
    half = np.array([factor.half_range for factor in model.chart.factors])
    theta = found.theta / half
    _, sizes, directions = np.linalg.svd(theta - theta.mean(0), full_matrices=False)
    shares = np.square(sizes) / max(float(np.square(sizes).sum()), 1e-12)
    steps, kept = np.linspace(-2, 2, n), range(max(1, int((shares[:FEW] > 0.01).sum())))
    spread = [directions[i] * sizes[i] / len(theta) ** 0.5 for i in kept]
    moved = np.concatenate([(theta.mean(0) + steps[:, None] * way) * half for way in spread])
    content = torch.from_numpy(found.codes[[_typical(found.codes)] * len(moved)])
    with torch.no_grad():
        x = model.render(Latent(content, model.chart.map(torch.from_numpy(moved).to(content)))).numpy()
    labels = [f"direction {i + 1}\n{shares[i]:.0%}" for i in kept]
    return plots.traversal(labels, np.tile(steps, (len(labels), 1)), x.reshape(len(labels), n, *x.shape[1:]), "sd")


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
        drawn[source] = plots.samples(unwarper.schema_.scaler.apply(made), SHOWN if made.ndim == 4 else SHOWN // 2)
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


def _examples(labels: Array | None, n: int, most: int = SHOWN) -> Array:
    """At most `most` rows to show: spread over the classes where they are known."""
    if labels is None:
        return np.linspace(0, n - 1, min(n, most)).astype(int)
    rows = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    turn = [mine[i] for i in range(most) for mine in rows if i < len(mine)]
    return np.sort(np.array(turn[:most]))
