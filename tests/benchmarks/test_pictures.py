"""Figures of the benchmarks: content, comparison between models, and file size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import pictures
from unwarp.analysis.embedding import encode
from unwarp.data.dataset import Dataset
from unwarp.datasets import dsprites
from unwarp.models import BetaVAE, MixingAE, Model, Net, Recipe
from unwarp.warps import Affine2d, Identity, Similarity2d, Warp

SMALL = Net("mlp", (16,), (16,))
X = torch.rand(60, 1, 12, 12, generator=torch.Generator().manual_seed(0))
DIGITS = Dataset(X, labels=np.arange(60) % 10)
TWO = Dataset(X, labels=np.arange(60) % 2)
NAMES = pictures.class_names(TWO)


def built(
    family: type[Recipe], warp: Warp, shape: tuple[int, ...] = (1, 12, 12)
) -> tuple[Model, Recipe]:
    recipe = family(warp=warp, n_content=5, net=SMALL)
    return recipe.build(shape).eval(), recipe


def rows(figure: object) -> list[str]:
    return [axis.get_ylabel().split("\n")[0] for axis in figure.axes]  # type: ignore[attr-defined]


def test_figures_of_mixing_ae() -> None:
    """Templates, interpolation and t-SNE are drawn for a mixing autoencoder."""
    drawn = pictures.draw(*built(MixingAE, Affine2d()), DIGITS)
    assert list(drawn) == ["templates", "interpolation", "tsne"]
    assert rows(drawn["templates"]) == [
        f"{name} {i}" for i in (1, 2) for name in ("observed", "template", "reconstructed")
    ]
    assert rows(drawn["interpolation"]) == [
        "observed",
        "chunk 1",
        "chunk 2",
        "chunk 3",
        "deformation",
        "all at once",
    ]
    assert sum(len(c.get_offsets()) for c in drawn["tsne"].axes[0].collections) == 60
    assert [text.get_text() for text in drawn["tsne"].legends[0].get_texts()] == [
        str(i) for i in range(10)
    ]


def test_single_chunk_ends_like_all() -> None:
    """With a single chunk its row ends like the row of all chunks at once."""
    recipe = MixingAE(warp=Identity(), n_content=5, chunks=1, net=SMALL)
    images = pictures.along_chunks(recipe.build((1, 12, 12)).eval(), recipe, X, NAMES).axes
    chunk, whole = ([image.get_array() for image in axis.images] for axis in images[-2:])
    np.testing.assert_allclose(np.stack(chunk), np.stack(whole), atol=1e-6)


def test_traversal_rows_are_sorted() -> None:
    """Dimensions are sorted by their information, and deformations have units."""
    model, _ = built(BetaVAE, Similarity2d())
    with torch.no_grad():
        q = model.encode(X)
    assert q.content_log_sd is not None
    sampling_rate = (
        q.content_mean.square() + (2 * q.content_log_sd).exp() - 1 - 2 * q.content_log_sd
    ).mean(0)
    order = [f"content {i}" for i in sampling_rate.argsort(descending=True)]
    deformations = ["rotation (deg)", "scale (factor)", "shift x (px)", "shift y (px)"]
    assert rows(pictures.along_dimensions(model, X, NAMES)) == order + deformations


def test_interpolations_lead_to_the_other() -> None:
    """Without chunks a path, too, leads from the reconstruction of a sample to that of another."""
    model, recipe = built(BetaVAE, Similarity2d())
    drawn = pictures.draw(model, recipe, DIGITS)
    assert list(drawn) == ["templates", "interpolation", "traversal", "tsne"]
    axes = drawn["interpolation"].axes
    assert rows(drawn["interpolation"]) == ["observed", "content", "deformation", "all at once"]
    path = [np.asarray(image.get_array()) for image in axes[-1].images]
    first, last = pictures.ends(pictures.class_names(DIGITS))
    with torch.no_grad():
        x_hat = model.reconstruct(model.embed(X[[first, last]]))[:, 0].numpy()
    np.testing.assert_allclose(path[0], x_hat[0], atol=1e-4)
    np.testing.assert_allclose(path[-1], x_hat[1], atol=1e-4)


def test_templates_need_a_warp() -> None:
    """Without a warp the figure shows samples and reconstructions only."""
    model, recipe = built(BetaVAE, Identity())
    drawn = pictures.draw(model, recipe, TWO)
    assert rows(drawn["templates"]) == ["observed", "reconstructed"]
    assert rows(drawn["interpolation"]) == ["observed", "content", "all at once"]
    assert all(name.startswith("content") for name in rows(drawn["traversal"]))
    assert len(drawn["templates"].axes[0].images) == 6


def test_models_show_the_same_samples() -> None:
    """Figures of two models of one data set show the same samples."""
    models = [built(family, Affine2d())[0] for family in (BetaVAE, MixingAE)]
    first, second = (pictures.templates(model, X, NAMES).axes[0] for model in models)
    for one, two in zip(first.images, second.images, strict=True):
        np.testing.assert_array_equal(one.get_array(), two.get_array())
    other = pictures.templates(models[0], X, NAMES, seed=1).axes[0]
    assert not np.array_equal(first.images[0].get_array(), other.images[0].get_array())


def test_examples_have_their_class() -> None:
    """Each example is below the name of its class."""
    model, _ = built(BetaVAE, Affine2d())
    figure = pictures.templates(model, X, NAMES)
    assert [tick.get_text() for tick in figure.axes[-1].get_xticklabels()] == ["0"] * 3 + ["1"] * 3
    labels = [
        TWO.labels[(X[:, 0].numpy() == image.get_array()).all((1, 2)).argmax()]
        for image in figure.axes[0].images
    ]  # type: ignore[index]
    assert labels == [0, 0, 0, 1, 1, 1]


def test_sprites_have_names() -> None:
    """Classes of sprites are shapes by name."""
    names = pictures.class_names(dsprites.load("test", 40))
    assert set(names) == {"square", "ellipse", "heart"}


@pytest.mark.parametrize("family", [BetaVAE, MixingAE])
def test_figures_are_small_and_whole(family: type[Recipe], tmp_path: Path) -> None:
    """Files are small and nothing is clipped at the edge of the page."""
    data = dsprites.load("test", 60)
    model, recipe = built(family, Affine2d(), data.shape)
    with torch.no_grad():
        for weight in model.decoder.parameters():
            weight.zero_()
    pictures.save(pictures.draw(model, recipe, data), tmp_path / "new", "cell-0")
    files = sorted((tmp_path / "new").iterdir())
    names = sorted(pictures.draw(model, recipe, data))
    assert {"interpolation", "templates", "tsne"} <= {*names}
    assert [file.name for file in files] == [f"cell-0-{name}.png" for name in names]
    for file in files:
        assert file.stat().st_size < 150_000
        page = np.asarray(Image.open(file).convert("RGB"))
        assert 500 <= page.shape[1] <= 1000
        assert min(edge.min() for edge in (page[:, 0], page[:, -1], page[0], page[-1])) > 240


def test_noise_file_is_small() -> None:
    """A figure of noise shrinks until its file is small."""
    noise = np.random.default_rng(0).integers(0, 256, (700, 800), np.uint8)
    written = pictures.small(Image.fromarray(noise).convert("RGB"))
    assert len(written) < 150_000
    assert Image.open(io.BytesIO(written)).size == (400, 350)


def test_map_shows_content() -> None:
    """The t-SNE map is of the content codes only."""
    model, recipe = built(BetaVAE, Affine2d())
    points = pictures.latent_space(model, recipe, X, NAMES).axes[0].collections
    order = np.random.default_rng(0).permutation(60)
    codes = encode(model, X[order])[0].numpy()
    found = np.concatenate([c.get_offsets() for c in points])
    expected = pictures.tsne(codes)
    expected = np.concatenate([expected[(order % 2) == label] for label in (0, 1)])
    np.testing.assert_allclose(found, expected, atol=1e-3)
