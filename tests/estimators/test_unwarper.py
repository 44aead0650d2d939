"""The scikit-learn door: its own checks, and what each method promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.pictures import pictures
from unwarp import AE, VAE, Affine2d, Dataset, Unwarper
from unwarp.errors import ConfigError, DataError
from unwarp.models import Net
from unwarp.warps import named

EXPECTED_FAILURES = {
    "check_methods_subset_invariance": "float32 sums depend on the batch size in their last digit; the check asks for 1e-7"
}


@parametrize_with_checks(
    [Unwarper(max_steps=8, n_clusters=3)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_scikit_learn(estimator: Unwarper, check: Any) -> None:
    check(estimator)


def test_defaults_follow_the_data() -> None:
    unwarper = Unwarper(max_steps=2, batch_size=8)
    assert isinstance(unwarper.fit(pictures()).recipe_.warp, Affine2d)
    assert unwarper.recipe_.padding == "zeros"
    assert unwarper.fit(255 - pictures()).recipe_.padding == "border"
    assert unwarper.fit(np.random.default_rng(0).normal(size=(20, 15))).recipe_.warp.name == "time"
    assert unwarper.set_params(warp="similarity").fit(pictures()).recipe_.warp.name == "similarity"
    assert clone(unwarper).get_params() == unwarper.get_params()


def test_shapes_range_and_dtype_come_back(fitted: Unwarper) -> None:
    x = pictures(10, seed=1)
    for given in (x, x[:, 0]):
        for made in (fitted.align(given), fitted.template(given), fitted.reconstruct(given)):
            assert made.shape == given.shape
            assert made.dtype == np.uint8
    assert fitted.transform(x).shape == (10, 3)
    assert list(fitted.get_feature_names_out()) == ["content_0", "content_1", "content_2"]
    assert set(fitted.predict(x)) <= {0, 1}
    assert fitted.cluster_templates_.shape == (2, 1, 20, 20)
    assert np.isfinite(fitted.score(x))


def test_points_matrices_and_alignment_agree(fitted: Unwarper) -> None:
    x = pictures(6, seed=2)
    points = np.array([[4.0, 7.0], [10.0, 12.0]])
    moved = fitted.transform_points(x, points)
    to_observed = fitted.to_matrix(x, "pixel")
    back = np.einsum("nij,nkj->nki", to_observed, np.concatenate([moved, np.ones((6, 2, 1))], -1))[
        ..., :2
    ]
    np.testing.assert_allclose(back, np.broadcast_to(points, back.shape), atol=1e-3)
    np.testing.assert_allclose(
        fitted.to_matrix(x, "skimage") @ to_observed, np.tile(np.eye(3), (6, 1, 1)), atol=1e-4
    )


def test_align_takes_another_channel_along(fitted: Unwarper) -> None:
    x = pictures(6, seed=2)
    colour = np.repeat(x, 3, axis=1).astype(np.float32)
    np.testing.assert_allclose(fitted.align(x, other=colour)[:, 1], fitted.align(x)[:, 0], atol=1)
    with pytest.raises(DataError, match="samples and frame must agree"):
        fitted.align(x, other=colour[:3])


def test_paths_and_datasets_are_data_too(tmp_path: Path) -> None:
    x = pictures(12)
    np.save(tmp_path / "x.npy", x)
    unwarper = Unwarper(max_steps=4, batch_size=8).fit(tmp_path / "x.npy")
    np.testing.assert_array_equal(unwarper.transform(tmp_path / "x.npy"), unwarper.transform(x))
    again = Unwarper(max_steps=4, batch_size=8).fit(
        Dataset(torch.from_numpy(x.astype(np.float32) / 255))
    )
    np.testing.assert_allclose(
        again.transform(x.astype(np.float32) / 255), unwarper.transform(x), atol=1e-5
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"warp": "afine"}, "choose one of affine"),
        ({"warp": 3}, "neither a Warp nor a name"),
        ({"batch_size": 1}, "batch_size=1"),
        ({"n_clusters": 0}, "n_clusters=0"),
        ({"n_content": 0}, "n_content=0"),
        ({"n_content": 2.5}, "n_content=2.5"),
        ({"max_steps": 0}, "max_steps=0"),
        ({"precision": "fp8"}, "choose no, fp16 or bf16"),
        ({"recipe": "gpt"}, "choose one of ae"),
        ({"device": "abacus"}, "choose one of cpu"),
    ],
)
def test_impossible_choices_name_the_choice(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Unwarper(max_steps=2).set_params(**change).fit(pictures(8))


@pytest.mark.parametrize(
    ("x", "words"),
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
def test_data_that_cannot_be_used_is_refused(x: np.ndarray[Any, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Unwarper(max_steps=2).fit(x)


def test_named_warps_chain() -> None:
    assert [link.name for link in named("displacement+affine").parts] == ["displacement", "affine"]


def test_points_of_series_go_where_alignment_takes_them() -> None:
    t = np.linspace(0, 1, 48, dtype=np.float32)
    lags = np.random.default_rng(0).uniform(-0.1, 0.1, 40).astype(np.float32)
    x = np.exp(-(((t - 0.5 - lags[:, None]) / 0.15) ** 2))
    u = Unwarper("time", max_steps=20, n_clusters=1).fit(x)
    aligned, moved = u.align(x), u.transform_points(x, [[20.0], [26.5]])
    assert moved.shape == (40, 2, 1)
    for row, place, original in zip(aligned, moved[..., 0], x, strict=True):
        found, seen = np.interp(place, range(48), row), np.interp([20.0, 26.5], range(48), original)
        np.testing.assert_allclose(found, seen, atol=0.02)


def test_auto_takes_the_affine_warp_for_images_whatever_family_is_named() -> None:
    for name in ("ae", "vae", "beta-vae", "gan"):
        assert (
            Unwarper(recipe=name, max_steps=1, n_clusters=2).fit(pictures(16)).recipe_.warp.name
            == "affine"
        )
    series = np.random.default_rng(0).random((16, 40))
    assert Unwarper(recipe="vae", max_steps=1, n_clusters=2).fit(series).recipe_.warp.name == "time"
    named_time = Unwarper(recipe=AE(warp=named("time"), views=0.0), max_steps=1, n_clusters=2).fit(
        series
    )
    assert named_time.recipe_.warp.name == "time"
    with pytest.raises(ConfigError, match="acts on series data"):
        Unwarper(recipe=AE(warp=named("time"))).fit(pictures(16))


def test_precision_reaches_the_training_and_is_kept(tmp_path: Path) -> None:
    x, kept = pictures(16), {"max_steps": 4, "n_clusters": 2, "device": "cpu"}
    full, half = (Unwarper(precision=name, **kept).fit(x) for name in ("no", "bf16"))
    assert Unwarper(**kept).precision == "no"
    losses = [u.history_.rows[0]["reconstruction"] for u in (full, half)]
    assert losses[0] != losses[1] and abs(losses[0] - losses[1]) < 0.02 * losses[0]
    half.save(tmp_path / "model")
    assert Unwarper.load(tmp_path / "model").precision == "bf16"


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
def test_a_likelihood_that_does_not_fit_the_range_says_which_does(likelihood: Any) -> None:
    recipe = VAE(likelihood=likelihood, net=Net("mlp", (8,), (8,)))
    with pytest.raises(DataError, match=r"needs values in \[0, 1\].*likelihood='gaussian'"):
        Unwarper("identity", recipe, max_steps=2).fit(
            np.random.default_rng(0).normal(size=(16, 30))
        )
