"""Samples from latents: reconstructions from codes and tables, and new samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.pictures import pictures
from unwarp import Unwarper
from unwarp.errors import ConfigError, DataError


def test_full_parameters_lose_nothing(fitted: Unwarper) -> None:
    """Codes with all columns of theta give reconstructions, codes alone give templates."""
    x = pictures(10, seed=1)
    x_hat = fitted.inverse_transform(fitted.transform(x), fitted.transform_params(x, full=True))
    np.testing.assert_allclose(np.rint(x_hat), fitted.reconstruct(x), atol=1)
    np.testing.assert_allclose(
        np.rint(fitted.inverse_transform(fitted.transform(x))), fitted.template(x), atol=1
    )


def test_human_columns_restore_affine_warps() -> None:
    """For an affine warp the table in human units gives the reconstructions, too."""
    x = pictures(24)
    unwarper = Unwarper(max_steps=10, batch_size=8).fit(x)
    table = unwarper.transform_params(x)
    assert list(table) == [
        "rotation_deg",
        "scale_x",
        "scale_y",
        "shear_deg",
        "shift_x_px",
        "shift_y_px",
    ]
    assert table.attrs["units"]["rotation_deg"] == "deg"
    x_hat = unwarper.inverse_transform(unwarper.transform(x), table)
    np.testing.assert_allclose(np.rint(x_hat), unwarper.reconstruct(x), atol=1)


def test_samples_follow_the_seed(fitted: Unwarper) -> None:
    """They are in the range of the data; unknown densities are refused with the known ones."""
    samples = fitted.sample(5, random_state=1)
    assert samples.shape == (5, 1, 20, 20)
    assert 0 <= samples.min() < samples.max() <= 255
    assert np.array_equal(samples, fitted.sample(5, random_state=1))
    assert not np.array_equal(samples, fitted.sample(5, random_state=2))
    with pytest.raises(ConfigError, match="no prior over content; use source='mixture'"):
        fitted.sample(2, source="prior")
    with pytest.raises(ConfigError, match="one of auto, prior, mixture"):
        fitted.sample(2, source="posterior")  # type: ignore[arg-type]


def test_variational_samples_use_the_prior() -> None:
    """A VAE is sampled from its prior unless a mixture is asked for."""
    unwarper = Unwarper("affine", "vae", max_steps=3, n_clusters=2).fit(pictures())
    assert np.array_equal(unwarper.sample(3), unwarper.sample(3, source="prior"))
    assert not np.array_equal(unwarper.sample(3), unwarper.sample(3, source="mixture"))


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "3", None])
def test_sample_counts_are_whole(fitted: Unwarper, n: Any) -> None:
    """A number of samples is a whole number of at least 1, and its seed is one below 2**32."""
    with pytest.raises(ConfigError, match=r"^n=.* is not allowed; give a whole number"):
        fitted.sample(n)
    with pytest.raises(ConfigError, match=r"^random_state=.* is not allowed; give a whole number"):
        fitted.sample(2, random_state=-1)


def test_codes_must_be_finite_numbers(fitted: Unwarper) -> None:
    """NaN, infinite and complex codes and deformations are refused, by the name of the argument."""
    codes = np.zeros((2, 3))
    n_columns = fitted.transform_params(pictures(2), full=True).shape[1]
    for value in (np.nan, np.inf, 1j):
        with pytest.raises(DataError, match=r"^Z .*give"):
            fitted.inverse_transform(codes + value)
        with pytest.raises(DataError, match=r"^params .*give"):
            fitted.inverse_transform(codes, np.zeros((2, n_columns)) + value)


def test_columns_of_codes_have_names(fitted: Unwarper) -> None:
    """Codes in a table are matched by name, as deformations are; other names are refused."""
    codes = np.random.default_rng(0).normal(size=(2, 3))
    expected = fitted.inverse_transform(codes)
    table = pd.DataFrame(codes, columns=fitted.get_feature_names_out())
    for samples in (table, table.iloc[:, ::-1], pd.DataFrame(codes)):
        np.testing.assert_allclose(fitted.inverse_transform(samples), expected, rtol=1e-5)
    for other in (table.add_prefix("x"), pd.DataFrame(codes).iloc[:, ::-1], table.iloc[:, :2]):
        with pytest.raises(DataError, match=r"^Z has the columns .*; give content_0, content_1"):
            fitted.inverse_transform(other)


def test_scales_must_be_positive() -> None:
    """A scale of 0 or below is no deformation; the message names the row."""
    unwarper = Unwarper("affine", max_steps=1, n_clusters=2).fit(pictures())
    table = unwarper.transform_params(pictures(3))
    for scale in (0.0, -1.0):
        table.loc[1, "scale_x"] = scale
        with pytest.raises(DataError, match="row 1 of params is no deformation"):
            unwarper.inverse_transform(unwarper.transform(pictures(3)), table)


@pytest.mark.parametrize("points", [[[1.0, 2.0], [3.0]], [["a", "b"]], np.ones((2, 2)) * 1j])
def test_points_must_be_numbers(fitted: Unwarper, points: Any) -> None:
    """Ragged points, words and complex numbers are refused by name."""
    with pytest.raises(DataError, match=r"^points .*; |^points .*give"):
        fitted.transform_points(pictures(2), points)


@pytest.fixture
def short_distilling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of fast codes that is trained for a few steps."""
    monkeypatch.setattr("unwarp.training.distilling.STEPS", 5)
    monkeypatch.setattr("unwarp.training.distilling.N_MIXTURES", 20)


@pytest.mark.usefixtures("short_distilling")
def test_fast_codes_state_their_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The network predicts codes; its loss is told, kept, saved, and None without it."""
    X = np.random.default_rng(0).normal(size=(20, 24)).cumsum(1)
    options: dict[str, Any] = {"max_steps": 1, "n_clusters": 2, "device": "cpu"}
    exact, fast = Unwarper(**options).fit(X), Unwarper(**options, fast=True, verbose=True).fit(X)
    loss = fast.fast_loss_
    assert exact.fast_loss_ is None and loss is not None and loss.n_series == 4
    assert f"fast codes: {loss}" in capsys.readouterr().out
    assert not np.allclose(exact.transform(X), fast.transform(X))
    assert np.array_equal(exact.predict(X), fast.predict(X))
    fast.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    assert loaded.fast and loaded.fast_loss_ == loss
    assert np.array_equal(loaded.transform(X), fast.transform(X))
    fast.set_params(warm_start=True, verbose=False).fit(X)
    assert fast.fast_loss_ is not None


def test_fast_is_refused_without_elastic() -> None:
    """Only elastic codes can be predicted by a network that is distilled."""
    X = np.random.default_rng(0).normal(size=(20, 24))
    for arguments in ({"content": "joint"}, {"recipe": "vae"}, {"domain": "image"}):
        x = X.reshape(20, 4, 6) if "domain" in arguments else X
        with pytest.raises(ConfigError, match="fast=True predicts elastic codes"):
            Unwarper(**arguments, fast=True, max_steps=1).fit(x)
    with pytest.raises(ConfigError, match="fast='yes' is not allowed"):
        Unwarper(fast="yes").fit(X)
