"""Selection of the warp: series that differ in timing get one, without labels."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.estimators.series import levels
from unwarp import AE, Identity, Unwarper
from unwarp.datasets import bumps
from unwarp.estimators.selection import (
    MIN_SAVED_NATS,
    Selection,
    folds,
    select,
)
from unwarp.models import Net
from unwarp.planning.presets import SERIES, SHARP


@pytest.mark.slow
def test_timing_decides_on_the_warp() -> None:
    """Series with different timing get a warp, series with different heights get none."""
    x = bumps.load("train", n_per_class=20).x
    warped, plain = select((x - x.mean()) / x.std()), select(levels())
    assert warped.choice in ("smooth", "sharp") and np.mean(warped.saved) > 3 * MIN_SAVED_NATS
    assert plain.choice == "none" and np.mean(plain.saved) < MIN_SAVED_NATS
    assert isinstance(plain.recipe.warp, Identity) and "no warp" in str(plain)


@pytest.mark.slow
def test_estimator_stores_its_selection(tmp_path: Path) -> None:
    """By default it selects, leaves series as they are if no warp helps, and saves why."""
    unwarper = Unwarper(batch_size=20, n_clusters=3).fit(levels()[:, 0].numpy())
    assert unwarper.selection_ is not None and unwarper.selection_.choice == "none"
    assert unwarper.transform_params(levels()[:4, 0].numpy()).shape == (4, 0)
    np.testing.assert_allclose(
        unwarper.align(levels()[:4, 0].numpy()), levels()[:4, 0].numpy(), atol=1e-6
    )
    unwarper.save(tmp_path / "model")
    assert Unwarper.load(tmp_path / "model").selection_ == unwarper.selection_


def test_constant_series_get_no_warp() -> None:
    """Also with gaps; nothing is trained."""
    level = torch.arange(20.0)[:, None, None].repeat(1, 2, 30)
    level[3, 0, 5:9] = torch.nan
    selection = select(level)
    assert selection.choice == "none" and str(selection) == "no warp: every series is constant"


def test_named_choices_need_no_trial() -> None:
    """A named warp or recipe, too few steps, and images leave nothing to select."""
    X = levels(12)[:, 0].numpy()
    recipe = AE(warp=SERIES.warp, net=Net("mlp", (8,), (8,)))
    for unwarper in (
        Unwarper("time", max_steps=2),
        Unwarper(recipe=recipe, max_steps=2),
        Unwarper(recipe="vae", max_steps=2),
    ):
        assert unwarper.fit(X).selection_ is None
    selection = Unwarper(max_steps=2).fit(X).selection_
    assert selection == Selection("smooth") and "without a trial" in str(selection)
    assert (
        Unwarper(max_steps=2).fit(np.random.default_rng(0).random((12, 12, 12))).selection_ is None
    )


def test_folds_hold_out_a_series_once() -> None:
    """Few series have three folds; all others of a fold are trained on."""
    for n, count in ((12, 3), (100, 3), (101, 2), (250, 2), (251, 1)):
        splits = list(folds(n, 0))
        assert len(splits) == count
        held_out = torch.cat([rows for _, rows in splits])
        assert len(held_out.unique()) == len(held_out)
        for training, rows in splits:
            assert sorted([*training.tolist(), *rows.tolist()]) == list(range(n))


def test_selection_survives_json() -> None:
    """It comes back equal, and says in words what was measured."""
    selection = Selection("sharp", (30.0, 40.0), {"smooth": (0.4, 0.5), "sharp": (0.2, 0.3)})
    assert Selection.of(json.loads(json.dumps(asdict(selection)))) == selection
    assert selection.recipe == SHARP
    assert str(selection).startswith(
        "a sharp warp of time: a warp saves 35 nats per held-out series, and 10 are required"
    )
    assert "leaves 45% of their variance unexplained, the sharp one 25%" in str(selection)
    smooth = Selection("smooth", (30.0,), {"smooth": (0.4,), "sharp": (0.2,)}, (math.log(1.2),))
    assert Selection.of(json.loads(json.dumps(asdict(smooth)))) == smooth
    assert str(smooth).endswith(
        "the sharp one 20% and brings them closer to other series by a factor of 1.2"
    )
