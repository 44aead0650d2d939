"""`Unwarper`: scikit-learn's checks, and the promises of its arguments and methods."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.estimators.series import NAN, RECIPE, fit_series, waves, waves_with_gaps
from tests.pictures import pictures
from unwarp import AE, VAE, Affine2d, CosineTime, Dataset, Unwarper
from unwarp.analysis.mixture import Mixture
from unwarp.datasets import bumps
from unwarp.errors import ConfigError, DataError
from unwarp.models import Net
from unwarp.training.callbacks import Callback
from unwarp.training.state import Row, State
from unwarp.warps import warp_named

EXPECTED_FAILURES = {
    "check_methods_subset_invariance": "float32 sums depend on the batch size in the last digit: "
    "one of 40 pictures alone has a code that differs by 3e-6 in a range of 4.7, which is 7e-7; "
    "the check asks for 1e-7, and test_rows_do_not_depend_on_others for 1e-5"
}


@parametrize_with_checks(
    [Unwarper(max_steps=8, n_clusters=3)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_scikit_learn(estimator: Unwarper, check: Any) -> None:
    """All checks of scikit-learn pass, but for the named exceptions."""
    check(estimator)


def test_defaults_follow_the_data() -> None:
    """Warp and padding suit images on dark and on bright ground, and series."""
    unwarper = Unwarper(max_steps=2, batch_size=8)
    assert isinstance(unwarper.fit(pictures()).recipe_.warp, Affine2d)
    assert unwarper.recipe_.padding == "zeros"
    assert unwarper.fit(255 - pictures()).recipe_.padding == "border"
    assert unwarper.fit(np.random.default_rng(0).normal(size=(20, 15))).recipe_.warp.name == "time"
    assert unwarper.set_params(warp="similarity").fit(pictures()).recipe_.warp.name == "similarity"
    assert clone(unwarper).get_params() == unwarper.get_params()


def test_results_have_the_input_form(fitted: Unwarper) -> None:
    """Shape, range and dtype of images, with and without an axis of channels."""
    x = pictures(10, seed=1)
    for source in (x, x[:, 0]):
        for result in (fitted.align(source), fitted.template(source), fitted.reconstruct(source)):
            assert result.shape == source.shape
            assert result.dtype == np.uint8
    assert fitted.transform(x).shape == (10, 3)
    assert list(fitted.get_feature_names_out()) == ["content_0", "content_1", "content_2"]
    assert set(fitted.predict(x)) <= {0, 1}
    assert fitted.cluster_templates_.shape == (2, 1, 20, 20)
    assert np.isfinite(fitted.score(x))


def test_points_agree_with_matrices(fitted: Unwarper) -> None:
    """The matrix of a deformation leads aligned points back to the observed ones."""
    x = pictures(6, seed=2)
    points = np.array([[4.0, 7.0], [10.0, 12.0]])
    aligned = fitted.transform_points(x, points)
    to_observed = fitted.to_matrix(x, "pixel")
    homogeneous = np.concatenate([aligned, np.ones((6, 2, 1))], -1)
    observed = np.einsum("nij,nkj->nki", to_observed, homogeneous)[..., :2]
    np.testing.assert_allclose(observed, np.broadcast_to(points, observed.shape), atol=1e-3)
    np.testing.assert_allclose(
        fitted.to_matrix(x, "skimage") @ to_observed, np.tile(np.eye(3), (6, 1, 1)), atol=1e-4
    )


def test_align_applies_to_other_channels(fitted: Unwarper) -> None:
    """Other channels move as the samples do; another number of samples is refused."""
    x = pictures(6, seed=2)
    colour = np.repeat(x, 3, axis=1).astype(np.float32)
    np.testing.assert_allclose(fitted.align(x, other=colour)[:, 1], fitted.align(x)[:, 0], atol=1)
    with pytest.raises(DataError, match="give as many samples as X"):
        fitted.align(x, other=colour[:3])


def test_paths_and_datasets_are_samples(tmp_path: Path) -> None:
    """A file and a `Dataset` give the codes of the array that they hold."""
    x = pictures(12)
    np.save(tmp_path / "x.npy", x)
    unwarper = Unwarper(max_steps=4, batch_size=8).fit(tmp_path / "x.npy")
    np.testing.assert_array_equal(unwarper.transform(tmp_path / "x.npy"), unwarper.transform(x))
    from_dataset = Unwarper(max_steps=4, batch_size=8).fit(
        Dataset(torch.from_numpy(x.astype(np.float32) / 255))
    )
    np.testing.assert_allclose(
        from_dataset.transform(x.astype(np.float32) / 255), unwarper.transform(x), atol=1e-5
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"warp": "afine"}, "choose one of affine"),
        ({"warp": 3}, "neither a Warp nor a name"),
        ({"batch_size": 1}, "batch_size=1"),
        ({"n_clusters": 0}, "n_clusters=0"),
        ({"n_content": 0}, "n_content=0"),
        ({"n_content": 2.5}, "n_content=2.5"),
        ({"max_steps": 0}, "max_steps=0"),
        ({"precision": "fp8"}, "give one of no, fp16, bf16"),
        ({"recipe": "gpt"}, "choose one of ae"),
        ({"device": "abacus"}, "give one of auto, cpu"),
    ],
)
def test_impossible_arguments_are_named(change: dict[str, Any], message: str) -> None:
    """The message names the argument and its value, or lists the possible ones."""
    with pytest.raises(ConfigError, match=message):
        Unwarper(max_steps=2).set_params(**change).fit(pictures(8))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (pictures(1), "1 sample"),
        (np.full((5, 9, 9), 7.0), "constant"),
        (
            np.where(np.arange(5 * 81).reshape(5, 9, 9) == 100, np.nan, 0.5),
            r"NaN.*\(1, 2, 1\)|\(1, 2, 1\)",
        ),
        (np.zeros((5, 9, 7)), "domain="),
    ],
)
def test_unusable_data_are_refused(x: np.ndarray[Any, Any], message: str) -> None:
    """One sample, constant samples, a gap in an image, and an array that reads two ways."""
    with pytest.raises(DataError, match=message):
        Unwarper(max_steps=2).fit(x)


def test_named_warps_chain() -> None:
    """A plus sign joins two warps in the order of their names."""
    assert [part.name for part in warp_named("displacement+affine").parts] == [
        "displacement",
        "affine",
    ]


def test_points_move_with_the_values() -> None:
    """The value of an aligned series at an aligned point is that at the observed point."""
    t = np.linspace(0, 1, 48, dtype=np.float32)
    lags = np.random.default_rng(0).uniform(-0.1, 0.1, 40).astype(np.float32)
    x = np.exp(-(((t - 0.5 - lags[:, None]) / 0.15) ** 2))
    unwarper = Unwarper("time", max_steps=20, n_clusters=1).fit(x)
    aligned, points = unwarper.align(x), unwarper.transform_points(x, [[20.0], [26.5]])
    assert points.shape == (40, 2, 1)
    for row, steps, original in zip(aligned, points[..., 0], x, strict=True):
        expected = np.interp([20.0, 26.5], range(48), original)
        np.testing.assert_allclose(np.interp(steps, range(48), row), expected, atol=0.02)


def test_auto_warp_follows_the_domain() -> None:
    """Every named family gets the affine warp for images and the warp of time for series."""
    for name in ("ae", "vae", "beta-vae", "gan"):
        assert (
            Unwarper(recipe=name, max_steps=1, n_clusters=2).fit(pictures(16)).recipe_.warp.name
            == "affine"
        )
    series = np.random.default_rng(0).random((16, 40))
    assert Unwarper(recipe="vae", max_steps=1, n_clusters=2).fit(series).recipe_.warp.name == "time"
    named_time = Unwarper(
        recipe=AE(warp=warp_named("time"), views=0.0), max_steps=1, n_clusters=2
    ).fit(series)
    assert named_time.recipe_.warp.name == "time"
    with pytest.raises(ConfigError, match="acts on series data"):
        Unwarper(recipe=AE(warp=warp_named("time"))).fit(pictures(16))


def test_precision_reaches_the_training(tmp_path: Path) -> None:
    """Mixed precision changes losses slightly, and is saved with the model."""
    x, arguments = pictures(16), {"max_steps": 4, "n_clusters": 2, "device": "cpu"}
    full, half = (Unwarper(precision=name, **arguments).fit(x) for name in ("no", "bf16"))
    assert Unwarper(**arguments).precision == "no"
    losses = [model.history_.rows[0]["reconstruction"] for model in (full, half)]
    assert losses[0] != losses[1] and abs(losses[0] - losses[1]) < 0.02 * losses[0]
    half.save(tmp_path / "model")
    assert Unwarper.load(tmp_path / "model").precision == "bf16"


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
def test_unfit_likelihood_names_a_fit_one(likelihood: Any) -> None:
    """Likelihoods of values in [0, 1] refuse other series and name the Gaussian."""
    recipe = VAE(likelihood=likelihood, net=Net("mlp", (8,), (8,)))
    with pytest.raises(DataError, match=r"needs values in \[0, 1\].*likelihood='gaussian'"):
        Unwarper("identity", recipe, max_steps=2).fit(
            np.random.default_rng(0).normal(size=(16, 30))
        )


def test_scale_each_ignores_gain_and_offset() -> None:
    """Each series is scaled by its own mean and deviation, and gets them back."""
    X = np.stack(waves([32] * 6))
    gain, offset = np.geomspace(0.1, 50, 6)[:, None], np.arange(6)[:, None] * 7 - 20
    unwarper = fit_series(X, scale="each")
    other = gain * X + offset
    np.testing.assert_allclose(unwarper.transform(other), unwarper.transform(X), atol=1e-4)
    for method in (unwarper.align, unwarper.template, unwarper.reconstruct):
        np.testing.assert_allclose((method(other) - offset) / gain, method(X), atol=1e-3)
    with pytest.raises(ConfigError, match="'channel' is for series"):
        Unwarper(scale="channel").fit(np.random.default_rng(0).random((6, 9, 9)))


def test_scale_level_ignores_trends(tmp_path: Path) -> None:
    """Codes do not change with a trend; results are in the user's units, also after a save."""
    X = np.stack(waves([32] * 6))
    trend = np.linspace(-1, 1, 32) * np.arange(6)[:, None] + 7
    unwarper = fit_series(X, scale="level")
    unwarper.save(tmp_path / "model")
    for model in (unwarper, Unwarper.load(tmp_path / "model")):
        np.testing.assert_allclose(model.transform(X + trend), model.transform(X), atol=1e-4)
        plain = model.reconstruct(X)
        np.testing.assert_allclose(model.reconstruct(X + trend) - trend, plain, atol=1e-3)
        times = model.transform_events(X, np.arange(32.0), inverse=True)
        moved = [
            np.interp(at, np.arange(32), row) for at, row in zip(times, X + trend, strict=True)
        ]
        np.testing.assert_allclose(model.align(X + trend), moved, atol=1e-4)
    with pytest.raises(ConfigError, match="'level' is for series"):
        Unwarper(scale="level").fit(np.random.default_rng(0).random((6, 9, 9)))


def test_scale_channel_ignores_units(tmp_path: Path) -> None:
    """Channels in other units give the same codes, also after saving and loading."""
    X = np.stack([np.stack(waves([32] * 6)), np.stack(waves([32] * 6)) ** 2], 1)
    # powers of two, which round nothing
    factor = np.array([2.0**-10, 2.0**6])[:, None]
    arguments = {"domain": "series", "scale": "channel"}
    plain, other = fit_series(X, **arguments), fit_series(factor * X, **arguments)
    other.save(tmp_path / "model")
    codes = plain.transform(X)
    for unwarper in (other, Unwarper.load(tmp_path / "model")):
        np.testing.assert_allclose(unwarper.transform(factor * X), codes, atol=1e-5)
        for name in ("align", "template", "reconstruct"):
            np.testing.assert_allclose(
                getattr(unwarper, name)(factor * X) / factor, getattr(plain, name)(X), atol=1e-5
            )
        np.testing.assert_allclose(
            unwarper.inverse_transform(codes) / factor, plain.inverse_transform(codes), atol=1e-5
        )
    with pytest.raises(ConfigError, match="'channel' is for series"):
        Unwarper(scale="channel").fit(np.random.default_rng(0).random((6, 9, 9)))


@pytest.mark.parametrize(
    ("scale", "expected"), [("auto", ["channel 1 varies 64 times"]), ("channel", []), ("each", [])]
)
def test_uneven_units_are_reported(scale: Any, expected: list[str]) -> None:
    """A channel that varies far more than another is named before training, unless scaled."""

    class Recorder(Callback):
        def on_message(self, line: str) -> None:
            if not line.startswith("memory"):
                lines.append(line)

    lines: list[str] = []
    X = np.stack([np.stack(waves([32] * 6))] * 2, 1) * np.array([1.0, 64.0])[:, None]
    Unwarper(domain="series", recipe=RECIPE, scale=scale, max_steps=1, n_clusters=2).fit(
        X, callbacks=[Recorder()]
    )
    starts = [line[: len(start)] for line, start in zip(lines, expected, strict=True)]
    assert starts == expected


def test_series_of_one_step_have_a_table() -> None:
    """Without a second time step there is no speed, and all numbers are finite."""
    X = np.arange(6.0)[:, None]
    unwarper = Unwarper("time", max_steps=2, n_clusters=2).fit(X)
    assert np.isfinite(unwarper.transform_params(X).to_numpy()).all() and unwarper.template(
        X
    ).shape == (6, 1)


@pytest.mark.parametrize("shape", [(6, 2, 40), (8, 12, 12)])
def test_warp_decides_between_domains(shape: tuple[int, ...]) -> None:
    """An array that reads two ways is read as the warp needs it."""
    X = np.random.default_rng(0).random(shape)
    for arguments in ({"warp": "time"}, {"warp": CosineTime(4)}, {"recipe": RECIPE}):
        unwarper = Unwarper(max_steps=1, n_clusters=2, **arguments).fit(X)
        assert unwarper.schema_.domain.name == "series" and unwarper.schema_.shape == shape[1:]
    with pytest.raises(DataError, match="which reads two ways"):
        Unwarper(max_steps=1).fit(X[:, :2])
    with pytest.raises(ConfigError, match="'affine' acts on image data"):
        Unwarper("affine", max_steps=1).fit(Dataset(torch.from_numpy(X)))


def check_pipeline(first: Any, domain: Any = "auto") -> None:
    """A pipeline predicts for held-out bumps the classes that its parts do, one by one."""
    train, test = (bumps.load(part, n_per_class=6, length=32) for part in ("train", "test"))
    X, held_out = (
        part.x.double().numpy() if domain == "series" else part.x[:, 0].numpy()
        for part in (train, test)
    )
    unwarper = Unwarper(domain=domain, recipe=RECIPE, max_steps=20, n_clusters=2, device="cpu")
    predicted = (
        make_pipeline(clone(first), clone(unwarper), KNeighborsClassifier(1))
        .fit(X, train.labels)
        .predict(held_out)
    )
    codes = unwarper.fit_transform(first.fit_transform(X))
    neighbours = KNeighborsClassifier(1).fit(codes, train.labels)
    np.testing.assert_array_equal(
        predicted, neighbours.predict(unwarper.transform(first.transform(held_out)))
    )
    assert len(set(predicted)) > 1


def test_pipeline_equals_its_parts() -> None:
    """In a pipeline of scikit-learn."""
    check_pipeline(FunctionTransformer())


def test_pipeline_starts_with_aeon() -> None:
    """After a transformer of collections from aeon."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collection = pytest.importorskip(
            "aeon.transformations.collection", reason="aeon is not installed"
        )
        check_pipeline(collection.Normalizer(), "series")


def test_mask_ignores_hidden_values() -> None:
    """Values under a mask do not matter: NaN, a mask, and a mask over other values agree."""
    X, is_observed = waves_with_gaps()
    mask = torch.from_numpy(is_observed)
    x_nan, other = np.where(is_observed, X, NAN), np.where(is_observed, X, 1e3).astype(np.float32)
    codes = fit_series(x_nan, missing="mask").transform(x_nan)
    for values in (X, other):
        unwarper = fit_series(Dataset(torch.from_numpy(values)[:, None], mask=mask), missing="mask")
        np.testing.assert_array_equal(codes, unwarper.transform(x_nan))


def test_encoder_knows_the_gaps() -> None:
    """Equal values have other codes if some of them were not observed but interpolated."""
    X, is_observed = waves_with_gaps()
    unwarper = fit_series(np.where(is_observed, X, NAN), missing="mask")
    level = np.full((1, 40), 0.5, np.float32)
    gap = level.copy()
    gap[0, 10:20] = NAN  # interpolation fills in the same values
    assert not np.allclose(unwarper.transform(level), unwarper.transform(gap))


def test_unsupported_gaps_are_refused() -> None:
    """Gaps in images, and in series for a family that cannot learn from them."""
    pictures = np.random.default_rng(0).random((12, 1, 10, 10))
    pictures[0, 0, 0, 0] = NAN
    with pytest.raises(DataError, match=r"NaN|missing"):
        Unwarper(missing="mask", max_steps=2).fit(pictures)
    X, is_observed = waves_with_gaps()
    with pytest.raises(ConfigError, match="gaps=True is for series"):
        Unwarper(recipe="mixing-ae", missing="mask", max_steps=2).fit(np.where(is_observed, X, NAN))
    with pytest.raises(ConfigError, match="gaps=True is for series"):
        AE(gaps=True).build((1, 10, 10))


@pytest.mark.parametrize("missing", ["error", "mask", "interpolate"])
@pytest.mark.parametrize("times", [None, np.linspace(0, 2, 40)])
def test_unobserved_last_steps_are_cut(missing: Any, times: Any) -> None:
    """Steps at the end without any value change nothing, in training and afterwards."""
    X = np.stack(waves([40] * 6))
    X[:, 38:] = NAN
    unwarper = fit_series(X, times, missing=missing)
    cut = None if times is None else times[:38]
    np.testing.assert_array_equal(
        unwarper.align(X, times=times), unwarper.align(X[:, :38], times=cut)
    )
    np.testing.assert_array_equal(
        unwarper.transform(X, times=times), unwarper.transform(X[:, :38], times=cut)
    )
    np.testing.assert_array_equal(np.isnan(unwarper.reconstruct(X, times=times)), np.isnan(X))
    assert unwarper.align(X[:1], times=times).shape == (1, 38) == (1, *unwarper.times_.shape)


class Interrupt(Callback):
    """Callback that interrupts the training, as Ctrl-C does."""

    def on_step(self, state: State, terms: Row) -> None:
        """Raise the exception of an interrupt."""
        raise KeyboardInterrupt


@pytest.mark.parametrize("cause", ["argument", "field", "data", "interrupt", "clusters"])
def test_fit_changes_all_or_nothing(cause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a refused or interrupted refit, all attributes and results are the earlier ones."""
    x = np.stack(waves([40] * 8))
    unwarper = Unwarper(recipe=RECIPE, max_steps=1, n_clusters=2).fit(x)
    earlier, codes = dict(vars(unwarper)), unwarper.transform(x)
    callbacks, other = [Interrupt()] if cause == "interrupt" else [], 100 - 9 * x[:, :30]
    changes: dict[str, dict[str, Any]] = {
        "argument": {"max_seconds": -1},
        "field": {"overrides": {"optimiser.lr": float("nan")}},
    }
    if cause == "data":
        other[3, 4] = np.nan
    if cause == "clusters":
        monkeypatch.setattr(Mixture, "fit", lambda *args: 1 / 0)
    unwarper.set_params(**changes.get(cause, {}))
    with pytest.raises((ConfigError, DataError, KeyboardInterrupt, ZeroDivisionError)):
        unwarper.fit(other, callbacks=callbacks)
    assert {name: value for name, value in vars(unwarper).items() if name.endswith("_")} == {
        name: value for name, value in earlier.items() if name.endswith("_")
    }
    np.testing.assert_array_equal(unwarper.transform(x), codes)


@pytest.mark.parametrize(
    "change",
    [
        {"random_state": -1},
        {"random_state": np.random.default_rng(0)},
        {"max_seconds": float("nan")},
        {"precision": "fp8"},
        {"device": "abacus"},
        {"warp": "afine"},
        {"missing": "drop"},
        {"overrides": {"optimiser.lr": float("nan")}},
        {"recipe": "vae", "overrides": {"beta": -1}},
        {"overrides": {"passes": [1, 10**9]}},
    ],
)
def test_arguments_come_before_the_data(change: dict[str, Any]) -> None:
    """A wrong argument is named even if the samples do not exist."""
    for method in ("fit", "parse"):
        with pytest.raises(ConfigError):
            getattr(Unwarper(**change), method)("no-such-folder")


def test_random_states_are_seeds() -> None:
    """A `RandomState` gives the numbers of its seed; None gives other numbers each time."""
    x = np.stack(waves([40] * 8))

    def codes(seed: Any) -> Any:
        return Unwarper(recipe=RECIPE, max_steps=1, n_clusters=2, random_state=seed).fit_transform(
            x
        )

    np.testing.assert_array_equal(codes(np.random.RandomState(3)), codes(3))
    assert not np.array_equal(codes(None), codes(None))


@pytest.mark.parametrize(
    ("domain", "context"), [("image", torch.no_grad), ("series", torch.inference_mode)]
)
def test_torch_settings_change_no_number(domain: str, context: Callable[[], Any]) -> None:
    """Under float64 as torch's default and without gradients, all results are bit-equal."""
    x: Any = pictures(12) if domain == "image" else np.stack(waves([40] * 12))
    arguments: dict[str, Any] = {"max_steps": 3, "n_clusters": 2, "recipe": "vae"}

    def results() -> list[Any]:
        unwarper = Unwarper(**arguments).fit(x)
        z, table = unwarper.transform(x), unwarper.transform_params(x, full=True)
        points = [[1.0, 2.0]] if domain == "image" else [[1.0]]
        arrays = [unwarper.align(x), unwarper.template(x), unwarper.reconstruct(x), z]
        arrays += [unwarper.inverse_transform(z, table), unwarper.sample(2), unwarper.score(x)]
        return [*arrays, table.to_numpy(), unwarper.transform_points(x, points)]

    expected = results()
    torch.set_default_dtype(torch.float64)
    try:
        with context():
            changed = results()
    finally:
        torch.set_default_dtype(torch.float32)
    for value, other in zip(changed, expected, strict=True):
        assert np.asarray(value).dtype == np.asarray(other).dtype
        np.testing.assert_array_equal(value, other)


@pytest.mark.parametrize("domain", ["image", "series"])
def test_rows_do_not_depend_on_others(domain: str, fitted: Unwarper) -> None:
    """One row alone and in a batch agree to 1e-5 of the range, in codes, poses and values."""
    X: Any = pictures(12, seed=4) / 255 if domain == "image" else np.stack(waves([40] * 12))
    unwarper = fitted if domain == "image" else fit_series(X)
    X = 255 * X if domain == "image" else X
    for name in ("transform", "transform_params", "align", "template", "reconstruct"):
        method = getattr(unwarper, name)
        whole = np.asarray(method(X), float)
        rows = np.concatenate([np.asarray(method(X[i : i + 1]), float) for i in range(len(X))])
        np.testing.assert_allclose(rows, whole, rtol=0, atol=1e-5 * np.ptp(whole))


def test_bytes_do_not_depend_on_others(fitted: Unwarper) -> None:
    """One uint8 row alone and in a batch differ by one level, in 1 of 10,000 values at most."""
    X = pictures(40, seed=5).astype(np.uint8)
    for method in (fitted.align, fitted.template, fitted.reconstruct):
        rows = np.concatenate([method(x[None]) for x in X]).astype(int)
        difference = np.abs(rows - method(X))
        assert difference.max() <= 1 and (difference > 0).mean() <= 1e-4
