"""Batch normalisation over a batch that several processes share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn

from unwarp.collectives.exchange import gather


class SharedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation with the mean and the variance of all processes.

    With it, a training does not depend on the number of its processes. All have as many rows.
    PyTorch's `SyncBatchNorm` does the same, but not on CPUs.

    >>> norm = nn.BatchNorm1d(3)
    >>> SharedBatchNorm.of(norm).weight is norm.weight
    True
    """

    @classmethod
    def of(cls, norm: nn.BatchNorm1d) -> SharedBatchNorm:
        """The shared normalisation with the weights and buffers of another one.

        Args:
            norm: A normalisation of rows (N, C); it changes with the result.
        """
        shared = cls(norm.num_features, norm.eps, norm.momentum)
        shared._parameters, shared._buffers = norm._parameters, norm._buffers
        return shared.train(norm.training)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised rows.

        Args:
            x: Rows (N, C) of this process.

        Returns:
            Rows (N, C).
        """
        if not self.training:
            return super().forward(x)
        dtype, x = x.dtype, x.to(self.weight.dtype)  # within mixed precision rows are rounded
        normalise: Any = _Normalise.apply
        y, mean, variance = normalise(x, self.weight, self.bias, self.eps)
        self._update(mean, variance, len(x) * distributed.get_world_size())
        return torch.as_tensor(y).to(dtype)

    def _update(self, mean: Tensor, variance: Tensor, n: int) -> None:
        """Update the running moments by those of `n` rows."""
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * n / max(n - 1, 1), self.momentum)


class _Normalise(torch.autograd.Function):
    """Rows normalised by the moments of all processes, and these moments.

    The gradients of weight and bias are those of the rows of this process: the engine averages them
    like other gradients.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        local_mean = x.mean(0)
        local_variance = (x - local_mean).square_().mean(0)  # faster than `torch.var`
        means, variances = gather(torch.stack([local_mean, local_variance])).unbind(1)
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        inverse = (variance + eps).rsqrt()
        ctx.save_for_backward(x, weight, mean, inverse)
        ctx.mark_non_differentiable(mean, variance)
        scale = weight * inverse
        return torch.addcmul(bias - mean * scale, x, scale), mean, variance

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, inverse = ctx.saved_tensors
        normal = (x - mean) * inverse
        sums = torch.stack([gradient.sum(0), (gradient * normal).sum(0)])
        all_sums = gather(sums).sum(0) / (len(x) * distributed.get_world_size())
        rest = torch.addcmul(gradient - all_sums[0], normal, all_sums[1], value=-1)
        return rest * (weight * inverse), sums[1], sums[0], None


@contextmanager
def shared_batch_norms(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Context in which normalisations count the rows of all processes.

    Args:
        modules: Modules with normalisations anywhere inside; afterwards they are as before, with
            what they learned.
    """
    parents = {id(parent): parent for module in modules for parent in module.modules()}
    shared: dict[int, SharedBatchNorm] = {}
    originals: list[tuple[nn.Module, str, nn.BatchNorm1d]] = []
    for parent in parents.values():
        for name, child in parent.named_children():
            if type(child) is nn.BatchNorm1d:
                originals.append((parent, name, child))
                parent._modules[name] = shared.setdefault(id(child), SharedBatchNorm.of(child))
    try:
        yield
    finally:
        for parent, name, norm in originals:
            norm.train(parent._modules[name].training)  # type: ignore[union-attr]
            parent._modules[name] = norm
