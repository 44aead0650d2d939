"""Figures of a trained model on held-out samples: templates, interpolations, t-SNE of codes.

Which samples are shown, and where t-SNE starts, follows from the seed and the data set alone, so
that the pictures of two models of one data set compare.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from unwarp import plots
from unwarp.analysis.embedding import encode, tsne
from unwarp.analysis.interpolation import interpolate, interpolate_chunks
from unwarp.analysis.latents import Rendering
from unwarp.analysis.traversal import invertible_columns, traverse, traverse_deformation
from unwarp.core import Array
from unwarp.data.dataset import Dataset
from unwarp.datasets import dsprites
from unwarp.models import MixingAE, Model, Recipe

ACROSS = 12
POINTS = 2000
STEPS = 9
ROWS, MOST = 12, 8
DPI, NARROWEST = 110, 560
COLOURS, LARGEST = 128, 150_000


def draw(model: Model, recipe: Recipe, dataset: Dataset, seed: int = 0) -> dict[str, Figure]:
    """The pictures of a trained model by name: `templates`, `interpolation`, `tsne`.

    A model without chunks has `traversal`, too.

    Args:
        model: A trained model; it ends in eval mode on the CPU.
        recipe: What it was built from.
        dataset: Held-out observations with labels.
        seed: Which samples are shown.
    """
    x, names = dataset.x, class_names(dataset)
    parts = (
        {"interpolation": along_chunks(model, recipe, x, names, seed)}
        if isinstance(recipe, MixingAE)
        else {
            "interpolation": along_latents(model, x, names, seed),
            "traversal": along_dimensions(model, x, names, seed),
        }
    )
    space = latent_space(model, recipe, x, names)
    return {"templates": templates(model, x, names, seed), **parts, "tsne": space}


def save(figures: Mapping[str, Figure], folder: Path, cell: str) -> None:
    """Write each figure as `folder/<cell>-<name>.png`, a file of less than 150 kB."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        picture = rasterise(figure, DPI)
        if picture.width < NARROWEST:
            picture = rasterise(figure, DPI * NARROWEST / picture.width)
        (folder / f"{cell}-{name}.png").write_bytes(small(picture))


def rasterise(figure: Figure, dpi: float) -> Image.Image:
    """A figure as pixels, without the white around it."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi, bbox_inches="tight", pad_inches=0.06)
    return Image.open(drawn).convert("RGB")


def small(picture: Image.Image) -> bytes:
    """Write a figure as a PNG file with a palette; a noisy figure, too large for that, shrinks."""
    for share in (1.0, 0.75, 0.5):
        width, height = (round(share * side) for side in picture.size)
        written = io.BytesIO()
        shrunk = picture.resize((width, height)) if share < 1 else picture
        shrunk.quantize(COLOURS, dither=Image.Dither.NONE).save(
            written, format="png", optimize=True
        )
        if written.tell() < LARGEST:
            break
    return written.getvalue()


def class_names(dataset: Dataset) -> Array:
    """The class of each sample in words (N,)."""
    assert dataset.labels is not None, "pictures are of labelled samples"
    words = dict(enumerate(dsprites.SHAPES)) if dataset.factors == dsprites.FACTORS else {}
    return np.array([words.get(label, str(label)) for label in dataset.labels.tolist()])


@torch.no_grad()
def templates(model: Model, x: Tensor, names: Array, seed: int = 0) -> Figure:
    """Samples of every class above their templates (with a warp) and reconstructions."""
    rows: dict[str, Array] = {}
    blocks = examples(names, seed)
    for i, block in enumerate(blocks):
        drawn = Rendering.of(model, *encode(model, x[block]))
        shown = {"observed": x[block], "template": drawn.templates, "reconstructed": drawn.x_hat}
        if not model.warp.factors:
            del shown["template"]
        number = f" {i + 1}" if len(blocks) > 1 else ""
        rows |= {f"{name}{number}": pictures.numpy() for name, pictures in shown.items()}
    return plots.gallery(rows, captions={list(rows)[-1]: names[blocks[-1]].tolist()})


def examples(names: Array, seed: int = 0) -> list[Array]:
    """Rows to show, sorted by class: one to three samples of each, in one or two blocks."""
    order = np.random.default_rng(seed).permutation(len(names))
    each = [order[names[order] == name] for name in np.unique(names)]
    side = max(1, min(3, ACROSS // len(each)))
    return [
        np.concatenate([rows[i * side : (i + 1) * side] for rows in each])
        for i in range(2 if side == 1 else 1)
    ]


def ends(names: Array, seed: int = 0) -> list[int]:
    """The first example, and the first of another class half the classes away."""
    rows = examples(names, seed)[0]
    classes = np.unique(names)
    other = rows[names[rows] == classes[len(classes) // 2]]
    return [int(rows[0]), int(other[0])]


def along_chunks(model: Model, recipe: MixingAE, x: Tensor, names: Array, seed: int = 0) -> Figure:
    """Interpolations between two samples: chunk by chunk, deformation only, all at once."""
    a, b = x[ends(names, seed)]
    walk = interpolate_chunks(model, a, b, recipe.chunk_sizes, STEPS)
    both = interpolate(model, a, b, STEPS).x_hat
    shown = torch.cat([walk.x, both[None]]).numpy()
    return plots.chunks((*walk.labels, "all at once"), torch.stack([a, b]).numpy(), shown)


def along_latents(model: Model, x: Tensor, names: Array, seed: int = 0) -> Figure:
    """Interpolations between two samples: content only, deformation only, all at once."""
    a, b = x[ends(names, seed)]
    walk = interpolate_chunks(model, a, b, (model.n_content,), STEPS)
    both = interpolate(model, a, b, STEPS).x_hat
    shown = torch.cat([walk.x, both[None]]).numpy()
    labels = ("content", *walk.labels[1:], "all at once")
    return plots.chunks(labels, torch.stack([a, b]).numpy(), shown)


def along_dimensions(model: Model, x: Tensor, names: Array, seed: int = 0) -> Figure:
    """Traversals around one sample: its most informative content dimensions, then each factor."""
    index = ends(names, seed)[0]
    moved = (
        traverse_deformation(model, encode(model, x[index : index + 1])[0], STEPS)
        if invertible_columns(model.chart)
        else None
    )
    walk = traverse(model, x, index=index, n=STEPS)
    kept = min(len(walk.labels), MOST, ROWS - (len(moved.labels) if moved else 0))
    rows = dict(zip(walk.labels[:kept], walk.x.numpy(), strict=False))
    under = {
        walk.labels[kept - 1]: [
            f"{plots.format_number(value)} sd" for value in walk.values[0].tolist()
        ]
    }
    if moved:
        rows |= dict(zip(moved.labels, moved.x.numpy(), strict=True))
        words = [[plots.format_number(value) for value in row] for row in moved.values.tolist()]
        under |= dict(zip(moved.labels, words, strict=True))
    return plots.gallery(rows, captions=under)


def latent_space(model: Model, recipe: Recipe, x: Tensor, names: Array) -> Figure:
    """t-SNE of the content codes of the same samples for every model, coloured by class."""
    some = np.random.default_rng(0).permutation(len(x))[:POINTS]
    warp = f"{recipe.warp.name} warp" if recipe.warp.factors else "no warp"
    return plots.embeddings(
        {f"{recipe.family}, {warp}": tsne(encode(model, x[some])[0].numpy())}, names[some]
    )
