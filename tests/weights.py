"""Weights and buffers of modules, for comparisons."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def tensors(module: nn.Module) -> dict[str, Tensor]:
    """Copies of the weights and buffers of a module, by name."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def has_changed(before: dict[str, Tensor], module: nn.Module) -> bool:
    """Whether a weight or a buffer differs from `before`."""
    return any(not torch.equal(value, before[name]) for name, value in module.state_dict().items())


def weights(model: nn.Module) -> Tensor:
    """All weights and buffers of a module in one row."""
    return torch.cat([value.flatten().float() for value in model.state_dict().values()])
