"""The scikit-learn door: its own checks, and what each method promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.pictures import pictures
from unwarp import AE, VAE, Affine2d, Chain, Dataset, Displacement2d, Unwarper
from unwarp.errors import CheckpointError, ConfigError, DataError
from unwarp.models import Net
from unwarp.warps import named

EXPECTED_FAILURES = {
    "check_methods_subset_invariance": "float32 sums depend on the batch size in their last digit; the check asks for 1e-7"
}


@parametrize_with_checks(
    [Unwarper(max_steps=8, n_clusters=3)], expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_scikit_learn(estimator: Unwarper, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def fitted() -> Unwarper:
    torch.set_num_threads(1)
    recipe = AE(warp=Chain(Displacement2d(3), Affine2d()), n_content=3)
    return Unwarper(recipe=recipe, max_steps=60, batch_size=16, n_clusters=2).fit(pictures())


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


def test_full_parameters_lose_nothing(fitted: Unwarper) -> None:
    x = pictures(10, seed=1)
    made = fitted.inverse_transform(fitted.transform(x), fitted.transform_params(x, full=True))
    np.testing.assert_allclose(np.rint(made), fitted.reconstruct(x), atol=1)
    np.testing.assert_allclose(np.rint(fitted.inverse_transform(fitted.transform(x))), fitted.template(x), atol=1)


def test_human_columns_lead_back_for_an_affine_warp() -> None:
    x = pictures(24)
    unwarper = Unwarper(max_steps=10, batch_size=8).fit(x)
    table = unwarper.transform_params(x)
    assert list(table) == ["rotation_deg", "scale_x", "scale_y", "shear_deg", "shift_x_px", "shift_y_px"]
    assert table.attrs["units"]["rotation_deg"] == "deg"
    made = unwarper.inverse_transform(unwarper.transform(x), table)
    np.testing.assert_allclose(np.rint(made), unwarper.reconstruct(x), atol=1)


def test_points_matrices_and_alignment_agree(fitted: Unwarper) -> None:
    x = pictures(6, seed=2)
    points = np.array([[4.0, 7.0], [10.0, 12.0]])
    moved = fitted.transform_points(x, points)
    to_observed = fitted.to_matrix(x, "pixel")
    back = np.einsum("nij,nkj->nki", to_observed, np.concatenate([moved, np.ones((6, 2, 1))], -1))[..., :2]
    np.testing.assert_allclose(back, np.broadcast_to(points, back.shape), atol=1e-3)
    np.testing.assert_allclose(fitted.to_matrix(x, "skimage") @ to_observed, np.tile(np.eye(3), (6, 1, 1)), atol=1e-4)


def test_align_takes_another_channel_along(fitted: Unwarper) -> None:
    x = pictures(6, seed=2)
    colour = np.repeat(x, 3, axis=1).astype(np.float32)
    np.testing.assert_allclose(fitted.align(x, other=colour)[:, 1], fitted.align(x)[:, 0], atol=1)
    with pytest.raises(DataError, match="samples and frame must agree"):
        fitted.align(x, other=colour[:3])


def test_save_and_load_give_the_same_numbers(fitted: Unwarper, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    fitted.save(tmp_path / "model")
    found = Unwarper.load(tmp_path / "model")
    x = pictures(7, seed=3)
    np.testing.assert_array_equal(found.transform(x), fitted.transform(x))
    np.testing.assert_array_equal(found.align(x), fitted.align(x))
    np.testing.assert_array_equal(found.predict(x), fitted.predict(x))
    assert found.transform_params(x).equals(fitted.transform_params(x))
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == ["README.md", "config.json", "model.safetensors"]


def test_paths_and_datasets_are_data_too(tmp_path: Path) -> None:
    x = pictures(12)
    np.save(tmp_path / "x.npy", x)
    unwarper = Unwarper(max_steps=4, batch_size=8).fit(tmp_path / "x.npy")
    np.testing.assert_array_equal(unwarper.transform(tmp_path / "x.npy"), unwarper.transform(x))
    again = Unwarper(max_steps=4, batch_size=8).fit(Dataset(torch.from_numpy(x.astype(np.float32) / 255)))
    np.testing.assert_allclose(again.transform(x.astype(np.float32) / 255), unwarper.transform(x), atol=1e-5)


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
        (np.where(np.arange(5 * 81).reshape(5, 9, 9) == 100, np.nan, 0.5), r"NaN.*\(1, 2, 1\)|\(1, 2, 1\)"),
        (np.zeros((5, 9, 7)), "domain="),
    ],
)
def test_data_that_cannot_be_used_is_refused(x: np.ndarray[Any, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Unwarper(max_steps=2).fit(x)


def test_named_warps_chain() -> None:
    assert [link.name for link in named("displacement+affine").parts] == ["displacement", "affine"]


def test_samples_come_in_the_datas_range_and_follow_the_seed(fitted: Unwarper) -> None:
    made = fitted.sample(5, random_state=1)
    assert made.shape == (5, 1, 20, 20)
    assert 0 <= made.min() < made.max() <= 255
    assert np.array_equal(made, fitted.sample(5, random_state=1))
    assert not np.array_equal(made, fitted.sample(5, random_state=2))
    with pytest.raises(ConfigError, match="no prior over content; use source='mixture'"):
        fitted.sample(2, source="prior")
    with pytest.raises(ConfigError, match="one of auto, prior, mixture"):
        fitted.sample(2, source="posterior")  # type: ignore[arg-type]


def test_a_variational_family_is_drawn_from_its_prior_by_default() -> None:
    u = Unwarper("affine", "vae", max_steps=3, n_clusters=2).fit(pictures())
    assert np.array_equal(u.sample(3), u.sample(3, source="prior"))
    assert not np.array_equal(u.sample(3), u.sample(3, source="mixture"))


def test_a_loaded_model_draws_the_same_samples(fitted: Unwarper, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    assert np.array_equal(Unwarper.load(tmp_path / "model").sample(4), fitted.sample(4))


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
        assert Unwarper(recipe=name, max_steps=1, n_clusters=2).fit(pictures(16)).recipe_.warp.name == "affine"
    series = np.random.default_rng(0).random((16, 40))
    assert Unwarper(recipe="vae", max_steps=1, n_clusters=2).fit(series).recipe_.warp.name == "time"
    named_time = Unwarper(recipe=AE(warp=named("time"), views=0.0), max_steps=1, n_clusters=2).fit(series)
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


def test_a_model_of_an_older_version_has_the_default_of_what_came_later(fitted: Unwarper, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    record = json.loads(config.read_text())
    del record["settings"]["precision"]
    config.write_text(json.dumps(record))
    assert Unwarper.load(tmp_path / "model").precision == "no"


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
def test_a_likelihood_that_does_not_fit_the_range_says_which_does(likelihood: Any) -> None:
    recipe = VAE(likelihood=likelihood, net=Net("mlp", (8,), (8,)))
    with pytest.raises(DataError, match=r"needs values in \[0, 1\].*likelihood='gaussian'"):
        Unwarper("identity", recipe, max_steps=2).fit(np.random.default_rng(0).normal(size=(16, 30)))


def test_a_model_folder_with_wrong_settings_is_refused_by_type(fitted: Unwarper, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    record = json.loads(config.read_text())
    for change in ({"settings": 3}, {"data": [1]}, {"data": {"kind": "image", "offset": 0.0, "factor": -1.0}}):
        config.write_text(json.dumps(record | change))
        with pytest.raises(CheckpointError, match="save it again"):
            Unwarper.load(tmp_path / "model")


def test_a_model_folder_without_its_settings_is_refused_by_type(fitted: Unwarper, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    config = tmp_path / "model" / "config.json"
    config.write_text(config.read_text().replace('"n_features_in"', '"n_features_out"'))
    with pytest.raises(CheckpointError, match="lacks what an Unwarper needs"):
        Unwarper.load(tmp_path / "model")
