"""`Schema` prepares samples for a model and restores them without loss."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from unwarp import Dataset, core
from unwarp.data.form import Form
from unwarp.data.opening import as_source
from unwarp.data.scaling import Scaler
from unwarp.data.schema import Prepared, Reading, Schema
from unwarp.data.source import Source
from unwarp.errors import CheckpointError, DataError, DataWarning


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


@pytest.mark.parametrize("scale", ["auto", "channel", "each", "level"])
def test_record_restores_the_schema(scale: Any) -> None:
    """A schema comes back from its record in JSON, and prepares the same numbers."""
    X = np.random.default_rng(0).normal(size=(4, 2, 9))
    schema, _ = fit(X, np.arange(9) / 4, domain="series", scale=scale)
    restored = Schema.of(json.loads(json.dumps(schema.record())), (2, 9), None)
    assert restored.record() == schema.record()
    times = np.arange(9.0) / 4
    torch.testing.assert_close(prepare(restored, X, times).x, prepare(schema, X, times).x)


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


WAVES = np.sin(np.linspace(0, 6, 24) + np.arange(5)[:, None])


def digits(X: Any, times: Any = None, **reading: Any) -> np.ndarray:
    """Scaled samples (N, T) of series of one channel."""
    return fit(X, times, **reading)[1].x[:, 0].numpy()


@pytest.mark.parametrize("scale", ["auto", "channel", "each", "level"])
@pytest.mark.parametrize(("offset", "factor"), [(101325.0, 0.02), (1e7, 1e-3), (-1e9, 1.0)])
@pytest.mark.parametrize("form", ["array", "list", "times", "gaps", "objects"])
def test_offsets_cost_no_digits(offset: float, factor: float, scale: Any, form: str) -> None:
    """A large offset changes no scaled number, and `restore_shape` gives all digits back."""

    def shaped(x: np.ndarray) -> tuple[Any, Any]:
        if form == "list":
            return [row[: 24 - (i % 2)] for i, row in enumerate(x)], None
        if form == "gaps":
            return np.where(np.arange(24) == 5, np.nan, x), None
        times = np.arange(24.0) if form == "times" else None
        return (x.astype(object) if form == "objects" else x), times

    def restored(X: Any, times: Any) -> tuple[np.ndarray, np.ndarray]:
        schema, data = fit(X, times, scale=scale, domain="series", missing=missing)
        samples = schema.prepare(as_source(X, times), missing)
        rows = [np.asarray(row, float) for row in samples.restore_times(samples.x)]
        return data.x.numpy(), np.concatenate(rows)

    missing: Any = "interpolate" if form == "gaps" else "error"
    scaled, values = restored(*shaped(offset + factor * WAVES))
    plain, waves = restored(*shaped(WAVES))
    rounding = 2e-16 * abs(offset) / factor
    np.testing.assert_allclose(scaled, plain, rtol=0, atol=2e-6 + 4 * rounding)
    np.testing.assert_allclose((values - offset) / factor, waves, rtol=0, atol=2e-6 + 4 * rounding)


@pytest.mark.parametrize("offset", [0, 2**31 - 2**20, 2**40, 2**62, -(2**62)])
def test_large_integers_keep_their_digits(offset: int) -> None:
    """Integers of 64 bits are scaled and restored to the last digit."""
    X = np.rint(1000 * WAVES).astype(np.int64) + offset
    schema, data = fit(X)
    step = data.x[:, 0].double().numpy() * schema.scaler.factor
    exact = X - X[0, 0]
    np.testing.assert_allclose(step - step[0, 0], exact, atol=1e-3)
    samples = prepare(schema, X)
    np.testing.assert_array_equal(samples.restore_shape(samples.x), X)


def test_float32_numbers_are_as_before() -> None:
    """Numbers that float32 represents are scaled alike in float32 and in float64."""
    X = WAVES.astype(np.float32)
    for wide in (X.astype(np.float64), X.astype(np.longdouble)):
        np.testing.assert_array_equal(digits(wide), digits(X))


def test_other_channels_keep_their_digits() -> None:
    """Further channels with a large offset come back with all digits, gaps included."""
    other = 101325 + 0.02 * np.sin(np.arange(54.0)).reshape(6, 9)
    samples = SERIES.prepare_other(other, TRACES)
    np.testing.assert_allclose(samples.restore_shape(samples.x), other, rtol=0, atol=1e-8)


RAGGED = [np.sin(np.arange(n) / 5.0) for n in (30, 25, 28, 30, 27)]


def test_two_samples_are_the_least() -> None:
    """Two samples can be learned from, one cannot, and the message says how many there are."""
    assert fit(BYTES[:2, None])[0].shape == (1, 12, 10)
    with pytest.raises(DataError, match=r"X holds 1 sample \(n_samples=1\); learning needs"):
        fit(WAVES[:1])


def test_schema_describes_its_samples() -> None:
    """Features are counted over all axes, and times are those of the clock."""
    schema, data = fit(np.zeros((4, 2, 9)) + np.arange(9.0), sampling_rate=4.0, domain="series")
    assert (schema.shape, schema.n_features, data.shape) == ((2, 9), 18, (2, 9))
    np.testing.assert_allclose(schema.times, np.arange(9) / 4)
    assert schema.with_sampling_rate(7.0).clock.sampling_rate == 4.0
    plain = fit(WAVES)[0]
    np.testing.assert_allclose(plain.times, np.arange(24))
    assert plain.with_sampling_rate(7.0).clock.sampling_rate == 7.0
    assert plain.with_sampling_rate(None).clock.sampling_rate is None
    assert not plain.has_time_stamps and fit(WAVES, np.arange(24.0))[0].has_time_stamps


def test_time_stamps_stay_required() -> None:
    """A model of series with time stamps refuses series without them, in one line."""
    schema, _ = fit(WAVES, np.arange(24.0) / 2)
    np.testing.assert_allclose(schema.times, np.arange(24) / 2)
    with pytest.raises(DataError, match=r"^times=None, but the model was trained on series with"):
        prepare(schema, WAVES)
    assert prepare(schema, WAVES, np.arange(24.0) / 2).x.shape == (5, 1, 24)


def test_other_clocks_are_refused() -> None:
    """A model without time stamps takes times that agree with its even steps, and no others."""
    steps, (counted, _) = np.arange(24.0), fit(WAVES)
    schema, even = fit(WAVES, sampling_rate=50.0)[0], steps / 50
    for model, times in ((counted, steps / 3), (schema, even + 7), (schema, [even] * 5)):
        assert prepare(model, WAVES, times).x.shape == (5, 1, 24)
    for times in (steps / 25, [even] * 4 + [steps / 25]):
        with pytest.raises(DataError, match=r"steps of 0\.04, and those of the model are 0\.02 s"):
            prepare(schema, WAVES, times)
    with pytest.raises(DataError, match="of sample 0 of X are uneven, from 1 to 45 a step"):
        prepare(counted, WAVES, steps**2)


def test_lengths_are_free_if_they_were() -> None:
    """A model of series of unequal lengths takes any length, one of equal lengths only its own."""
    schema, data = fit(RAGGED)
    assert data.shape == schema.shape == (1, 30)
    for X in (RAGGED[:2], [np.arange(7.0), np.arange(30.0)], np.zeros((2, 11)) + np.arange(11)):
        assert prepare(schema, X).x.shape == (2, 1, 30)
    equal, _ = fit(WAVES)
    padded = np.concatenate([WAVES, np.full((5, 3), np.nan)], 1)
    torch.testing.assert_close(prepare(equal, padded).x, prepare(equal, WAVES).x)
    with pytest.raises(DataError, match="X has 23 features, but Unwarper is expecting 24"):
        prepare(equal, WAVES[:, 1:])


def test_other_values_follow_their_series() -> None:
    """Further channels of series of unequal lengths stand where the samples stand."""
    schema, _ = fit(RAGGED)
    samples = prepare(schema, RAGGED)
    other = schema.prepare_other([np.stack([row, -row]) for row in RAGGED], samples)
    assert other.x.shape == (5, 2, 30)
    torch.testing.assert_close(other.x[:, 0], -other.x[:, 1], equal_nan=True)
    scaled = torch.from_numpy(samples.scaler.apply(other.x[:, :1].numpy()))
    torch.testing.assert_close(scaled, samples.x, atol=1e-5, rtol=0, equal_nan=True)
    with pytest.raises(DataError, match="other"):
        schema.prepare_other(RAGGED[:4], samples)
    with pytest.raises(DataError, match="give as many samples as X, of the same length"):
        SERIES.prepare_other(np.zeros((5, 1, 9)), TRACES)
    with pytest.raises(DataError, match="give as many samples as X, of the same length"):
        SERIES.prepare_other(np.zeros((6, 1, 8)), TRACES)


def test_series_beyond_the_axis_are_named() -> None:
    """Steps beyond the time axis of the model are left out, with a warning."""
    schema, _ = fit(RAGGED)
    with pytest.warns(DataWarning, match="1 of 2 series begin before or end after .* 0 to 29; "):
        long = prepare(schema, [np.arange(7.0), np.arange(90.0)])
    scaled = schema.scaler.apply(np.arange(30.0)[None, None])
    np.testing.assert_allclose(long.x[1:].numpy(), scaled, rtol=1e-6)
    assert long.x[0].isnan().sum() == 23


def test_gaps_at_the_ends_need_training() -> None:
    """A model of series that all cover its time axis refuses one that ends early."""
    times = np.arange(24.0)
    schema, _ = Schema.fit(as_source(WAVES, times), Reading())
    with pytest.raises(DataError, match="sample 1 of X does not cover the times 0 to 23, as all"):
        schema.prepare(as_source(list(WAVES[:2]), [times, times / 2]))
    assert not schema.has_gaps and Schema.of(schema.record(), schema.shape, None) == schema


def test_offset_of_other_is_their_middle() -> None:
    """Further channels lose no digits: a large offset is removed, a small one is kept."""
    small = np.linspace(1.0, 2.0, 54).reshape(6, 9)
    assert SERIES.prepare_other(small, TRACES).scaler == Scaler()
    large = SERIES.prepare_other(small + 1e6, TRACES)
    assert large.scaler.offset == pytest.approx(1e6 + 1.5) and large.scaler.factor == 1
    image = IMAGES.prepare_other(np.full((6, 1, 12, 10), 1e6) + BYTES[:, None], PICTURES)
    assert image.scaler == Scaler()


def test_generated_samples_are_scaled_before() -> None:
    """Of a data set that draws its observations, the originals are scaled, and it draws on."""
    data = Dataset(torch.rand(4, 1, 12, 10) * 255, draw=lambda x, generator: x)
    prepared = IMAGES.prepare_dataset(as_source(data))
    torch.testing.assert_close(prepared.x, data.x / 255)
    assert prepared.draw is data.draw
    fixed = IMAGES.prepare_dataset(as_source(Dataset(data.x, labels=np.arange(4))))
    torch.testing.assert_close(fixed.x, data.x / 255)
    assert fixed.labels is not None and fixed.labels.tolist() == [0, 1, 2, 3]


def test_resampling_drops_mask_and_times() -> None:
    """A mask and times of the original steps are not kept beside resampled series."""
    x, times = torch.from_numpy(WAVES).float()[:, None], np.tile(np.arange(24.0), (5, 1))
    mask = torch.ones(5, 1, 24, dtype=torch.bool)
    mask[2, 0, 7] = False
    _, timed = Schema.fit(as_source(Dataset(x, times=times, mask=mask)), Reading(missing="mask"))
    assert timed.times is None and timed.mask is None and timed.x[2, 0, 7].isnan()
    _, plain = Schema.fit(as_source(Dataset(x, labels=np.arange(5))))
    assert plain.labels is not None and not plain.x.isnan().any()


def test_units_are_those_of_training() -> None:
    """Samples in other units are refused, unless each is scaled by itself."""
    schema, _ = fit(BYTES[:, None])
    with pytest.raises(DataError, match="the model was trained on uint8 from 0 to 255"):
        prepare(schema, BYTES[:, None] / 255.0)
    own, _ = fit(WAVES.astype(np.float32), scale="each")
    huge = prepare(own, (1e6 * WAVES).astype(np.int64))
    torch.testing.assert_close(huge.x, prepare(own, WAVES).x, atol=1e-4, rtol=0)
    assert np.shape(huge.scaler.factor) == (5, 1, 1)


def test_channels_must_have_their_names() -> None:
    """Other names, or another order, are refused with both lists; lacking names are accepted."""
    x = np.random.default_rng(0).normal(size=(6, 2, 9))
    named = Source(x, domain="series", form=Form(channels=("ecg", "resp")))
    schema, _ = Schema.fit(named)
    again = Schema.of(json.loads(json.dumps(schema.record())), schema.shape, None)
    assert schema.channels == again.channels == ("ecg", "resp")
    for names, mend in ((("resp", "ecg"), "in that order"), (("foo", "resp"), "rename them")):
        other = replace(named, form=Form(channels=names))
        words = (
            f"channels of X are {', '.join(names)}, the model was trained on ecg, resp; .*{mend}"
        )
        for model in (schema, again):
            with pytest.raises(DataError, match=words):
                model.prepare(other)
    older = {name: value for name, value in schema.record().items() if name != "channels"}
    for source, record in ((named, older), (replace(named, form=Form()), schema.record())):
        assert len(Schema.of(record, schema.shape, None).prepare(source)) == 6
    with pytest.raises(ValueError, match="channels='ecg' are no names"):
        Schema.of({**older, "channels": "ecg"}, schema.shape, None)
