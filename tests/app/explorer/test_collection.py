"""The collection: what is computed once is what the estimator returns."""

from __future__ import annotations

import numpy as np
import pytest

from unwarp.app.explorer.collection import deformation_table, embed, empty_collection
from unwarp.app.explorer.exploration import Exploration
from unwarp.core import Array


@pytest.mark.parametrize("name", ["images", "mirrors", "series"])
def test_collection_is_that_of_the_estimator(
    name: str, explorations: dict[str, Exploration]
) -> None:
    """Codes, clusters, tables and errors of a collection."""
    collection = explorations[name].collection
    unwarper, samples = explorations[name].viewer.unwarper, collection.samples
    assert samples is not None
    np.testing.assert_allclose(collection.content, unwarper.transform(samples), atol=1e-5)
    np.testing.assert_array_equal(collection.cluster, unwarper.predict(samples))
    table = unwarper.transform_params(samples)
    np.testing.assert_allclose(collection.table, table, rtol=1e-3, atol=1e-3)
    assert collection.table.attrs["units"] == table.attrs["units"]
    theta = unwarper.transform_params(samples, full=True)
    np.testing.assert_allclose(collection.theta, theta, atol=1e-4)
    x_hat = unwarper.schema_.scaler.apply(np.asarray(unwarper.reconstruct(samples)))
    difference = x_hat.reshape(samples.shape) - samples.x.numpy()
    error = np.sqrt(np.nanmean(difference.reshape(len(samples), -1) ** 2, axis=1))
    np.testing.assert_allclose(collection.error, error, atol=2e-3)


def test_blocks_do_not_matter(images: Exploration, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples are embedded block by block, with a line of progress."""
    samples, lines = images.collection.samples, []
    assert samples is not None
    monkeypatch.setattr("unwarp.data.prepared.SAMPLES_PER_CHUNK", 7)
    monkeypatch.setattr("unwarp.app.explorer.collection.SECONDS_BETWEEN_MESSAGES", -1.0)
    collection = embed(images.viewer, samples, np.arange(30), on_message=lines.append)
    for part in ("content", "theta", "error", "cluster"):
        ours: Array = getattr(collection, part)
        np.testing.assert_allclose(ours, getattr(images.collection, part), atol=1e-5)
    assert len(collection.table) == 30 and list(collection.table.index) == list(range(30))
    assert lines[0] == "embedded 7 of 30 samples" and len(lines) == 5


def test_empty_collection_has_the_shape_of_codes(images: Exploration) -> None:
    """A model without data has sliders, and no sample."""
    collection = empty_collection(images.viewer)
    assert len(collection) == 0 and collection.content.shape == (0, 4)
    assert collection.theta.shape == (0, 6)


def test_tables_are_in_units_of_the_user(series: Exploration) -> None:
    """Lags are in seconds where the sampling rate is known."""
    viewer = series.viewer
    table = deformation_table(viewer, viewer.map_of(viewer.sliders.theta({})))
    assert table["lag_s"].abs().max() < 1e-3 and table["speed_max"][0] == pytest.approx(1, rel=0.05)
