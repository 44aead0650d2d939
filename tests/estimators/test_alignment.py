"""Alignment of real-world series: lengths, gaps, time stamps, seconds, points and events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.estimators.series import LENGTHS, NAN, RECIPE, fit_series, waves, waves_with_gaps
from unwarp import Affine2d, Chain, CosineTime, Dataset, Gain, Unwarper
from unwarp.datasets import bumps
from unwarp.errors import ConfigError, DataError
from unwarp.training import Callback


def padded(rows: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """Series of unequal lengths as one array, with NaN at the ends."""
    array = np.full((len(rows), *rows[0].shape[:-1], max(row.shape[-1] for row in rows)), np.nan)
    for row, values in zip(array, rows, strict=True):
        row[..., : values.shape[-1]] = values
    return array


@pytest.fixture(scope="module")
def unequal() -> Unwarper:
    """A model of series of unequal lengths; no test changes it."""
    torch.set_num_threads(1)
    return fit_series(waves())


@pytest.fixture(scope="module")
def even() -> Unwarper:
    """A model of series of one length."""
    torch.set_num_threads(1)
    return fit_series(np.stack(waves([32] * 6)))


def test_list_keeps_its_lengths(unequal: Unwarper) -> None:
    """Aligned series have one length, reconstructions those of the list."""
    rows = waves()
    assert unequal.times_.tolist() == list(range(40))
    assert unequal.align(rows).shape == unequal.template(rows).shape == (6, 40)
    assert [row.shape for row in unequal.reconstruct(rows)] == [(n,) for n in LENGTHS]
    assert unequal.predict(rows).shape == (6,) and np.isfinite(unequal.score(rows))
    assert len(unequal.transform_params(rows)) == 6


def test_padded_array_equals_the_list(unequal: Unwarper) -> None:
    """NaN at the end of a row ends its series, and a series alone is a row of the list."""
    rows = waves()
    codes, array = unequal.transform(rows), padded(rows)
    np.testing.assert_allclose(unequal.transform(rows[:1]), codes[:1], atol=1e-5)
    np.testing.assert_allclose(unequal.transform(array), codes, atol=1e-5)
    np.testing.assert_allclose(unequal.align(array), unequal.align(rows), atol=1e-5)
    x_hat = unequal.reconstruct(array)
    np.testing.assert_array_equal(np.isnan(x_hat), np.isnan(array))
    np.testing.assert_allclose(x_hat[0, :20], unequal.reconstruct(rows)[0], atol=1e-5)


def test_several_channels_of_unequal_length() -> None:
    """Channels of a series are aligned by one map, and so is a mask of events."""
    rows = waves(LENGTHS, 2)
    unwarper = fit_series(rows)
    assert unwarper.align(rows).shape == (6, 2, 40)
    assert [row.shape for row in unwarper.reconstruct(rows)] == [(2, n) for n in LENGTHS]
    np.testing.assert_allclose(
        unwarper.align(rows, other=[row[1] for row in rows]), unwarper.align(rows)[:, 1], atol=1e-5
    )
    events = [np.array([True, False] * n)[:n] for n in LENGTHS]
    assert unwarper.align(rows, other=events).dtype == bool


def test_one_length_refuses_others(even: Unwarper) -> None:
    """A model of series of one length names the length that it expects."""
    with pytest.raises(DataError, match="trained on series of one length"):
        even.transform(waves())
    with pytest.raises(DataError, match="40 features, but Unwarper is expecting 32"):
        even.transform(np.zeros((2, 40)))
    with pytest.raises(DataError, match="sample 0, channel 0, time index 30 is missing"):
        even.transform(np.where(np.arange(32) < 30, 1.0, NAN)[None])


def test_missing_values_follow_the_policy(even: Unwarper) -> None:
    """`error` names the first gap and the remedy, `interpolate` equals a straight line."""
    full = np.stack(waves([32] * 6))
    X = full.copy()
    X[1, 5:8] = NAN
    full[1, 4:9] = np.linspace(full[1, 4], full[1, 8], 5)
    with pytest.raises(
        DataError, match=r"sample 1, channel 0, time index 5 .*missing='interpolate'"
    ):
        even.align(X)
    even.set_params(missing="interpolate")
    np.testing.assert_allclose(even.align(X), even.align(full), atol=1e-5)
    assert np.isfinite(even.reconstruct(X)).all() and even.reconstruct(X).shape == X.shape
    even.set_params(missing="error")
    with pytest.raises(ConfigError, match="give one of error, interpolate, mask"):
        Unwarper(missing="guess").fit(X)  # type: ignore[arg-type]


def test_uneven_steps_equal_even_ones() -> None:
    """Irregular samples of curves with time stamps give the results of regular samples."""
    rng, grid = np.random.default_rng(1), np.linspace(-0.5, 1.5, 400)
    curve = np.sin(3 * grid + rng.uniform(0, 1, (8, 1)))
    rows_kept = [np.r_[0, np.sort(rng.choice(np.arange(1, 399), 250, False)), 399] for _ in curve]
    rows, times = (
        [row[steps] for row, steps in zip(curve, rows_kept, strict=True)],
        [grid[steps] for steps in rows_kept],
    )
    unwarper = fit_series(rows, times)
    np.testing.assert_allclose(unwarper.times_[[0, -1]], [-0.5, 1.5])
    np.testing.assert_allclose(
        unwarper.transform(rows, times=times),
        unwarper.transform(curve, times=grid),
        rtol=1e-3,
        atol=5e-3,
    )
    np.testing.assert_allclose(
        unwarper.align(rows, times=times), unwarper.align(curve, times=grid), atol=2e-3
    )
    for x_hat, steps, regular in zip(
        unwarper.reconstruct(rows, times=times),
        rows_kept,
        unwarper.reconstruct(curve, times=grid),
        strict=True,
    ):
        # an untrained template jumps from step to step and magnifies small differences of poses
        assert np.abs(x_hat - regular[steps]).mean() < 0.1 * regular.std()
        assert (
            np.abs(x_hat - regular[np.linspace(0, 399, len(steps)).astype(int)]).mean()
            > 0.2 * regular.std()
        )
    stamped = Dataset(
        torch.from_numpy(curve).float()[:, None], times=torch.from_numpy(grid).expand(8, -1)
    )
    by_dataset = Unwarper(domain="series", recipe=RECIPE, max_steps=2, n_clusters=2, device="cpu")
    by_times = Unwarper(recipe=RECIPE, max_steps=2, n_clusters=2, device="cpu")
    np.testing.assert_allclose(
        by_dataset.fit_transform(stamped),
        by_times.fit_transform(curve.astype(np.float32), times=grid),
        atol=1e-4,
    )


def test_sampling_rate_gives_seconds() -> None:
    """Lags and times are in seconds, however the rate is given, and a bad rate is refused."""
    X = np.stack(waves([41] * 6))
    samples, seconds = fit_series(X), fit_series(X, sampling_rate=20.0)
    table, expected = seconds.transform_params(X), samples.transform_params(X)
    assert (
        table.attrs["units"]["lag_s"] == "s" and expected.attrs["units"]["lag_samples"] == "samples"
    )
    assert expected["lag_samples"].abs().max() > 0.1
    np.testing.assert_allclose(table["lag_s"], expected["lag_samples"] / 20, rtol=1e-5)
    assert seconds.times_[-1] == 2.0
    stamped = fit_series(X, np.linspace(5, 7, 41))
    np.testing.assert_allclose(
        stamped.transform_params(X, times=np.linspace(5, 7, 41))["lag_s"], table["lag_s"], atol=1e-5
    )
    chained = fit_series(X, warp=Chain(CosineTime(4, sampling_rate=20.0), Gain()))
    assert chained.transform_params(X).attrs["units"]["lag_s"] == "s" and chained.times_[-1] == 2.0
    with pytest.raises(ConfigError, match="sampling_rate=-1 is not allowed"):
        Unwarper(sampling_rate=-1).fit(X)
    with pytest.raises(ConfigError, match="of series"):
        Unwarper(sampling_rate=5.0).fit(np.random.default_rng(0).random((4, 9, 9)))


@pytest.mark.parametrize("sampling_rate", [None, 10.0])
def test_events_follow_a_known_map(
    sampling_rate: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peaks of bumps under true maps lead to the peaks of the template, and back."""
    data = bumps.load(n_per_class=2, noise=0.0, length=101)
    unwarper, maps = fit_series(data.x[:, 0], sampling_rate=sampling_rate), data.maps
    assert maps is not None
    monkeypatch.setattr(unwarper.model_, "pose", lambda x: maps)
    step = 1 / (sampling_rate or 1.0)
    observed = 100 * step * maps.push(torch.tensor([[0.3], [0.7]]))[..., 0].numpy()
    assert np.abs(observed - [30 * step, 70 * step]).max() > step
    # the first class has its bumps there, and a peak is located to half a step
    peaks = [data.x[i, 0, :50].argmax().item() for i in (0, 1)]
    np.testing.assert_allclose(observed[:2, 0] / step, peaks, atol=0.6)
    aligned = unwarper.transform_events(data.x[:, 0], observed)
    np.testing.assert_allclose(aligned, np.tile([30 * step, 70 * step], (8, 1)), atol=1e-3 * step)
    np.testing.assert_allclose(
        unwarper.transform_events(data.x[:, 0], [30 * step, 70 * step], inverse=True),
        observed,
        atol=1e-3,
    )


def test_events_there_and_back(unequal: Unwarper) -> None:
    """`inverse` undoes `transform_events`; lists keep their lengths and tables their NaN."""
    rows = waves()
    events = [np.linspace(0, n - 1, k) for k, n in enumerate(LENGTHS)]
    aligned = unequal.transform_events(rows, events)
    assert isinstance(aligned, list) and [len(row) for row in aligned] == list(range(6))
    restored = unequal.transform_events(rows, aligned, inverse=True)
    for actual, expected in zip(restored, events, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-4)
    table = np.array([[1.0, NAN]] * 6)
    np.testing.assert_array_equal(np.isnan(unequal.transform_events(rows, table)), np.isnan(table))


def test_events_move_with_the_values() -> None:
    """The value of an aligned series at an aligned event is that at the observed event."""
    rows = waves([400] * 6)
    unequal = fit_series(waves(), lengths="stretch")
    aligned, events = unequal.align(rows), unequal.transform_events(rows, [120.0, 250.0])
    assert np.abs(events / 39 - np.array([120, 250]) / 399).max() > 0.02
    for row, times, original in zip(aligned, events, rows, strict=True):
        np.testing.assert_allclose(np.interp(times, range(40), row), original[[120, 250]], atol=0.1)


def test_events_on_the_clock_of_time_stamps() -> None:
    """Stamps that start at different times count from 0 in aligned series."""
    X, times = np.stack(waves([30] * 6)), np.linspace(100, 103, 30) + np.arange(6)[:, None]
    unwarper = fit_series(X, times)
    assert unwarper.times_[0] == 0.0 and unwarper.times_[-1] == pytest.approx(3.0)
    ends = unwarper.transform_events(X, times[:, [0, -1]], times=times)
    np.testing.assert_allclose(ends, np.tile([0.0, 3.0], (6, 1)), atol=1e-5)


def test_points_and_events_name_each_other(unequal: Unwarper) -> None:
    """Points of resampled series and events of images are refused with the right method."""
    with pytest.raises(DataError, match="use transform_events"):
        unequal.transform_points(waves(), [[3.0]])
    with pytest.raises(ConfigError, match="inverse='no'"):
        unequal.transform_points(waves(), [[3.0]], inverse="no")  # type: ignore[arg-type]
    pictures = np.random.default_rng(0).random((6, 9, 9))
    unwarper = Unwarper(Affine2d(), max_steps=1, n_clusters=2, device="cpu").fit(pictures)
    with pytest.raises(DataError, match="use transform_points"):
        unwarper.transform_events(pictures, [1.0])
    assert not hasattr(unwarper, "times_")


def fit_gain(X: Any, **arguments: Any) -> Unwarper:
    """A model of time and gain that changes the values of every series."""
    unwarper = fit_series(X, warp=Chain(CosineTime(4), Gain()), **arguments)
    assert unwarper.transform_params(X)["offset"].abs().min() > 0.01
    return unwarper


def test_gap_is_aligned_as_a_gap() -> None:
    """A missing value gives a few missing values, in its series alone, also with a gain."""
    X = np.stack(waves([41] * 6))
    X[2, 20] = NAN
    unwarper = fit_gain(X, missing="mask")
    gaps = np.isnan(unwarper.align(X)).sum(1)
    assert gaps[2] in (1, 2, 3) and gaps.sum() == gaps[2]
    inputs: list[torch.Tensor] = []
    unwarper.model_.encoder.content.register_forward_pre_hook(
        lambda net, arguments: inputs.append(arguments[0])
    )
    unwarper.transform(X)
    observed = inputs[0][:, 1]
    assert (
        observed.min() >= 0
        and (observed[[0, 1, 3, 4, 5]] > 1 - 1e-6).all()
        and observed[2].min() < 1
    )


def test_other_channel_keeps_its_values() -> None:
    """Another channel is moved in time, without the gain of the samples."""
    X = np.stack(waves([41] * 6))
    unwarper, half = fit_gain(X), np.arange(41) % 20 < 10
    np.testing.assert_allclose(unwarper.align(X, other=np.full((6, 41), 7.0)), 7.0, rtol=1e-6)
    aligned = unwarper.align(X, other=np.tile(half, (6, 1)))
    assert aligned.dtype == bool and (np.abs(aligned.mean(1) - half.mean()) < 0.2).all()


@pytest.mark.parametrize("scale", ["auto", None])
def test_inputs_are_not_overwritten(scale: Any) -> None:
    """Arrays and data sets of the caller stay as they are."""
    X = np.stack(waves([41] * 6)).astype(np.float32)
    X = (X - X.min()) / np.ptp(X)
    unwarper, copy = fit_series(X, scale=scale), X.copy()
    data = Dataset(torch.from_numpy(X[:, None].copy()))
    first = unwarper.align(X)
    assert np.abs(first - copy).max() > 1e-3
    for source in (X, data):
        for aligned in (unwarper.align(source), unwarper.align(source, other=X)):
            np.testing.assert_allclose(aligned.reshape(X.shape), first, atol=1e-6)
    np.testing.assert_array_equal(X, copy)
    np.testing.assert_array_equal(data.x[:, 0], copy)


def test_offsets_are_in_standard_deviations() -> None:
    """Reconstruction = gain (template - mean) + offset deviation + mean, at fixed ends."""
    X = 100 * np.stack(waves([41] * 6)) + 1000
    unwarper = fit_gain(X)
    table, templates, x_hat = (
        unwarper.transform_params(X),
        unwarper.template(X),
        unwarper.reconstruct(X),
    )
    assert table.attrs["units"]["offset"] == "sd"
    level, size = X.mean(), X.std()
    gain, offset = (table[name].to_numpy()[:, None] for name in ("gain", "offset"))
    ends = [0, -1]  # time does not move the ends
    expected = gain * (templates - level) + offset * size + level
    np.testing.assert_allclose(x_hat[:, ends], expected[:, ends], rtol=1e-3)


def test_file_with_times_equals_a_list(tmp_path: Path) -> None:
    """Series of unequal lengths with time stamps, from a file and from lists."""
    rows = [row.astype(np.float32) for row in waves()]  # as the file is read
    times = [np.linspace(0, 1, n) for n in LENGTHS]
    np.savez(
        tmp_path / "x.npz",
        x=np.nan_to_num(padded(rows)),
        lengths=LENGTHS,
        times=np.nan_to_num(padded(times)),
    )
    by_file, by_list = fit_series(tmp_path / "x.npz"), fit_series(rows, times)
    np.testing.assert_allclose(by_file.times_, by_list.times_)
    np.testing.assert_allclose(
        by_file.align(tmp_path / "x.npz")[:, 0],
        by_list.align(rows, times=times),
        atol=1e-4,
    )


def test_reconstructions_fill_gaps() -> None:
    """Aligned series keep their gaps; templates, reconstructions and scores have none."""
    X, is_observed = waves_with_gaps()
    x_nan = np.where(is_observed, X, NAN)
    unwarper = fit_series(x_nan, missing="mask")
    aligned, complete = unwarper.align(x_nan), unwarper.align(X)
    assert 0.4 < np.isfinite(aligned).mean() < 0.9
    assert (
        np.isfinite(unwarper.reconstruct(x_nan)).all()
        and np.isfinite(unwarper.template(x_nan)).all()
    )
    assert np.isfinite(unwarper.score(x_nan)) and np.isfinite(complete).all()
    assert (
        unwarper.__sklearn_tags__().input_tags.allow_nan
        and not Unwarper().__sklearn_tags__().input_tags.allow_nan
    )


@pytest.mark.parametrize("times", [None, np.linspace(0, 2, 40)])
def test_gaps_of_other_follow_the_policy(times: Any) -> None:
    """Gaps in another channel are treated as those of samples, and the message names it."""
    X, is_observed = waves_with_gaps()
    unwarper, other = fit_series(X, times), np.where(is_observed, 2 * X, NAN)
    with pytest.raises(
        DataError, match=r"^other: sample 0, channel 0, time index \d+ is missing.*missing='mask'"
    ):
        unwarper.align(X, other, times=times)
    unwarper.set_params(missing="mask")
    gaps = np.isnan(unwarper.align(X, other, times=times))
    assert 0.1 < gaps.mean() < 0.6
    np.testing.assert_allclose(
        unwarper.align(X, other, times=times)[~gaps],
        2 * unwarper.align(X, times=times)[~gaps],
        atol=1e-5,
    )
    unwarper.set_params(missing="interpolate")
    filled = np.stack(
        [
            np.interp(range(40), np.flatnonzero(mask), row[mask])
            for row, mask in zip(other, is_observed, strict=True)
        ]
    )
    np.testing.assert_allclose(
        unwarper.align(X, other, times=times), unwarper.align(X, filled, times=times), atol=1e-5
    )


def test_unfit_other_is_named(even: Unwarper) -> None:
    """The message is about `other`, not about X."""
    X = np.stack(waves([32] * 6))
    for other in (np.full((6, 32), np.inf), [["a"] * 32] * 6, waves(), X[:, :20], 3.0):
        with pytest.raises(DataError, match="other") as refusal:
            even.align(X, other)
        assert not str(refusal.value).startswith("X ")


def test_models_with_times_need_times(tmp_path: Path) -> None:
    """A model that learned with time stamps refuses series without, also after loading."""
    X, times = np.stack(waves([40] * 6)), np.linspace(0, 1, 40) ** 2
    unwarper = fit_series(X, times)
    unwarper.save(tmp_path / "model")
    for model in (unwarper, Unwarper.load(tmp_path / "model")):
        for method in (
            model.transform,
            model.align,
            model.reconstruct,
            model.predict,
            model.score,
            model.prepare,
        ):
            with pytest.raises(DataError, match=r"times=None, but the .*times=unwarper\.times_"):
                method(X)
    stamped = Dataset(
        torch.from_numpy(X).float()[:, None], times=torch.from_numpy(times).expand(6, -1)
    )
    np.testing.assert_allclose(
        unwarper.transform(stamped), unwarper.transform(X, times=times), atol=1e-4
    )
    templates = unwarper.template(X, times=times)
    assert unwarper.align(templates, times=unwarper.times_).shape == templates.shape
    with pytest.raises(DataError, match="use transform_events"):
        unwarper.transform_points(X, [[3.0]])


def test_times_do_not_change_the_length(even: Unwarper) -> None:
    """A model of one length refuses others, with and without time stamps."""
    X, times = np.stack(waves([32] * 6)), np.linspace(0, 2, 32)
    np.testing.assert_allclose(even.transform(X, times=times), even.transform(X), atol=1e-4)
    with pytest.raises(DataError, match="30 features, but Unwarper is expecting 32"):
        even.transform(X[:, :30], times=times[:30])
    with pytest.raises(DataError, match="trained on series of one length"):
        even.transform(waves(), times=[np.linspace(0, 2, n) for n in LENGTHS])


def test_flags_and_words_are_checked(even: Unwarper) -> None:
    """A flag is True or False, a point is finite, and a masked value is none."""
    x = np.stack(waves([32] * 6))
    for flag in ("no", None, 2, []):
        with pytest.raises(ConfigError, match=r"^full=.* is not allowed; give True or False"):
            even.transform_params(x, flag)  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=r"^inverse=.* is not allowed; give True or False"):
            even.transform_events(x, [1.0], flag)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="points has the value inf"):
        even.transform_points(x, [[np.inf]])
    with pytest.raises(ConfigError, match=r"^convention=3 is not allowed; give one of"):
        even.to_matrix(x, 3)  # type: ignore[arg-type]


def test_sizes_come_back(tmp_path: Path) -> None:
    """Pictures of several sizes come back in them, also from a loaded model and smaller ones."""
    rows = np.random.default_rng(0).integers(0, 256, (8, 12, 14, 2), dtype=np.uint8)
    pictures = [row[k % 3 :, k % 2 :] for k, row in enumerate(rows)]
    options = {"max_steps": 1, "n_clusters": 2, "device": "cpu"}
    unwarper = Unwarper("identity", sizes="pad", layout="channels_last", **options).fit(pictures)
    unwarper.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    for part in (pictures, pictures[1:2]):
        for picture, aligned in zip(part, loaded.align(part), strict=True):
            np.testing.assert_allclose(aligned.astype(int), picture, atol=1)
        assert [row.shape for row in loaded.template(part)] == [row.shape for row in part]
    with pytest.raises(DataError, match="larger than the model's 12 x 14"):
        loaded.align([np.zeros((13, 14, 2), np.uint8)])


class Recorder(Callback):
    """Keeps the messages of a training."""

    def __init__(self, messages: list[str]) -> None:
        self.messages = messages

    def on_message(self, message: str) -> None:
        self.messages.append(message)


def test_lags_of_gaps_and_lengths_are_exact(tmp_path: Path) -> None:
    """Series that stop early and have gaps get exact lags by search, also after storage."""
    rng = np.random.default_rng(0)
    recording = np.convolve(rng.normal(size=180), np.hanning(21), "valid")
    lags = rng.integers(-15, 16, 20)
    rows = [recording[30 - lag : 120 - lag - 2 * (i % 5)] for i, lag in enumerate(lags)]
    for i, row in enumerate(rows):
        row = rows[i] = row.copy()
        row[3 * i : 3 * i + 8] = np.nan
    messages: list[str] = []
    unwarper = Unwarper(
        "time-shift", missing="mask", lengths="clock", max_steps=2, n_clusters=2, warm_start=True
    )
    unwarper.fit(rows, callbacks=[Recorder(messages)])
    assert any("were found by search, with 1 template" in line for line in messages)
    table = unwarper.transform_params(rows)
    errors = table["lag_samples"].to_numpy() - lags
    assert np.abs(errors - np.median(errors)).max() < 1e-2 and abs(errors.mean() + lags.mean()) < 1
    unwarper.save(tmp_path / "model")
    again = Unwarper.load(tmp_path / "model")
    np.testing.assert_array_equal(again.align(rows), unwarper.align(rows))
    values = unwarper.model_.encoder.start.values.clone()
    assert torch.equal(unwarper.fit(rows).model_.encoder.start.values, values)
    assert (
        Unwarper("time-shift", start="learned", max_steps=1)
        .fit(np.stack([recording[:60]] * 4))
        .recipe_.start
        == "learned"
    )


@pytest.mark.parametrize("sizes", ["pad", "crop", "32x32"])
def test_points_are_in_own_pixels(sizes: str) -> None:
    """Blobs of pictures of several sizes meet at one point, as points, matrices and pictures."""
    rng, shapes = np.random.default_rng(0), [(32, 32), (40, 44)] * 10
    spots = np.array([[[w / 2, h / 2]] for h, w in shapes]) + rng.uniform(-4, 4, (20, 1, 2))
    pictures = []
    for (height, width), (x, y) in zip(shapes, spots[:, 0], strict=True):
        rows, columns = np.mgrid[:height, :width]
        pictures.append(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18))
    options: dict[str, Any] = {"sizes": sizes, "domain": "image", "refine": "none"}
    unwarper = Unwarper("translation", max_steps=60, n_clusters=2, device="cpu", **options)
    aligned = unwarper.fit(pictures).align(pictures)
    points = unwarper.transform_points(pictures, spots)
    for picture, point in zip(aligned, points[:, 0], strict=True):
        rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
        centre = [(picture * axis).sum() / picture.sum() for axis in (columns, rows)]
        np.testing.assert_allclose(point, centre, atol=0.6)
    back = unwarper.transform_points(pictures, points, inverse=True)
    np.testing.assert_allclose(back, spots, atol=1e-3)
    forward, inverse = (unwarper.to_matrix(pictures, name) for name in ("pixel", "skimage"))
    np.testing.assert_allclose(forward @ inverse, np.tile(np.eye(3), (20, 1, 1)), atol=1e-4)
    if sizes == "crop":  # aligned pictures have the size of the template
        full = np.concatenate([points, np.ones((20, 1, 1))], -1)[:, 0, :, None]
        np.testing.assert_allclose((forward @ full)[:, :2, 0], spots[:, 0], atol=1e-3)
