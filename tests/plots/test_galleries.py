"""Rows and grids draw every sample of their arrays, in its tile, with its name."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from unwarp import plots
from unwarp.core import Array, Factor

RANDOM = np.random.default_rng(0)
ROTATION = Factor("rotation_deg", "deg", -45.0, 45.0)
SCALE = Factor("scale_x", "factor", 0.6, 1.6)


def render(figure: Figure) -> Array:
    """Pixels (height, width, 4) of a figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def images_of(figure: Figure) -> list[Array]:
    """Images of a figure, row by row."""
    return [image.get_array() for axis in figure.axes for image in axis.images]


def captions_of(figure: Figure) -> list[list[str]]:
    """Captions under the samples of each row."""
    return [[tick.get_text() for tick in axis.get_xticklabels()] for axis in figure.axes]


def test_gallery_shows_every_sample() -> None:
    """Every sample is in its row, and every row has its name."""
    x = RANDOM.random((5, 1, 8, 8))
    figure = plots.gallery({"observed": x, "template": 1 - x}, "two rows")
    images = images_of(figure)
    assert len(images) == 10
    np.testing.assert_array_equal(images[0], x[0, 0])
    np.testing.assert_array_equal(images[5], 1 - x[0, 0])
    assert [axis.get_ylabel() for axis in figure.axes] == ["observed", "template"]
    assert render(figure).std() > 0


def test_gallery_tiles_do_not_overlap() -> None:
    """Tiles keep a distance and their aspect, and None leaves a place empty."""
    x = RANDOM.random((4, 1, 6, 12))
    axis = plots.gallery({"row": [x[0], None, x[1], x[2]]}).axes[0]
    boxes = [image.get_extent() for image in axis.images]
    assert all(left[1] < right[0] for left, right in pairwise(boxes))
    assert boxes[1][0] > 2
    assert all(box[3] - box[2] == 0.5 and box[1] - box[0] == 1 for box in boxes)
    assert axis.get_xlim()[1] == pytest.approx(boxes[-1][1])


def test_gallery_of_series_and_colour() -> None:
    """Series share a scale across samples and channels; three channels are an image in colour."""
    x = RANDOM.random((3, 2, 20)) * np.array([1.0, 2.0, 4.0])[:, None, None]
    lines = plots.gallery({"s": x}).axes[0].lines
    assert len(lines) == 6
    heights = [np.ptp(line.get_ydata()) for line in lines]
    np.testing.assert_allclose(
        np.array(heights) / heights[0], np.ptp(x, axis=2).ravel() / np.ptp(x[0, 0])
    )
    assert images_of(plots.gallery({"c": RANDOM.random((3, 3, 8, 8))}))[0].shape == (8, 8, 3)


def test_gallery_colours_channels() -> None:
    """Each channel of a series has its colour, the same in all samples."""
    lines = plots.gallery({"s": RANDOM.random((2, 3, 20))}).axes[0].lines
    assert [line.get_color() for line in lines[:3]] == [line.get_color() for line in lines[3:]]
    assert len({line.get_color() for line in lines}) == 3


def test_samples_fill_the_grid() -> None:
    """A grid shows all samples, row by row from the upper left."""
    x = RANDOM.random((7, 1, 8, 8))
    axis = plots.samples(x, 3).axes[0]
    assert len(axis.images) == 7
    places = [(image.get_extent()[0], -image.get_extent()[2]) for image in axis.images]
    assert places == sorted(places, key=lambda place: (place[1], place[0]))
    assert len({down for _, down in places}) == 3
    np.testing.assert_array_equal(axis.images[6].get_array(), x[6, 0])


def test_traversal_labels_are_not_clipped() -> None:
    """Long names of rows stay on the page."""
    labels = [f"content {i}\nKL {10 * i:.2f} nats" for i in range(12)]
    values = np.linspace(-2, 2, 9)[None].repeat(12, 0)
    figure = plots.traversal(labels, values, RANDOM.random((12, 9, 1, 8, 8)), "sd")
    page = render(figure)[..., :3]
    assert all((edge == 255).all() for edge in (page[:, 0], page[:, -1], page[0], page[-1]))


def test_traversal_captions() -> None:
    """Values that all rows share are written once with their unit, others under every row."""
    x, shared = RANDOM.random((2, 3, 1, 8, 8)), np.array([[-2.0, 0.0, 2.0]] * 2)
    figure = plots.traversal(("content 3", "content 0"), shared, x, "sd")
    assert captions_of(figure) == [[], [f"{plots.MINUS}2 sd", "0 sd", "2 sd"]]
    np.testing.assert_array_equal(images_of(figure)[3], x[1, 0, 0])
    values = np.array([[-45.0, 0, 45], [0.625, 1, 1.6]])
    figure = plots.traversal((ROTATION.label, SCALE.label), values, x)
    assert captions_of(figure) == [[f"{plots.MINUS}45", "0", "45"], ["0.625", "1", "1.6"]]
    names = [axis.get_ylabel() for axis in figure.axes]
    assert names == ["rotation (deg)", "scale x (factor)"]


def test_interpolation_shows_its_ends() -> None:
    """Observations are above the ends of the path."""
    ends, templates, x_hat = (RANDOM.random((n, 1, 8, 8)) for n in (2, 5, 5))
    figure = plots.interpolation(ends, templates, x_hat)
    observed = figure.axes[0].images
    assert [image.get_extent()[0] for image in observed] == [
        figure.axes[1].images[i].get_extent()[0] for i in (0, -1)
    ]
    np.testing.assert_array_equal(observed[1].get_array(), ends[1, 0])
    assert len(figure.axes[1].images) == len(figure.axes[2].images) == 5


def test_chunks_have_a_row_each() -> None:
    """Each chunk has a row, under the row of the two samples that the paths join."""
    ends, x = RANDOM.random((2, 1, 8, 8)), RANDOM.random((3, 4, 1, 8, 8))
    figure = plots.chunks(["chunk 1", "chunk 2", "deformation"], ends, x)
    names = [axis.get_ylabel() for axis in figure.axes]
    assert names == ["observed", "chunk 1", "chunk 2", "deformation"]
    images = images_of(figure)
    np.testing.assert_array_equal(images[:2], ends[:, 0])
    np.testing.assert_array_equal(images[2:], x[:, :, 0].reshape(12, 8, 8))
    expected = [["a", "", "", "b"], [], [], ["as a", "0.333", "0.667", "as b"]]
    assert captions_of(figure) == expected


def test_arithmetic_reads_as_an_equation() -> None:
    """A row shows the terms of the equation in their order, with signs below."""
    terms = [RANDOM.random((n, 1, 8, 8)) for n in (2, 1, 1, 2, 2)]
    figure = plots.arithmetic(["sample 6", "sample 9"], *terms)
    second = [image.get_array() for image in figure.axes[1].images]
    for image, term in zip(second, terms, strict=True):
        np.testing.assert_array_equal(image, term[-1, 0])
    captions = ["template", "+ plus", f"{plots.MINUS} minus", "= sum", "deformed"]
    assert captions_of(figure)[1] == captions
