"""Samples in other units than those of the training data are refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from unwarp.data.schema import Reading, Schema
from unwarp.data.source import Source
from unwarp.errors import DataError

BYTES = np.random.default_rng(0).integers(0, 256, (6, 12, 10)).astype(np.uint8)
UNIT = BYTES / 255


def fit(x: Any) -> Schema:
    """The schema of images or series (N, H, W)."""
    domain = "image" if np.ndim(x) == 3 else "series"
    return Schema.fit(Source(x, domain=domain), Reading())[0]


@pytest.mark.parametrize(
    ("learned", "new"),
    [
        (BYTES, UNIT),
        (BYTES, UNIT.astype(np.float32)),
        (BYTES, 2 * UNIT - 1),
        (BYTES, BYTES.astype(np.uint16) * 257),
        (UNIT, BYTES),
        (UNIT, 255 * UNIT),
        (BYTES > 127, BYTES),
        (np.uint8(BYTES > 127), BYTES),
        ((4000 * UNIT[:, 0]).astype(np.int16), UNIT[:, 0]),
    ],
)
def test_other_units_are_refused(learned: Any, new: Any) -> None:
    """Another type with another spread is refused with both ranges, also after a round trip."""
    schema = fit(learned)
    loaded = Schema.of(json.loads(json.dumps(schema.record())), schema.shape, None)
    for model in (schema, loaded):
        with pytest.raises(DataError, match=r"X is \w+ from .* was trained on \w+ from .*; give X"):
            model.prepare(Source(new))


@pytest.mark.parametrize(
    ("learned", "new"),
    [
        (BYTES, BYTES.astype(float)),
        (BYTES, BYTES // 30),
        (BYTES, BYTES * 0),
        (BYTES, np.zeros((2, 12, 10))),
        (255 * UNIT, UNIT),
        (UNIT, 3 * UNIT),
        (UNIT, np.uint8(BYTES > 127)),
        (UNIT[:, 0], 1000 * UNIT[:, 0]),
        (1e-3 * UNIT[:, 0], UNIT[:, 0].astype(np.float32)),
    ],
)
def test_same_units_are_accepted(learned: Any, new: Any) -> None:
    """Faint images, a cast of the same values and floats of any size among series are accepted."""
    assert len(fit(learned).prepare(Source(new))) == len(new)


def test_old_records_accept_all() -> None:
    """The record of an older model has no range, and such a model accepts any values."""
    schema = fit(BYTES)
    record = {name: value for name, value in schema.record().items() if name != "values"}
    assert len(Schema.of(record, schema.shape, None).prepare(Source(UNIT))) == 6
