"""What samples a model takes: prepared and given back without loss, points led into the frame and back."""

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
from unwarp.errors import CheckpointError, ConfigError, DataError


def fit(X: Any, times: Any = None, **reading: Any) -> tuple[Schema, Dataset]:
    """What the samples of `X` are, and a data set of them."""
    return Schema.fit(as_source(X, times), Reading(**reading))


def prepare(schema: Schema, X: Any, times: Any = None) -> Prepared:
    """Samples as a model sees them."""
    return schema.prepare(as_source(X, times))


BYTES = np.random.default_rng(0).integers(0, 256, (6, 12, 10)).astype(np.uint8)
IMAGES = Schema(core.IMAGES, (1, 12, 10), Scaler(factor=255.0))
FLAT = Schema(core.IMAGES, (1, 12, 10), Scaler(factor=255.0), (12, 10))
SERIES = Schema(core.SERIES, (2, 9), Scaler(-3.0, 2.0))
PICTURES, TRACES = prepare(IMAGES, BYTES[:, None]), prepare(SERIES, np.zeros((6, 2, 9)))


@pytest.mark.parametrize(
    "X", [BYTES[:, None], BYTES.reshape(6, -1), BYTES.reshape(6, -1).astype(np.float64)]
)
def test_what_is_prepared_is_given_back_as_it_came(X: Any) -> None:
    _, schema = fit(X, domain="image", image_shape=(12, 10))[::-1]
    assert schema.shape == (1, 12, 10) and schema.n_features == 120
    taken = prepare(schema, X)
    assert taken.x.shape == (6, 1, 12, 10) and taken.x.min() >= 0 and taken.x.max() <= 1
    back = taken.restore_shape(taken.x)
    assert back.dtype == X.dtype and back.shape == X.shape
    np.testing.assert_allclose(back, X, atol=1e-4)


def test_a_data_set_keeps_what_else_it_holds() -> None:
    data, schema = fit(Dataset(torch.rand(4, 1, 9, 9), labels=np.arange(4)))[::-1]
    assert (
        schema.domain is core.IMAGES
        and data.labels is not None
        and list(data.labels) == [0, 1, 2, 3]
    )


def test_other_channels_keep_their_values() -> None:
    mask = BYTES[:, None] > 128
    torch.testing.assert_close(
        IMAGES.prepare_other(mask, PICTURES).x, torch.from_numpy(mask).float()
    )


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (
            lambda: prepare(IMAGES, np.zeros((2, 1, 12, 11))),
            r"132 features, but Unwarper is expecting 120",
        ),
        (lambda: IMAGES.prepare_other(BYTES[:5, None], PICTURES), "samples and frame must agree"),
        (
            lambda: IMAGES.prepare_other(np.zeros((6, 1, 12, 12)), PICTURES),
            "samples and frame must agree",
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
def test_what_does_not_fit_is_refused(ask: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        ask()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="choose one of auto, image, series"):
        fit(BYTES, domain="picture")


@pytest.mark.parametrize(
    "sampling_rate", ["a", "250", [5.0], np.array([5.0, 6.0]), 0, -1.0, np.inf, np.nan]
)
def test_a_rate_that_is_no_positive_number_is_refused(sampling_rate: Any) -> None:
    with pytest.raises(ConfigError, match="must be positive samples a second"):
        fit(np.random.default_rng(0).normal(size=(4, 9)), sampling_rate=sampling_rate)


@pytest.mark.parametrize("sampling_rate", [250, 250.0, np.float32(250), np.int64(250)])
def test_a_rate_is_any_positive_number(sampling_rate: Any) -> None:
    schema, _ = fit(np.random.default_rng(0).normal(size=(4, 9)), sampling_rate=sampling_rate)
    assert schema.times[-1] == 8 / 250


@pytest.mark.parametrize("scale", ["auto", "channel", "each"])
def test_what_is_recorded_comes_back(scale: Any) -> None:
    X = np.random.default_rng(0).normal(size=(4, 2, 9))
    schema, _ = fit(X, np.arange(9) / 4, domain="series", scale=scale)
    found = Schema.of(json.loads(json.dumps(schema.record())), (2, 9), None)
    assert found.record() == schema.record()
    torch.testing.assert_close(
        prepare(found, X, np.arange(9.0)).x, prepare(schema, X, np.arange(9.0)).x
    )


@pytest.mark.parametrize("name", ["offset", "factor"])
@pytest.mark.parametrize(
    "value", [[[[1.0]]], [[[1.0], [1.0], [1.0]]], [1.0, 1.0], [[[1.0, 1.0]]], []]
)
def test_a_scale_of_another_shape_is_damage(name: str, value: Any) -> None:
    record = Schema(core.SERIES, (2, 9), Scaler(np.zeros((1, 2, 1)), np.ones((1, 2, 1)))).record()
    with pytest.raises(CheckpointError, match=rf"{name} has shape .* have \(\) or \(1, 2, 1\)"):
        Schema.of(record | {name: value}, (2, 9), None)


def test_pictures_have_one_scale() -> None:
    with pytest.raises(CheckpointError, match="factor has shape"):
        Schema.of(IMAGES.record() | {"factor": [[[2.0]]]}, (1, 12, 10), None)
