"""Memory that a training step takes, measured on a few small samples.

The tensors of a step on a few samples are counted, and the count is extrapolated to the batch: it
is a constant plus a share of each sample. Nothing is known about layers, so that the count holds
for every family and for networks of a user.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from unwarp.core import Batch
from unwarp.data.samples import Samples
from unwarp.models.players import Player
from unwarp.models.recipe import Recipe

BYTES_OF_LIBRARIES, SHARE_OF_WORKSPACE = 60 << 20, 1.25
"""Memory of compiled kernels, and that of tensors with their workspace over that of tensors.

Calibrated on 14 trainings on a CPU (images of 28 to 128 pixels, series of 275 and 2,000 steps,
batches of 20 to 512; `ae`, `vae`, `gan`): the private memory of each of these
trainings was 0.9 to 1.2 times the estimate.
"""

VALUES_OF_TRIAL = 1 << 16
"""Greatest number of values in the samples whose tensors are counted first."""

MIN_SAMPLES_OF_TRIAL = 4
"""Least number of samples whose tensors are counted."""

COPIES_OF_WEIGHTS = 4
"""Weights, gradients and two moments of AdamW."""

NUMBERS_PER_VALUE = 400
"""Numbers that convolutional networks keep for each value of a sample in a step."""

BYTES_PER_NUMBER = 4


class TensorCount(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Context that counts the bytes of the tensors that operations create.

    Attributes:
        peak: Largest number of bytes that were in use at once.

    >>> with TensorCount() as count:
    ...     x = torch.ones(1000) + 1.0
    >>> count.peak
    8000
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak: int = 0
        self._now: int = 0
        self._sizes: dict[int, int] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:  # the names are those of PyTorch
        result = func(*args, **(kwargs or {}))
        inputs = {_storage(leaf) for leaf in tree_leaves((args, kwargs)) if _is_plain(leaf)}
        for tensor in filter(_is_plain, tree_leaves(result)):
            self._add(tensor, inputs)
        return result

    def _add(self, tensor: Tensor, inputs: set[int]) -> None:
        """Count a result, unless it shares the memory of an input or of an earlier result."""
        key, storage = _storage(tensor), tensor.untyped_storage()
        if key in inputs or key in self._sizes or not storage.nbytes():
            return
        self._sizes[key] = storage.nbytes()
        self._now += storage.nbytes()
        self.peak = max(self.peak, self._now)
        weakref.finalize(storage, self._remove, key)

    def _remove(self, key: int) -> None:
        self._now -= self._sizes.pop(key, 0)


def _is_plain(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.layout == torch.strided


def _storage(tensor: Tensor) -> int:
    """Identity of the memory of a tensor."""
    return int(tensor.untyped_storage()._cdata)


def step_bytes(recipe: Recipe, data: Samples, batch_size: int) -> int:
    """Memory of a training step on the CPU, in bytes.

    It holds the weights, their gradients, the optimiser, and all that the losses keep for a batch.
    Samples of more than 65,536 values are counted at a smaller size, and count in proportion.

    Args:
        recipe: The recipe of the model.
        data: Training samples.
        batch_size: Number of samples per step.
    """
    with torch.random.fork_rng(devices=[]):
        tensors = _batch_bytes(recipe, data, batch_size)
        weights = COPIES_OF_WEIGHTS * BYTES_PER_NUMBER * _count_weights(recipe, data.shape)
    return BYTES_OF_LIBRARIES + int(SHARE_OF_WORKSPACE * (tensors + weights))


def _count_weights(recipe: Recipe, shape: tuple[int, ...]) -> int:
    """Number of weights that the players of a model train."""
    model = recipe.build(shape)
    modules = [player.module for player in recipe.players(model)]
    weights = {id(weight): weight.numel() for part in modules for weight in part.parameters()}
    return sum(weights.values())


def rough_step_bytes(shape: Sequence[int], batch_size: int) -> int:
    """Memory of a training step in bytes, without a trial.

    Args:
        shape: Shape (C, ...) of a sample.
        batch_size: Number of samples per step.

    >>> rough_step_bytes((1, 512, 512), 64) >> 30
    31
    """
    tensors = NUMBERS_PER_VALUE * BYTES_PER_NUMBER * math.prod(shape) * batch_size
    return BYTES_OF_LIBRARIES + int(SHARE_OF_WORKSPACE * tensors)


def _batch_bytes(recipe: Recipe, data: Samples, batch_size: int) -> float:
    """Bytes of the tensors that a step on a batch creates, extrapolated from smaller batches."""
    shape = _trial_shape(data.shape)
    ratio = math.prod(data.shape) / math.prod(shape)
    n = max(MIN_SAMPLES_OF_TRIAL, min(batch_size, VALUES_OF_TRIAL // math.prod(shape)))
    while True:
        half, whole = (_peak(recipe, data, shape, size) for size in (n // 2, n))
        slope = (whole - half) / (n - n // 2)
        constant = whole - slope * n
        # gradients of weights hide the samples in a small batch of a large network
        if n >= batch_size or constant < whole / 5:
            return max(constant + slope * ratio * batch_size, half * ratio)
        n = min(4 * n, batch_size)


def _trial_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a sample, smaller along each axis if it has too many values."""
    excess = MIN_SAMPLES_OF_TRIAL * math.prod(shape) / VALUES_OF_TRIAL
    factor = max(1.0, excess) ** (1 / max(1, len(shape) - 1))
    return (shape[0], *(max(1, round(n / factor)) for n in shape[1:]))


def _peak(recipe: Recipe, data: Samples, shape: tuple[int, ...], n: int) -> int:
    """Largest number of bytes of the tensors of a step on `n` samples of a shape."""
    noise = torch.Generator().manual_seed(0)
    model = recipe.build(shape).train()
    players = recipe.players(model)
    batch = data.batch(torch.arange(n) % len(data), noise)
    if batch.x.shape[1:] != shape:
        batch = Batch(F.interpolate(batch.x, size=shape[1:]), batch.index)
    for player in players:  # gradients are counted with the weights
        for weight in player.module.parameters():
            weight.grad = torch.zeros_like(weight)
    count = TensorCount()
    with count:
        for player in players:
            _step(player, batch, noise)
    return count.peak


def _step(player: Player, batch: Batch, noise: torch.Generator) -> None:
    """The loss of a player and its gradients, without an update."""
    total = torch.stack(list(player.loss(batch, 0, noise).values())).sum()
    torch.autograd.backward(total)
