"""Advice on patterns that do not move: given where there is one, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.cases.images import CASES
from torch import Tensor

from tests.pictures import pictures
from unwarp import Unwarper
from unwarp.planning.fixed_pattern import fixed_pattern_hint
from unwarp.training.callbacks import Callback


def moving(n: int = 60) -> Tensor:
    """Moved and turned figures (n, 1, 20, 20), 0 to 1."""
    return torch.from_numpy(pictures(n)).float() / 255


def dust(x: Tensor, strength: float) -> Tensor:
    """Pictures with the same specks at the same places."""
    generator = torch.Generator().manual_seed(1)
    specks = (torch.rand(x.shape[1:], generator=generator) < 0.08).float()
    return x + strength * specks


@pytest.mark.parametrize("case", ["plain", "gain", "dark", "hot", "noise", "few", "scale-4x"])
def test_moving_objects_are_no_pattern(case: str) -> None:
    """Objects that move give no advice, whatever the light."""
    x = torch.from_numpy(np.asarray(CASES[case](seed=0).x, np.float32))[:, None] / 255
    assert fixed_pattern_hint(x) == "" and fixed_pattern_hint(moving()) == ""


def test_specks_are_a_pattern() -> None:
    """Specks that stay are named with their share of the detail, and what to do."""
    hint = fixed_pattern_hint(dust(moving(), 0.8))
    assert hint.startswith("pictures: ") and "numpy.median(X, axis=0)" in hint
    assert float(hint.split()[1]) > 50


def test_noise_hides_a_pattern() -> None:
    """Where most detail is noise nothing is said, and neither of few pictures."""
    generator = torch.Generator().manual_seed(0)
    x = dust(moving(), 0.8)
    noise = torch.randn(x.shape, generator=generator)
    assert fixed_pattern_hint(x + 2 * noise) == "" and fixed_pattern_hint(x[:7]) == ""


def test_blank_pictures_have_no_pattern() -> None:
    """Constant pictures have no detail, and very small ones have none to see."""
    assert fixed_pattern_hint(torch.ones(9, 3, 12, 12)) == ""
    assert fixed_pattern_hint(torch.ones(9, 1, 2, 12)) == ""


def test_users_are_told() -> None:
    """`fit` says it before it trains."""
    messages: list[str] = []

    class Listener(Callback):
        """A callback that keeps messages."""

        def on_message(self, line: str) -> None:
            """Keep a message."""
            messages.append(line)

    X = (255 * dust(moving(), 0.8).clamp(0, 1)).numpy().astype(np.uint8)
    options: dict[str, Any] = {"content": "joint", "start": "centroid", "refine": "none"}
    Unwarper("affine", max_steps=1, device="cpu", **options).fit(X, callbacks=[Listener()])
    assert any("fine detail stays at its place" in text for text in messages)
