"""`Schema` prepares samples for a model and restores them without loss."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from unwarp import Dataset, core
from unwarp.data.opening import as_source
from unwarp.data.scaling import Scaler
from unwarp.data.schema import Prepared, Reading, Schema
from unwarp.errors import CheckpointError, DataError


def fit(X: Any, times: Any = None, **reading: Any) -> tuple[Schema, Dataset]:
    """The schema of `X` and its data set."""
    return Schema.fit(as_source(X, times), Reading(**reading))


def prepare(schema: Schema, X: Any, times: Any = None) -> Prepared:
    """Samples as a model takes them."""
    return schema.prepare(as_source(X, times))


BYTES = np.random.default_rng(0).integers(0, 256, (6, 12, 10)).astype(np.uint8)
IMAGES = Schema(core.IMAGES, (1, 12, 10), Scaler(factor=255.0))
FLAT = Schema(core.IMAGES, (1, 12, 10), Scaler(factor=255.0), (12, 10))
SERIES = Schema(core.SERIES, (2, 9), Scaler(-3.0, 2.0))
PICTURES, TRACES = prepare(IMAGES, BYTES[:, None]), prepare(SERIES, np.zeros((6, 2, 9)))


@pytest.mark.parametrize(
    "X", [BYTES[:, None], BYTES.reshape(6, -1), BYTES.reshape(6, -1).astype(np.float64)]
)
def test_samples_are_restored(X: Any) -> None:
    """Prepared samples come back in the user's units, shape and type."""
    schema, _ = fit(X, domain="image", image_shape=(12, 10))
    assert schema.shape == (1, 12, 10) and schema.n_features == 120
    samples = prepare(schema, X)
    assert samples.x.shape == (6, 1, 12, 10) and samples.x.min() >= 0 and samples.x.max() <= 1
    restored = samples.restore_shape(samples.x)
    assert restored.dtype == X.dtype and restored.shape == X.shape
    np.testing.assert_allclose(restored, X, atol=1e-4)


def test_data_set_keeps_its_facts() -> None:
    """The data set of a schema has the labels of the user's data set."""
    schema, data = fit(Dataset(torch.rand(4, 1, 9, 9), labels=np.arange(4)))
    assert (
        schema.domain is core.IMAGES
        and data.labels is not None
        and list(data.labels) == [0, 1, 2, 3]
    )


def test_other_channels_are_unscaled() -> None:
    """Other channels and masks are not scaled."""
    mask = BYTES[:, None] > 128
    torch.testing.assert_close(
        IMAGES.prepare_other(mask, PICTURES).x, torch.from_numpy(mask).float()
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: prepare(IMAGES, np.zeros((2, 1, 12, 11))),
            r"132 features, but Unwarper is expecting 120",
        ),
        (lambda: IMAGES.prepare_other(BYTES[:5, None], PICTURES), "give as many samples as X"),
        (
            lambda: IMAGES.prepare_other(np.zeros((6, 1, 12, 12)), PICTURES),
            "give as many samples as X",
        ),
        (
            lambda: IMAGES.prepare_other(np.full((6, 12, 10), np.nan), PICTURES),
            r"NaN at index \(0, 0, 0\) of other",
        ),
        (
            lambda: FLAT.prepare_other(
                [[1.0] * 120] * 5 + [[1.0]], prepare(FLAT, BYTES.reshape(6, -1))
            ),
            "other is ragged",
        ),
        (lambda: fit(BYTES[:1, None]), "at least 2"),
    ],
)
def test_other_shapes_are_refused(call: Any, message: str) -> None:
    """Samples of another shape, and other channels of another frame, are refused."""
    with pytest.raises(DataError, match=message):
        call()


@pytest.mark.parametrize("scale", ["auto", "channel", "each"])
def test_record_restores_the_schema(scale: Any) -> None:
    """A schema comes back from its record in JSON, and prepares the same numbers."""
    X = np.random.default_rng(0).normal(size=(4, 2, 9))
    schema, _ = fit(X, np.arange(9) / 4, domain="series", scale=scale)
    restored = Schema.of(json.loads(json.dumps(schema.record())), (2, 9), None)
    assert restored.record() == schema.record()
    torch.testing.assert_close(
        prepare(restored, X, np.arange(9.0)).x, prepare(schema, X, np.arange(9.0)).x
    )


@pytest.mark.parametrize("name", ["offset", "factor"])
@pytest.mark.parametrize(
    "value", [[[[1.0]]], [[[1.0], [1.0], [1.0]]], [1.0, 1.0], [[[1.0, 1.0]]], []]
)
def test_scale_shape_is_checked(name: str, value: Any) -> None:
    """A record with a scale that does not fit the samples is refused."""
    record = Schema(core.SERIES, (2, 9), Scaler(np.zeros((1, 2, 1)), np.ones((1, 2, 1)))).record()
    with pytest.raises(CheckpointError, match=rf"{name} has shape .* shape \(\) or \(1, 2, 1\)"):
        Schema.of(record | {name: value}, (2, 9), None)


def test_images_have_one_scale() -> None:
    """A record with a scale per channel is refused for images."""
    with pytest.raises(CheckpointError, match="factor has shape"):
        Schema.of(IMAGES.record() | {"factor": [[[2.0]]]}, (1, 12, 10), None)
