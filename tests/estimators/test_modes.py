"""All poses that explain a picture, as tables beside that which the model chooses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tests.pictures import pictures
from unwarp import AE, Unwarper
from unwarp.errors import ConfigError
from unwarp.models import Net
from unwarp.warps import Rigid2d, Translation2d, Warp

X = pictures(24)


def fit(warp: Warp, **arguments: Any) -> Unwarper:
    """A model of a few steps of turned figures."""
    torch.set_num_threads(1)
    recipe = AE(warp=warp, n_content=2, net=Net("mlp", (16,), (16,)))
    return Unwarper(recipe=recipe, max_steps=3, n_clusters=2, device="cpu", **arguments).fit(X)


@pytest.fixture(scope="module")
def turning() -> Unwarper:
    """A model of a warp on the full circle; no test changes it."""
    return fit(Rigid2d(rotation=180))


def test_modes_are_tables_of_poses(turning: Unwarper) -> None:
    """A table a picture: the columns and units of `transform_params`, and weights that sum to 1."""
    tables, chosen = turning.pose_modes(X), turning.transform_params(X)
    assert len(tables) == len(X) and sum(len(table) for table in tables) > len(X)
    for table, (_, row) in zip(tables, chosen.iterrows(), strict=True):
        assert list(table) == [*chosen, "weight"]
        assert table.attrs["units"] == {**chosen.attrs["units"], "weight": ""}
        assert table["weight"].sum() == pytest.approx(1, abs=1e-5)
        assert table["weight"].is_monotonic_decreasing and list(table.index) == [*range(len(table))]
        turns = (table["rotation_deg"] - row["rotation_deg"] + 180) % 360 - 180
        assert turns.abs().min() < 5.1


def test_modes_survive_a_file(turning: Unwarper, tmp_path: Path) -> None:
    """The calibration is saved; a model of an earlier version says that it has none."""
    turning.save(tmp_path / "model")
    loaded = Unwarper.load(tmp_path / "model")
    assert loaded.mode_temperature_ == turning.mode_temperature_
    pairs = zip(loaded.pose_modes(X), turning.pose_modes(X), strict=True)
    for table, other in pairs:
        pd.testing.assert_frame_equal(table, other)
    loaded.mode_temperature_ = None
    with pytest.raises(ConfigError, match=r"an earlier version saved the model, .* fit it again"):
        loaded.pose_modes(X)


def test_refined_modes_are_refined() -> None:
    """With a refinement, one of the modes is the refined pose."""
    model = fit(Rigid2d(), refine="gauss-newton")
    chosen = model.transform_params(X)
    for table, (_, row) in zip(model.pose_modes(X), chosen.iterrows(), strict=True):
        distance = np.hypot(*(table[f"shift_{a}_px"] - row[f"shift_{a}_px"] for a in "xy"))
        is_near = (table["rotation_deg"] - row["rotation_deg"]).abs() < 5.1
        assert distance[is_near].min() < 1


def test_still_warps_have_one_mode() -> None:
    """Pictures that are only shifted, and series, have the chosen pose alone, of weight 1."""
    series = np.random.default_rng(0).normal(size=(8, 12))
    models = (
        (fit(Translation2d()), X),
        (Unwarper("time", max_steps=1, n_clusters=2, device="cpu").fit(series), series),
    )
    for model, samples in models:
        assert model.mode_temperature_ is None
        joined = pd.concat(model.pose_modes(samples), ignore_index=True)
        assert (joined.pop("weight") == 1).all()
        pd.testing.assert_frame_equal(joined, model.transform_params(samples))
