"""Batch normalisation over a batch that several processes share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn


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
        moments = torch.stack([x.mean(0), x.var(0, unbiased=False)])
        means, variances = _Gather.apply(moments).unbind(1)  # type: ignore[no-untyped-call]
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, unbiased=False)
        self._update(mean.detach(), variance.detach(), len(x) * len(means))
        scale = self.weight * (variance + self.eps).rsqrt()
        return torch.as_tensor((x - mean) * scale + self.bias).to(dtype)

    def _update(self, mean: Tensor, variance: Tensor, n: int) -> None:
        """Update the running moments by those of `n` rows."""
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * n / max(n - 1, 1), self.momentum)


class _Gather(torch.autograd.Function):
    """A tensor of each process, stacked; the gradient is the sum over processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, x.contiguous())
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.contiguous()
        distributed.all_reduce(gradient)
        return gradient[distributed.get_rank()]


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
