"""How much to warp: a warp is found where series hurry, and none where they do not, without a label."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
import torch

from unwarp import AE, Identity, Unwarper
from unwarp.datasets import bumps
from unwarp.estimators.selection import (
    JUDGE,
    MARGIN,
    Selection,
    description_length,
    distance_gain,
    folds,
    select,
    unexplained,
)
from unwarp.models import Net, rates
from unwarp.planning.presets import SERIES, SHARP
from unwarp.warps import TimeShift


def levels(n: int = 60, length: int = 64, seed: int = 0) -> torch.Tensor:
    """Series (n, 1, length) that differ in the heights of three waves and in noise, never in timing."""
    draw = torch.Generator().manual_seed(seed)
    time = torch.linspace(0, 1, length)
    waves = torch.stack([torch.sin(2 * math.pi * k * time) for k in (1, 2, 3)])
    return (
        torch.randn(n, 3, generator=draw) @ waves + 0.3 * torch.randn(n, length, generator=draw)
    )[:, None]


@pytest.mark.slow
def test_series_that_hurry_get_a_warp_and_series_that_differ_in_height_get_none() -> None:
    x = bumps.load("train", n_per_class=20).x
    hurried, still = select((x - x.mean()) / x.std()), select(levels())
    assert hurried.choice in ("smooth", "sharp") and np.mean(hurried.saved) > 3 * MARGIN
    assert still.choice == "none" and np.mean(still.saved) < MARGIN
    assert isinstance(still.recipe.warp, Identity) and "no warp" in str(still)


@pytest.mark.slow
def test_an_estimator_left_to_itself_chooses_says_so_and_keeps_it(tmp_path) -> None:  # type: ignore[no-untyped-def]
    u = Unwarper(batch_size=20, n_clusters=3).fit(levels()[:, 0].numpy())
    assert u.selection_ is not None and u.selection_.choice == "none"
    assert u.transform_params(levels()[:4, 0].numpy()).shape == (4, 0)
    np.testing.assert_allclose(u.align(levels()[:4, 0].numpy()), levels()[:4, 0].numpy(), atol=1e-6)
    u.save(tmp_path / "model")
    assert Unwarper.load(tmp_path / "model").selection_ == u.selection_


def test_series_that_never_change_are_not_warped() -> None:
    level = torch.arange(20.0)[:, None, None].repeat(1, 2, 30)
    level[3, 0, 5:9] = torch.nan
    found = select(level)
    assert found.choice == "none" and str(found) == "no warp: the series never change"


def test_what_was_asked_for_is_not_put_to_the_test() -> None:
    X = levels(12)[:, 0].numpy()
    recipe = AE(warp=SERIES.warp, net=Net("mlp", (8,), (8,)))
    for u in (
        Unwarper("time", max_steps=2),
        Unwarper(recipe=recipe, max_steps=2),
        Unwarper(recipe="vae", max_steps=2),
    ):
        assert u.fit(X).selection_ is None
    untried = Unwarper(max_steps=2).fit(X).selection_
    assert untried == Selection("smooth") and "untried" in str(untried)
    assert (
        Unwarper(max_steps=2).fit(np.random.default_rng(0).random((12, 12, 12))).selection_ is None
    )


def test_folds_hold_every_series_out_at_most_once() -> None:
    for n, times in ((12, 3), (100, 3), (101, 2), (250, 2), (251, 1)):
        pieces = list(folds(n, 0))
        assert len(pieces) == times
        held = torch.cat([rows for _, rows in pieces])
        assert len(held.unique()) == len(held)
        for known, rows in pieces:
            assert sorted([*known.tolist(), *rows.tolist()]) == list(range(n))


def test_a_description_is_shorter_where_less_is_left_and_costs_its_codes() -> None:
    x = levels(20)
    model = JUDGE.build(x.shape[1:]).eval()
    with torch.no_grad():
        posterior = model.encode(x)
        drawn = model.decode_warped(posterior.content_mean, posterior.map)
    model.encode = lambda *_: posterior  # type: ignore[method-assign]
    distance_gain = drawn + (x - drawn) / 10
    assert description_length(model, x) - description_length(model, distance_gain) == pytest.approx(
        64 * math.log(10), rel=1e-4
    )
    costs = sum(float(rate.detach().mean()) for rate in rates(posterior, model).values())
    left = 32 * math.log(float((drawn - x).square().mean()))
    assert description_length(model, x) == pytest.approx(left + costs, rel=1e-5)


def test_a_description_counts_what_was_observed() -> None:
    x = levels(20)
    model = JUDGE.build(x.shape[1:]).eval()
    assert description_length(model, x) > 0
    half = x.clone()
    half[..., ::2] = torch.nan
    gapped = type(JUDGE)(**{**vars(JUDGE), "gaps": True}).build(x.shape[1:]).eval()
    assert math.isfinite(description_length(gapped, half)) and math.isfinite(
        unexplained(gapped, half)
    )


def test_nothing_is_unexplained_where_all_is_drawn_and_no_more_than_all_elsewhere() -> None:
    x = levels(20)
    model = SERIES.build(x.shape[1:]).eval()
    with torch.no_grad():
        drawn = model.reconstruct(model.embed(x))
    assert unexplained(model, x) == pytest.approx(1.0, abs=0.05)
    model.reconstruct = lambda latent: x + 0.0 * drawn  # type: ignore[method-assign]
    assert unexplained(model, x) == 0.0
    model.reconstruct = lambda latent: 9 * x  # type: ignore[method-assign]
    assert unexplained(model, x) == 1.0


def test_alignment_brings_what_only_hurried_nearer_and_the_identity_nothing() -> None:
    x = levels(30)
    model = SERIES.build(x.shape[1:]).eval()  # an untrained rung is the identity
    assert distance_gain(model, x[:20], x[20:]) == pytest.approx(0.0, abs=1e-5)
    maps = TimeShift(size=(64,)).map(torch.linspace(-0.2, 0.2, 30)[torch.randperm(30)][:, None])
    late = maps(levels(1).expand(30, -1, -1), padding="border")
    model.pose = lambda x: maps[:20] if len(x) == 20 else maps[20:]  # type: ignore[method-assign]
    assert distance_gain(model, late[:20], late[20:]) > 0.5


def test_evidence_comes_back_from_json_and_speaks() -> None:
    found = Selection("sharp", (30.0, 40.0), {"smooth": (0.4, 0.5), "sharp": (0.2, 0.3)})
    assert Selection.of(json.loads(json.dumps(asdict(found)))) == found
    assert found.recipe == SHARP
    assert str(found).startswith(
        "a sharp warp of time: a warp saves 35 nats a held-out series, it must save 10"
    )
    assert "leaves 45% unexplained, the sharp one 25%" in str(found)
    far = Selection("smooth", (30.0,), {"smooth": (0.4,), "sharp": (0.2,)}, (math.log(1.2),))
    assert Selection.of(json.loads(json.dumps(asdict(far)))) == far
    assert str(far).endswith(
        "the sharp one 20%, and brings them nearer to others by a factor of 1.2"
    )
