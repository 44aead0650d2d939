"""Rows and grids of samples: every array that comes in is drawn, within its tile, and named."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from unwarp import plots
from unwarp.core import Factor

RANDOM = np.random.default_rng(0)
TURN = Factor("rotation_deg", "deg", -45.0, 45.0)
SIZE = Factor("scale_x", "factor", 0.6, 1.6)


def drawn(figure: Figure) -> np.ndarray:  # type: ignore[type-arg]
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def shown(figure: Figure) -> list[np.ndarray]:  # type: ignore[type-arg]
    """Pictures of a figure, row by row."""
    return [image.get_array() for axis in figure.axes for image in axis.images]


def test_a_gallery_shows_every_sample_in_its_row() -> None:
    x = RANDOM.random((5, 1, 8, 8))
    figure = plots.gallery({"observed": x, "template": 1 - x}, "two rows")
    images = shown(figure)
    assert len(images) == 10
    np.testing.assert_array_equal(images[0], x[0, 0])
    np.testing.assert_array_equal(images[5], 1 - x[0, 0])
    assert [axis.get_ylabel() for axis in figure.axes] == ["observed", "template"]
    assert drawn(figure).std() > 0


def test_tiles_do_not_overlap_and_a_free_place_stays_free() -> None:
    x = RANDOM.random((4, 1, 6, 12))
    axis = plots.gallery({"row": [x[0], None, x[1], x[2]]}).axes[0]
    boxes = [image.get_extent() for image in axis.images]
    assert all(left[1] < right[0] for left, right in pairwise(boxes))
    assert boxes[1][0] > 2
    assert all(box[3] - box[2] == 0.5 and box[1] - box[0] == 1 for box in boxes)
    assert axis.get_xlim()[1] == pytest.approx(boxes[-1][1])


def test_no_label_leaves_the_page() -> None:
    labels = [f"content {i}\nKL {10 * i:.2f} nats" for i in range(12)]
    figure = plots.traversal(
        labels, np.linspace(-2, 2, 9)[None].repeat(12, 0), RANDOM.random((12, 9, 1, 8, 8)), "sd"
    )
    page = drawn(figure)[..., :3]
    assert all((edge == 255).all() for edge in (page[:, 0], page[:, -1], page[0], page[-1]))


def test_series_and_colour_have_a_gallery_too() -> None:
    x = RANDOM.random((3, 2, 20)) * np.array([1.0, 2.0, 4.0])[:, None, None]
    lines = plots.gallery({"s": x}).axes[0].lines
    assert len(lines) == 6
    heights = [np.ptp(line.get_ydata()) for line in lines]
    np.testing.assert_allclose(
        np.array(heights) / heights[0], np.ptp(x, axis=2).ravel() / np.ptp(x[0, 0])
    )
    assert shown(plots.gallery({"c": RANDOM.random((3, 3, 8, 8))}))[0].shape == (8, 8, 3)


def test_a_grid_shows_all_samples_from_the_upper_left() -> None:
    x = RANDOM.random((7, 1, 8, 8))
    axis = plots.samples(x, 3).axes[0]
    assert len(axis.images) == 7
    places = [(image.get_extent()[0], -image.get_extent()[2]) for image in axis.images]
    assert places == sorted(places, key=lambda place: (place[1], place[0]))
    assert len({down for _, down in places}) == 3
    np.testing.assert_array_equal(axis.images[6].get_array(), x[6, 0])


def test_a_traversal_says_where_each_row_stands() -> None:
    x, shared = RANDOM.random((2, 3, 1, 8, 8)), np.array([[-2.0, 0.0, 2.0]] * 2)
    once = plots.traversal(("content 3", "content 0"), shared, x, "sd")
    words = [[tick.get_text() for tick in axis.get_xticklabels()] for axis in once.axes]
    assert words == [[], [f"{plots.MINUS}2 sd", "0 sd", "2 sd"]]
    np.testing.assert_array_equal(shown(once)[3], x[1, 0, 0])
    each = plots.traversal((TURN.label, SIZE.label), np.array([[-45.0, 0, 45], [0.625, 1, 1.6]]), x)
    words = [[tick.get_text() for tick in axis.get_xticklabels()] for axis in each.axes]
    assert words == [[f"{plots.MINUS}45", "0", "45"], ["0.625", "1", "1.6"]]
    assert [axis.get_ylabel() for axis in each.axes] == ["rotation (deg)", "scale x (factor)"]


def test_an_interpolation_shows_what_was_observed_at_its_ends() -> None:
    ends, templates, x_hat = (RANDOM.random((n, 1, 8, 8)) for n in (2, 5, 5))
    figure = plots.interpolation(ends, templates, x_hat)
    observed = figure.axes[0].images
    assert [image.get_extent()[0] for image in observed] == [
        figure.axes[1].images[i].get_extent()[0] for i in (0, -1)
    ]
    np.testing.assert_array_equal(observed[1].get_array(), ends[1, 0])
    assert len(figure.axes[1].images) == len(figure.axes[2].images) == 5


def test_chunks_have_a_row_each_between_the_samples_they_come_from() -> None:
    ends, x = RANDOM.random((2, 1, 8, 8)), RANDOM.random((3, 4, 1, 8, 8))
    figure = plots.chunks(["chunk 1", "chunk 2", "deformation"], ends, x)
    assert [axis.get_ylabel() for axis in figure.axes] == [
        "observed",
        "chunk 1",
        "chunk 2",
        "deformation",
    ]
    images = shown(figure)
    np.testing.assert_array_equal(images[:2], ends[:, 0])
    np.testing.assert_array_equal(images[2:], x[:, :, 0].reshape(12, 8, 8))
    words = [[tick.get_text() for tick in axis.get_xticklabels()] for axis in figure.axes]
    assert words == [["a", "", "", "b"], [], [], ["as a", "0.333", "0.667", "as b"]]


def test_arithmetic_reads_as_an_equation() -> None:
    parts = [RANDOM.random((n, 1, 8, 8)) for n in (2, 1, 1, 2, 2)]
    figure = plots.arithmetic(["sample 6", "sample 9"], *parts)
    second = [image.get_array() for image in figure.axes[1].images]
    for image, part in zip(second, parts, strict=True):
        np.testing.assert_array_equal(image, part[-1, 0])
    words = [tick.get_text() for tick in figure.axes[1].get_xticklabels()]
    assert words == ["template", "+ plus", f"{plots.MINUS} minus", "= sum", "deformed"]


def test_few_series_get_more_room_than_many() -> None:
    few, many = (plots.gallery({"s": RANDOM.random((n, 1, 20))}) for n in (5, 14))
    assert few.get_figwidth() / 5 > 1.5 * many.get_figwidth() / 14
    assert plots.ratio(RANDOM.random((1, 20))) < 1


def test_channels_of_a_series_have_a_colour_each() -> None:
    lines = plots.gallery({"s": RANDOM.random((2, 3, 20))}).axes[0].lines
    assert [line.get_color() for line in lines[:3]] == [line.get_color() for line in lines[3:]]
    assert len({line.get_color() for line in lines}) == 3
