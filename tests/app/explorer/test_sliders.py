"""Sliders: values in units for people go to theta and back, for every family of deformations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.analysis.tables import tabulate
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.sliders import Sliders, slider_of
from unwarp.core import Factor
from unwarp.errors import ConfigError
from unwarp.warps import Affine2d, Chain, CosineTime, Displacement2d, TimeAffine, Warp

WARPS: dict[str, Warp] = {
    "affine": Affine2d(mirror=True).bind((20, 30)),
    "chain": Chain(Displacement2d(), Affine2d()).bind((20, 30)),
    "time": CosineTime(3).bind((50,)),
    "lags": TimeAffine(sampling_rate=10.0).bind((51,)),
}


def sliders_of(warp: Warp) -> Sliders:
    """The sliders of a family; series are 5 s long."""
    return Sliders(tuple(slider_of(factor, warp.size, 5.0, "s") for factor in warp.factors))


@pytest.mark.parametrize("name", WARPS)
def test_values_give_theta_back(name: str) -> None:
    """Each column of theta has its slider, and nothing is lost."""
    warp = WARPS[name]
    theta = warp.theta(warp.sample(5, torch.Generator().manual_seed(0))).numpy()
    sliders = sliders_of(warp)
    for row, values in zip(theta, sliders.values(theta), strict=True):
        np.testing.assert_allclose(sliders.theta(values)[0], row, atol=1e-5)
    ends = sliders.ranges(theta)
    for values in sliders.values(theta):
        assert all(a <= v <= b for v, (a, b) in zip(values.values(), ends, strict=True))


@pytest.mark.parametrize("name", ["affine", "lags"])
def test_sliders_are_columns_of_tables(name: str) -> None:
    """Names and values of affine maps are those of the tables, units included."""
    warp = WARPS[name]
    map = warp.sample(4, torch.Generator().manual_seed(1))
    table = tabulate(map, warp)
    values = sliders_of(warp).values(warp.theta(map).numpy())
    assert set(values[0]) == set(table)
    for row in range(4):
        expected = table.iloc[row].to_dict()
        assert values[row] == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_chains_keep_their_prefixes() -> None:
    """Columns of a chain are told apart by the names of its links."""
    names = [slider.factor.name for slider in sliders_of(WARPS["chain"]).sliders]
    assert {"displacement_x_0_0_px", "affine_rotation_deg", "affine_scale_x"} <= set(names)
    assert len(set(names)) == len(names)


def test_identity_is_the_neutral_value() -> None:
    """Factors are 1 and shifts are 0 without a deformation."""
    sliders = sliders_of(WARPS["affine"]).sliders
    values = {slider.factor.name: slider.identity for slider in sliders}
    assert values["scale_x"] == 1 and values["rotation_deg"] == 0 and values["mirror"] == 0


@pytest.mark.parametrize("values", [{"x": 0.0}, {"scale_x": 0.0}, {"scale_x": -1.0}])
def test_wrong_values_are_refused(values: dict[str, float]) -> None:
    """The message names the slider."""
    with pytest.raises(ConfigError, match=rf"deformation\.{next(iter(values))}"):
        sliders_of(WARPS["affine"]).theta(values)


def test_mirror_has_two_values() -> None:
    """A value between them is one of them."""
    sliders = sliders_of(WARPS["affine"])
    assert [float(sliders.theta({"mirror": x})[0, -1]) for x in (0.2, 0.8)] == [0, 1]


def test_titles_leave_units_out() -> None:
    """The unit stands beside the title."""
    slider = slider_of(Factor("shift_x", "half-widths", -1, 1), (20, 30), 1.0, "s")
    assert (slider.title, slider.factor.unit, slider.factor.high) == ("shift x", "px", 15.0)


def test_model_without_warp_has_no_sliders(images: Exploration) -> None:
    """No column of theta, no slider."""
    assert sliders_of(Affine2d().bind((8, 8))).sliders
    assert not Sliders(()).values(np.zeros((1, 0)))[0]
    assert len(images.viewer.sliders.sliders) == 6
