"""The memory of a training step, from the tensors of smaller steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unwarp.data.dataset import Dataset
from unwarp.models import AE, GAN, VAE, Net
from unwarp.models.recipe import Recipe
from unwarp.training import memory
from unwarp.training.memory import TensorCount, rough_step_bytes, step_bytes

SMALL = Net("mlp", (16,), (16,))
RECIPES: tuple[Recipe, ...] = (AE(n_content=2, net=SMALL), VAE(n_content=2, net=SMALL))
CONV = AE(n_content=2, net=Net("conv"))


def test_count_follows_tensors() -> None:
    """Memory that is freed before more is needed counts once; views and inputs do not count."""
    x = torch.zeros(1000)
    with TensorCount() as count:
        x.view(10, 100).add_(1.0)
        for _ in range(3):
            y = x + 1.0
            del y
    assert count.peak == 4000


def _peak_of_step(recipe: Recipe, x: torch.Tensor) -> int:
    """Bytes of the tensors of a step on all samples, without extrapolation."""
    return memory._peak(recipe, Dataset(x), tuple(x.shape[1:]), len(x))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.family)
def test_small_batches_tell_large_ones(recipe: Recipe) -> None:
    """The estimate for a batch is that of the tensors of a step on the whole batch."""
    x = torch.rand(600, 1, 16, 16)
    bytes_of_batch = memory._batch_bytes(recipe, Dataset(x), len(x))
    assert np.isclose(bytes_of_batch, _peak_of_step(recipe, x), rtol=0.05)


def test_small_images_tell_large_ones() -> None:
    """Images whose trial would take much memory are counted at a smaller size."""
    x = torch.rand(4, 1, 160, 160)
    bytes_of_batch = memory._batch_bytes(CONV, Dataset(x), len(x))
    assert np.isclose(bytes_of_batch, _peak_of_step(CONV, x), rtol=0.1)


def test_trials_of_huge_images_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """No trial has more values than its bound, whatever the size of the images."""
    peaks = []
    peak = memory._peak

    def record(*arguments: object) -> int:
        peaks.append(peak(*arguments))  # type: ignore[arg-type]
        return peaks[-1]

    monkeypatch.setattr(memory, "_peak", record)
    memory._batch_bytes(CONV, Dataset(torch.zeros(1, 1, 1500, 700)), 64)
    assert max(peaks) < 200e6


def test_estimate_leaves_random_numbers() -> None:
    """A training after the estimate has the same random numbers as one without it."""
    data = Dataset(torch.rand(9, 1, 8, 8))
    before = torch.get_rng_state()
    step_bytes(GAN(n_content=2, net=SMALL), data, 4)
    assert torch.equal(before, torch.get_rng_state())


def test_rough_estimate_is_high() -> None:
    """Without a trial, more memory is expected than networks for these sizes take."""
    for recipe, side in ((RECIPES[0], 16), (CONV, 96)):
        data = Dataset(torch.rand(8, 1, side, side))
        assert rough_step_bytes((1, side, side), 64) > 0.6 * step_bytes(recipe, data, 64)
