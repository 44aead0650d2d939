"""Series as they come, through the estimator: lengths, gaps, time stamps, seconds, events, units, pipelines."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.estimators.series import LENGTHS, NAN, RECIPE, learned, waves, waves_with_gaps
from unwarp import AE, Affine2d, Chain, CosineTime, Dataset, Gain, Unwarper
from unwarp.datasets import bumps
from unwarp.errors import ConfigError, DataError
from unwarp.training.callbacks import Callback


def padded(rows: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    made = np.full((len(rows), *rows[0].shape[:-1], max(row.shape[-1] for row in rows)), np.nan)
    for row, values in zip(made, rows, strict=True):
        row[..., : values.shape[-1]] = values
    return made


@pytest.fixture(scope="module")
def unequal() -> Unwarper:
    torch.set_num_threads(1)
    return learned(waves())


@pytest.fixture(scope="module")
def even() -> Unwarper:
    torch.set_num_threads(1)
    return learned(np.stack(waves([32] * 6)))


def test_a_list_comes_aligned_at_one_length_and_reconstructed_at_its_own(unequal: Unwarper) -> None:
    rows = waves()
    assert unequal.times_.tolist() == list(range(40))
    assert unequal.align(rows).shape == unequal.template(rows).shape == (6, 40)
    assert [row.shape for row in unequal.reconstruct(rows)] == [(n,) for n in LENGTHS]
    assert unequal.predict(rows).shape == (6,) and np.isfinite(unequal.score(rows))
    assert len(unequal.transform_params(rows)) == 6


def test_a_series_alone_is_a_row_of_the_list_and_nan_at_the_end_says_the_same(
    unequal: Unwarper,
) -> None:
    rows = waves()
    codes, array = unequal.transform(rows), padded(rows)
    np.testing.assert_allclose(unequal.transform(rows[:1]), codes[:1], atol=1e-5)
    np.testing.assert_allclose(unequal.transform(array), codes, atol=1e-5)
    np.testing.assert_allclose(unequal.align(array), unequal.align(rows), atol=1e-5)
    made = unequal.reconstruct(array)
    np.testing.assert_array_equal(np.isnan(made), np.isnan(array))
    np.testing.assert_allclose(made[0, :20], unequal.reconstruct(rows)[0], atol=1e-5)


def test_several_channels_of_unequal_length() -> None:
    rows = waves(LENGTHS, 2)
    u = learned(rows)
    assert u.align(rows).shape == (6, 2, 40)
    assert [row.shape for row in u.reconstruct(rows)] == [(2, n) for n in LENGTHS]
    np.testing.assert_allclose(
        u.align(rows, other=[row[1] for row in rows]), u.align(rows)[:, 1], atol=1e-5
    )
    events = [np.array([True, False] * n)[:n] for n in LENGTHS]
    assert u.align(rows, other=events).dtype == bool


def test_a_model_of_one_length_takes_that_length_alone(even: Unwarper) -> None:
    with pytest.raises(DataError, match="trained on series of one length"):
        even.transform(waves())
    with pytest.raises(DataError, match="40 features, but Unwarper is expecting 32"):
        even.transform(np.zeros((2, 40)))
    with pytest.raises(DataError, match="sample 0, channel 0, time index 30 is missing"):
        even.transform(np.where(np.arange(32) < 30, 1.0, NAN)[None])


def test_missing_values_are_refused_or_lie_on_a_line(even: Unwarper) -> None:
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
    with pytest.raises(ConfigError, match="choose one of error, interpolate, mask"):
        Unwarper(missing="guess").fit(X)  # type: ignore[arg-type]


def test_uneven_steps_say_the_same_as_even_ones() -> None:
    rng, grid = np.random.default_rng(1), np.linspace(-0.5, 1.5, 400)
    curve = np.sin(3 * grid + rng.uniform(0, 1, (8, 1)))
    keep = [np.r_[0, np.sort(rng.choice(np.arange(1, 399), 250, False)), 399] for _ in curve]
    rows, times = [row[at] for row, at in zip(curve, keep, strict=True)], [grid[at] for at in keep]
    u = learned(rows, times)
    np.testing.assert_allclose(u.times_[[0, -1]], [-0.5, 1.5])
    np.testing.assert_allclose(
        u.transform(rows, times=times), u.transform(curve, times=grid), rtol=1e-3, atol=5e-3
    )
    np.testing.assert_allclose(u.align(rows, times=times), u.align(curve, times=grid), atol=2e-3)
    for made, at, whole in zip(
        u.reconstruct(rows, times=times), keep, u.reconstruct(curve, times=grid), strict=True
    ):
        # an untrained template jumps from step to step, which magnifies the smallest difference of poses
        assert np.abs(made - whole[at]).mean() < 0.1 * whole.std()
        assert (
            np.abs(made - whole[np.linspace(0, 399, len(at)).astype(int)]).mean()
            > 0.2 * whole.std()
        )
    stamped = Dataset(
        torch.from_numpy(curve).float()[:, None], times=torch.from_numpy(grid).expand(8, -1)
    )
    by_set = Unwarper(domain="series", recipe=RECIPE, max_steps=2, n_clusters=2, device="cpu")
    by_times = Unwarper(recipe=RECIPE, max_steps=2, n_clusters=2, device="cpu")
    np.testing.assert_allclose(
        by_set.fit_transform(stamped), by_times.fit_transform(curve, times=grid), atol=1e-4
    )


def test_a_rate_gives_seconds() -> None:
    X = np.stack(waves([41] * 6))
    samples, seconds = learned(X), learned(X, sampling_rate=20.0)
    found, expected = seconds.transform_params(X), samples.transform_params(X)
    assert (
        found.attrs["units"]["lag_s"] == "s" and expected.attrs["units"]["lag_samples"] == "samples"
    )
    assert expected["lag_samples"].abs().max() > 0.1
    np.testing.assert_allclose(found["lag_s"], expected["lag_samples"] / 20, rtol=1e-5)
    assert seconds.times_[-1] == 2.0
    stamped = learned(X, np.linspace(5, 7, 41))
    np.testing.assert_allclose(
        stamped.transform_params(X, times=np.linspace(5, 7, 41))["lag_s"], found["lag_s"], atol=1e-5
    )
    chained = learned(X, warp=Chain(CosineTime(4, sampling_rate=20.0), Gain()))
    assert chained.transform_params(X).attrs["units"]["lag_s"] == "s" and chained.times_[-1] == 2.0
    with pytest.raises(ConfigError, match="sampling_rate=-1 must be positive"):
        Unwarper(sampling_rate=-1).fit(X)
    with pytest.raises(ConfigError, match="of series"):
        Unwarper(sampling_rate=5.0).fit(np.random.default_rng(0).random((4, 9, 9)))


@pytest.mark.parametrize("sampling_rate", [None, 10.0])
def test_events_follow_a_known_map(
    sampling_rate: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bumps.load(n_per_class=2, noise=0.0, length=101)
    u, maps = learned(data.x[:, 0], sampling_rate=sampling_rate), data.maps
    assert maps is not None
    monkeypatch.setattr(u.model_, "pose", lambda x: maps)
    step = 1 / (sampling_rate or 1.0)
    seen = 100 * step * maps.push(torch.tensor([[0.3], [0.7]]))[..., 0].numpy()
    assert np.abs(seen - [30 * step, 70 * step]).max() > step
    # the first class has its bumps there, which a peak finder sees to half a step
    peaks = [data.x[i, 0, :50].argmax().item() for i in (0, 1)]
    np.testing.assert_allclose(seen[:2, 0] / step, peaks, atol=0.6)
    aligned = u.transform_events(data.x[:, 0], seen)
    np.testing.assert_allclose(aligned, np.tile([30 * step, 70 * step], (8, 1)), atol=1e-3 * step)
    np.testing.assert_allclose(
        u.transform_events(data.x[:, 0], [30 * step, 70 * step], inverse=True), seen, atol=1e-3
    )


def test_events_there_and_back(unequal: Unwarper) -> None:
    rows = waves()
    events = [np.linspace(0, n - 1, k) for k, n in enumerate(LENGTHS)]
    aligned = unequal.transform_events(rows, events)
    assert isinstance(aligned, list) and [len(row) for row in aligned] == list(range(6))
    back = unequal.transform_events(rows, aligned, inverse=True)
    for found, given in zip(back, events, strict=True):
        np.testing.assert_allclose(found, given, atol=1e-4)
    table = np.array([[1.0, NAN]] * 6)
    np.testing.assert_array_equal(np.isnan(unequal.transform_events(rows, table)), np.isnan(table))


def test_events_go_where_alignment_takes_the_values(unequal: Unwarper) -> None:
    rows = waves([400] * 6)
    aligned, moved = unequal.align(rows), unequal.transform_events(rows, [120.0, 250.0])
    assert np.abs(moved / 39 - np.array([120, 250]) / 399).max() > 0.02
    for row, places, original in zip(aligned, moved, rows, strict=True):
        np.testing.assert_allclose(
            np.interp(places, range(40), row), original[[120, 250]], atol=0.1
        )


def test_events_on_the_clock_of_time_stamps() -> None:
    X, times = np.stack(waves([30] * 6)), np.linspace(100, 103, 30) + np.arange(6)[:, None]
    u = learned(X, times)
    assert u.times_[0] == 0.0 and u.times_[-1] == pytest.approx(3.0)
    ends = u.transform_events(X, times[:, [0, -1]], times=times)
    np.testing.assert_allclose(ends, np.tile([0.0, 3.0], (6, 1)), atol=1e-5)


def test_points_of_resampled_series_and_events_of_pictures_are_refused(unequal: Unwarper) -> None:
    with pytest.raises(DataError, match="use transform_events"):
        unequal.transform_points(waves(), [[3.0]])
    pictures = np.random.default_rng(0).random((6, 9, 9))
    u = Unwarper(Affine2d(), max_steps=1, n_clusters=2, device="cpu").fit(pictures)
    with pytest.raises(DataError, match="for pictures use transform_points"):
        u.transform_events(pictures, [1.0])
    assert not hasattr(u, "times_")


def test_each_series_by_its_own_mean_and_deviation() -> None:
    X = np.stack(waves([32] * 6))
    gain, offset = np.geomspace(0.1, 50, 6)[:, None], np.arange(6)[:, None] * 7 - 20
    u = learned(X, scale="each")
    other = gain * X + offset
    np.testing.assert_allclose(u.transform(other), u.transform(X), atol=1e-4)
    for make in (u.align, u.template, u.reconstruct):
        np.testing.assert_allclose((make(other) - offset) / gain, make(X), atol=1e-3)
    with pytest.raises(ConfigError, match="'each' is for series"):
        Unwarper(scale="each").fit(np.random.default_rng(0).random((6, 9, 9)))


def test_units_of_channels_do_not_matter_where_each_has_its_own_scale(tmp_path: Path) -> None:
    X = np.stack([np.stack(waves([32] * 6)), np.stack(waves([32] * 6)) ** 2], 1)
    factor = np.array([2.0**-10, 2.0**6])[
        :, None
    ]  # powers of two, so that nothing is rounded otherwise
    asked = {"domain": "series", "scale": "channel"}
    plain, other = learned(X, **asked), learned(factor * X, **asked)
    other.save(tmp_path / "model")
    codes = plain.transform(X)
    for u in (other, Unwarper.load(tmp_path / "model")):
        np.testing.assert_allclose(u.transform(factor * X), codes, atol=1e-5)
        for make in ("align", "template", "reconstruct"):
            np.testing.assert_allclose(
                getattr(u, make)(factor * X) / factor, getattr(plain, make)(X), atol=1e-5
            )
        np.testing.assert_allclose(
            u.inverse_transform(codes) / factor, plain.inverse_transform(codes), atol=1e-5
        )
    with pytest.raises(ConfigError, match="'channel' is for series"):
        Unwarper(scale="channel").fit(np.random.default_rng(0).random((6, 9, 9)))


@pytest.mark.parametrize(
    ("scale", "told"), [("auto", ["channel 1 varies 64 times"]), ("channel", []), ("each", [])]
)
def test_units_that_differ_are_told_before_learning(scale: Any, told: list[str]) -> None:
    class Heard(Callback):
        def on_message(self, line: str) -> None:
            lines.append(line)

    lines: list[str] = []
    X = np.stack([np.stack(waves([32] * 6))] * 2, 1) * np.array([1.0, 64.0])[:, None]
    Unwarper(domain="series", recipe=RECIPE, scale=scale, max_steps=1, n_clusters=2).fit(
        X, callbacks=[Heard()]
    )
    assert [line[: len(words)] for line, words in zip(lines, told, strict=True)] == told


def gained(X: Any, **choices: Any) -> Unwarper:
    """A model of time and gain whose every pose changes values."""
    u = learned(X, warp=Chain(CosineTime(4), Gain()), **choices)
    assert u.transform_params(X)["offset"].abs().min() > 0.01
    return u


def test_a_gap_stays_a_gap_and_nothing_else_becomes_one_where_values_change() -> None:
    X = np.stack(waves([41] * 6))
    X[2, 20] = NAN
    u = gained(X, missing="mask")
    gaps = np.isnan(u.align(X)).sum(1)
    assert gaps[2] in (1, 2, 3) and gaps.sum() == gaps[2]
    seen: list[torch.Tensor] = []
    u.model_.encoder.content.register_forward_pre_hook(lambda net, given: seen.append(given[0]))
    u.transform(X)
    observed = seen[0][:, 1]
    assert (
        observed.min() >= 0
        and (observed[[0, 1, 3, 4, 5]] > 1 - 1e-6).all()
        and observed[2].min() < 1
    )


def test_another_channel_is_moved_in_time_and_keeps_its_values() -> None:
    X = np.stack(waves([41] * 6))
    u, half = gained(X), np.arange(41) % 20 < 10
    np.testing.assert_allclose(u.align(X, other=np.full((6, 41), 7.0)), 7.0, rtol=1e-6)
    moved = u.align(X, other=np.tile(half, (6, 1)))
    assert moved.dtype == bool and (np.abs(moved.mean(1) - half.mean()) < 0.2).all()


@pytest.mark.parametrize("scale", ["auto", None])
def test_nothing_that_was_given_is_written_over(scale: Any) -> None:
    X = np.stack(waves([41] * 6)).astype(np.float32)
    X = (X - X.min()) / np.ptp(X)
    u, kept, held = learned(X, scale=scale), X.copy(), Dataset(torch.from_numpy(X[:, None].copy()))
    first = u.align(X)
    assert np.abs(first - kept).max() > 1e-3
    for given in (X, held):
        for done in (u.align(given), u.align(given, other=X)):
            np.testing.assert_allclose(done.reshape(X.shape), first, atol=1e-6)
    np.testing.assert_array_equal(X, kept)
    np.testing.assert_array_equal(held.x[:, 0], kept)


def test_offsets_are_in_standard_deviations() -> None:
    X = 100 * np.stack(waves([41] * 6)) + 1000
    u = gained(X)
    table, templates, drawn = u.transform_params(X), u.template(X), u.reconstruct(X)
    assert table.attrs["units"]["offset"] == "sd"
    level, size = X.mean(), X.std()
    gain, offset = (table[name].to_numpy()[:, None] for name in ("gain", "offset"))
    ends = [0, -1]  # time does not move the ends
    expected = gain * (templates - level) + offset * size + level
    np.testing.assert_allclose(drawn[:, ends], expected[:, ends], rtol=1e-3)


def test_one_sample_has_no_speed_but_a_table() -> None:
    X = np.arange(6.0)[:, None]
    u = Unwarper("time", max_steps=2, n_clusters=2).fit(X)
    assert np.isfinite(u.transform_params(X).to_numpy()).all() and u.template(X).shape == (6, 1)


@pytest.mark.parametrize("shape", [(6, 2, 40), (8, 12, 12)])
def test_a_warp_says_what_it_acts_on(shape: tuple[int, ...]) -> None:
    X = np.random.default_rng(0).random(shape)
    for choices in ({"warp": "time"}, {"warp": CosineTime(4)}, {"recipe": RECIPE}):
        u = Unwarper(max_steps=1, n_clusters=2, **choices).fit(X)
        assert u.schema_.domain.name == "series" and u.schema_.shape == shape[1:]
    with pytest.raises(DataError, match="which reads two ways"):
        Unwarper(max_steps=1).fit(X[:, :2])
    with pytest.raises(ConfigError, match="'affine' acts on image data"):
        Unwarper("affine", max_steps=1).fit(Dataset(torch.from_numpy(X)))


def test_files_of_unequal_series_with_times_are_data_too(tmp_path: Path) -> None:
    rows, own = waves(), [np.linspace(0, 1, n) for n in LENGTHS]
    np.savez(
        tmp_path / "x.npz",
        x=np.nan_to_num(padded(rows)),
        lengths=LENGTHS,
        times=np.nan_to_num(padded(own)),
    )
    by_file, by_list = learned(tmp_path / "x.npz"), learned(rows, own)
    np.testing.assert_allclose(by_file.times_, by_list.times_)
    np.testing.assert_allclose(
        by_file.align(tmp_path / "x.npz")[:, 0],
        by_list.align(rows, times=own),
        atol=1e-4,
    )


def run(first: Any, domain: Any = "auto") -> None:
    """A pipeline predicts for held-out bumps what its parts, one after the other, do."""
    train, test = (bumps.load(part, n_per_class=6, length=32) for part in ("train", "test"))
    X, held = (
        part.x.double().numpy() if domain == "series" else part.x[:, 0].numpy()
        for part in (train, test)
    )
    u = Unwarper(domain=domain, recipe=RECIPE, max_steps=20, n_clusters=2, device="cpu")
    predicted = (
        make_pipeline(clone(first), clone(u), KNeighborsClassifier(1))
        .fit(X, train.labels)
        .predict(held)
    )
    codes = u.fit_transform(first.fit_transform(X))
    neighbours = KNeighborsClassifier(1).fit(codes, train.labels)
    np.testing.assert_array_equal(predicted, neighbours.predict(u.transform(first.transform(held))))
    assert len(set(predicted)) > 1


def test_inside_a_pipeline() -> None:
    run(FunctionTransformer())


def test_inside_a_pipeline_of_aeon() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collection = pytest.importorskip(
            "aeon.transformations.collection", reason="aeon is not installed"
        )
        run(collection.Normalizer(), "series")


def test_masked_series_are_learned_from_what_was_observed_alone() -> None:
    X, seen = waves_with_gaps()
    u, v = (
        learned(np.where(seen, X, NAN), missing="mask"),
        learned(Dataset(torch.from_numpy(X)[:, None], mask=torch.from_numpy(seen)), missing="mask"),
    )
    other = np.where(seen, X, 1e3).astype(np.float32)
    w = learned(
        Dataset(torch.from_numpy(other)[:, None], mask=torch.from_numpy(seen)), missing="mask"
    )
    asked = np.where(seen, X, NAN)
    for one in (v, w):
        np.testing.assert_array_equal(u.transform(asked), one.transform(asked))


def test_a_gap_stays_a_gap_in_aligned_series_and_is_drawn_in_reconstructions() -> None:
    X, seen = waves_with_gaps()
    asked = np.where(seen, X, NAN)
    u = learned(asked, missing="mask")
    aligned, whole = u.align(asked), u.align(X)
    there = ~np.isnan(aligned)
    assert 0.4 < there.mean() < 0.9
    assert np.isfinite(u.reconstruct(asked)).all() and np.isfinite(u.template(asked)).all()
    assert np.isfinite(u.score(asked)) and np.isfinite(whole).all()
    assert (
        u.__sklearn_tags__().input_tags.allow_nan
        and not Unwarper().__sklearn_tags__().input_tags.allow_nan
    )


def test_an_encoder_is_told_what_was_observed() -> None:
    X, seen = waves_with_gaps()
    u = learned(np.where(seen, X, NAN), missing="mask")
    level = np.full((1, 40), 0.5, np.float32)
    gap = level.copy()
    gap[0, 10:20] = NAN  # a line fills it to the same values, which were not observed, though
    assert not np.allclose(u.transform(level), u.transform(gap))


def test_gaps_are_refused_where_nothing_can_be_made_of_them() -> None:
    pictures = np.random.default_rng(0).random((12, 1, 10, 10))
    pictures[0, 0, 0, 0] = NAN
    with pytest.raises(DataError, match=r"NaN|missing"):
        Unwarper(missing="mask", max_steps=2).fit(pictures)
    X, seen = waves_with_gaps()
    with pytest.raises(ConfigError, match="gaps=True is for series"):
        Unwarper(recipe="mixing-ae", missing="mask", max_steps=2).fit(np.where(seen, X, NAN))
    with pytest.raises(ConfigError, match="gaps=True is for series"):
        AE(gaps=True).build((1, 10, 10))


@pytest.mark.parametrize("missing", ["error", "mask", "interpolate"])
@pytest.mark.parametrize("times", [None, np.linspace(0, 2, 40)])
def test_what_was_learned_is_taken_also_where_its_last_steps_were_seen_in_no_series(
    missing: Any, times: Any
) -> None:
    X = np.stack(waves([40] * 6))
    X[:, 38:] = NAN
    u = learned(X, times, missing=missing)
    cut = None if times is None else times[:38]
    np.testing.assert_array_equal(u.align(X, times=times), u.align(X[:, :38], times=cut))
    np.testing.assert_array_equal(u.transform(X, times=times), u.transform(X[:, :38], times=cut))
    np.testing.assert_array_equal(np.isnan(u.reconstruct(X, times=times)), np.isnan(X))
    assert u.align(X[:1], times=times).shape == (1, 38) == (1, *u.times_.shape)


@pytest.mark.parametrize("times", [None, np.linspace(0, 2, 40)])
def test_gaps_of_other_channels_are_met_as_those_of_the_samples(times: Any) -> None:
    X, seen = waves_with_gaps()
    u, other = learned(X, times), np.where(seen, 2 * X, NAN)
    with pytest.raises(
        DataError, match=r"^other: sample 0, channel 0, time index \d+ is missing.*missing='mask'"
    ):
        u.align(X, other, times=times)
    u.set_params(missing="mask")
    gaps = np.isnan(u.align(X, other, times=times))
    assert 0.1 < gaps.mean() < 0.6
    np.testing.assert_allclose(
        u.align(X, other, times=times)[~gaps], 2 * u.align(X, times=times)[~gaps], atol=1e-5
    )
    u.set_params(missing="interpolate")
    interpolate_missing = np.stack(
        [
            np.interp(range(40), np.flatnonzero(at), row[at])
            for row, at in zip(other, seen, strict=True)
        ]
    )
    np.testing.assert_allclose(
        u.align(X, other, times=times), u.align(X, interpolate_missing, times=times), atol=1e-5
    )


def test_other_channels_that_do_not_fit_are_named(even: Unwarper) -> None:
    X = np.stack(waves([32] * 6))
    for other in (np.full((6, 32), np.inf), [["a"] * 32] * 6, waves(), X[:, :20], 3.0):
        with pytest.raises(DataError, match="other") as refusal:
            even.align(X, other)
        assert not str(refusal.value).startswith("X ")


def test_a_model_that_learned_with_times_asks_for_them(tmp_path: Path) -> None:
    X, times = np.stack(waves([40] * 6)), np.linspace(0, 1, 40) ** 2
    u = learned(X, times)
    u.save(tmp_path / "model")
    for model in (u, Unwarper.load(tmp_path / "model")):
        for ask in (
            model.transform,
            model.align,
            model.reconstruct,
            model.predict,
            model.score,
            model.prepare,
        ):
            with pytest.raises(DataError, match=r"X comes without times.*times=unwarper\.times_"):
                ask(X)
    stamped = Dataset(
        torch.from_numpy(X).float()[:, None], times=torch.from_numpy(times).expand(6, -1)
    )
    np.testing.assert_allclose(u.transform(stamped), u.transform(X, times=times), atol=1e-4)
    even = u.template(X, times=times)
    assert u.align(even, times=u.times_).shape == even.shape
    with pytest.raises(DataError, match="use transform_events"):
        u.transform_points(X, [[3.0]])


def test_times_do_not_free_a_model_from_the_length_that_it_learned(even: Unwarper) -> None:
    X, times = np.stack(waves([32] * 6)), np.linspace(0, 2, 32)
    np.testing.assert_allclose(even.transform(X, times=times), even.transform(X), atol=1e-4)
    with pytest.raises(DataError, match="30 features, but Unwarper is expecting 32"):
        even.transform(X[:, :30], times=times[:30])
    with pytest.raises(DataError, match="trained on series of one length"):
        even.transform(waves(), times=[np.linspace(0, 2, n) for n in LENGTHS])
