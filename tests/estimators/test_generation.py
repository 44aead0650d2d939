"""Codes in, samples out: what leads back to the data, and new samples."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pictures import pictures
from unwarp import Unwarper
from unwarp.errors import ConfigError


def test_full_parameters_lose_nothing(fitted: Unwarper) -> None:
    x = pictures(10, seed=1)
    made = fitted.inverse_transform(fitted.transform(x), fitted.transform_params(x, full=True))
    np.testing.assert_allclose(np.rint(made), fitted.reconstruct(x), atol=1)
    np.testing.assert_allclose(
        np.rint(fitted.inverse_transform(fitted.transform(x))), fitted.template(x), atol=1
    )


def test_human_columns_lead_back_for_an_affine_warp() -> None:
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
    made = unwarper.inverse_transform(unwarper.transform(x), table)
    np.testing.assert_allclose(np.rint(made), unwarper.reconstruct(x), atol=1)


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
