"""Samples from latents: reconstructions from codes and tables, and new samples."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pictures import pictures
from unwarp import Unwarper
from unwarp.errors import ConfigError


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
