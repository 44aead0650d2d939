"""Selection of the warp of pictures: none if they stand upright and in place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp import AE, Identity, Unwarper
from unwarp.estimators import selection, trials
from unwarp.estimators.choices import Selection
from unwarp.estimators.picture_selection import (
    MAX_PICTURES_FOR_TRIAL,
    MAX_SIDE_IN_TRIAL,
    MIN_PICTURES_FOR_TRIAL,
    pictures_for_trial,
    select_for_pictures,
)
from unwarp.models import Net
from unwarp.training.state import History
from unwarp.warps import Affine2d, deform

Select = Callable[..., Selection]


def patches(n: int, size: int = 16, seed: int = 0) -> Tensor:
    """Pictures (n, 1, size, size) of four patches in fixed places, with random brightness."""
    brightness = torch.rand(n, 4, 1, 1, generator=torch.Generator().manual_seed(seed))
    rows, columns = torch.meshgrid(*[torch.linspace(-1, 1, size)] * 2, indexing="ij")
    places = torch.tensor([[-0.4, -0.3], [-0.2, 0.4], [0.1, -0.1], [0.45, 0.2]])[..., None, None]
    squares = (rows - places[:, 0]) ** 2 + (columns - places[:, 1]) ** 2
    return (brightness * torch.exp(-squares / 0.04)).sum(1, keepdim=True).clamp(0, 1)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Select:
    """The selection that follows from nats saved, fold by fold, without a training."""

    def select(saved: list[float], n: int = 300, short: int = 0, **options: Any) -> Selection:
        nats = [value for part in saved for value in (100.0, 100.0 - part)]

        def train(*parts: object, steps: int, **options: Any) -> History:
            return History(steps=steps - short)

        monkeypatch.setattr(trials, "train", train)
        monkeypatch.setattr(selection, "description_length", lambda *parts: nats.pop(0))
        result = select_for_pictures(patches(n), **options)
        assert not nats, "not all trials were made"
        return result

    return select


def test_nats_decide_on_pictures(scripted: Select) -> None:
    """A warp is used if it saves ten nats, also on the mean of two folds; the words say so."""
    for saved, n, choice in (
        ([9.0], 300, "none"),
        ([11.0], 300, "affine"),
        ([55.0], 200, "affine"),
        ([9.0, 12.0], 200, "affine"),
        ([12.0, 7.0], 200, "none"),
    ):
        result = scripted(saved, n)
        assert (result.choice, result.saved) == (choice, pytest.approx(tuple(saved)))
        assert "nats per held-out image" in str(result) and "series" not in str(result)
        assert isinstance(result.recipe.warp, Affine2d if choice == "affine" else Identity)
        assert Selection.of(json.loads(json.dumps(asdict(result)))) == result


def test_few_pictures_have_no_trial(scripted: Select) -> None:
    """Few pictures, few steps and trials that time cut short say nothing: the warp is affine."""
    few = MIN_PICTURES_FOR_TRIAL - 1
    for result in (scripted([], few), scripted([], steps=299)):
        assert result == Selection("affine", domain="image")
        assert "without a trial: there are too few images or steps" in str(result)
    cut = scripted([-50.0], short=1, seconds=1.0)
    assert cut == Selection("affine", domain="image", cut=True)
    assert "without a trial: max_seconds ended" in str(cut)


def test_pictures_of_trials_are_small() -> None:
    """At most 1,500 pictures of at most 32 pixels, in random order, with their mean values."""
    x = torch.rand(8, 3, 70, 40, generator=torch.Generator().manual_seed(0))
    small = pictures_for_trial(x, seed=0)
    assert small.shape == (8, 3, 24, 14) and max(small.shape) <= MAX_SIDE_IN_TRIAL
    constant = torch.arange(8.0)[:, None, None, None].expand(8, 1, 35, 33)
    means = pictures_for_trial(constant, seed=0).mean((1, 2, 3))
    torch.testing.assert_close(means.sort().values, torch.arange(8.0))
    assert len(pictures_for_trial(torch.zeros(1600, 1, 2, 2), 0)) == MAX_PICTURES_FOR_TRIAL
    assert torch.equal(small, pictures_for_trial(x, seed=0))


def test_named_warp_of_pictures_is_kept() -> None:
    """A named warp or recipe leaves nothing to select; otherwise the selection is stored."""
    X = patches(MIN_PICTURES_FOR_TRIAL)[:, 0].numpy()
    recipe = AE(net=Net("mlp", (8,), (8,)))
    for unwarper in (
        Unwarper("affine", max_steps=2, n_clusters=2),
        Unwarper("rigid", max_steps=2, n_clusters=2),
        Unwarper(recipe=recipe, max_steps=2, n_clusters=2),
    ):
        assert unwarper.fit(X[:12]).selection_ is None
    fitted = Unwarper(max_steps=2, n_clusters=2).fit(X[:12])
    assert fitted.selection_ == Selection("affine", domain="image")
    assert isinstance(fitted.recipe_.warp, Affine2d)


@pytest.mark.slow
def test_upright_pictures_get_no_warp(tmp_path: Path) -> None:
    """Patches in fixed places get no warp, moved ones an affine one; the selection is saved."""
    x = patches(300)
    warp = Affine2d().bind((16, 16))
    moving = deform(x, warp.sample(len(x), torch.Generator().manual_seed(0), 0.6), padding="zeros")
    plain, warped = select_for_pictures(x), select_for_pictures(moving)
    assert (plain.choice, warped.choice) == ("none", "affine")
    unwarper = Unwarper(max_steps=300, n_clusters=2).fit(x[:, 0].numpy())
    assert unwarper.selection_.choice == "none" and not unwarper.recipe_.warp.factors
    np.testing.assert_allclose(unwarper.align(x[:5, 0].numpy()), x[:5, 0].numpy(), atol=1e-6)
    unwarper.save(tmp_path / "model")
    assert Unwarper.load(tmp_path / "model").selection_ == unwarper.selection_
