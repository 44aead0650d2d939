"""Constant tensors, made once for each dtype and device.

A training step applies dozens of small maps. Making their constants anew takes as long as the
arithmetic.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any, TypeVar

import torch
from torch import Tensor

Value = TypeVar("Value")

MAX_CONSTANTS = 256
"""Greatest number of constants that are kept."""


def constant(values: tuple[float, ...], like: Tensor) -> Tensor:
    """Numbers as a tensor, which nobody may change.

    Args:
        values: K numbers.
        like: Tensor with the dtype and the device of the result.

    Returns:
        Numbers (K,). While a model is traced (`torch.export`, `torch.compile`), it is a new tensor.

    >>> constant((1.0, 2.0), torch.zeros(0)) is constant((1.0, 2.0), torch.ones(3))
    True
    """
    make = _constant.__wrapped__ if torch.compiler.is_compiling() else _constant
    return make(values, like.dtype, like.device)


@lru_cache(MAX_CONSTANTS)
def _constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Numbers (K,) as a tensor; usable in training, too, if inference mode made it."""
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)


class lazy_property(cached_property[Value]):  # noqa: N801
    """A property that is computed once.

    While a model is traced it is computed at each use: a trace cannot hold the lock of
    `cached_property`.

    >>> class Circle:
    ...     @lazy_property
    ...     def area(self):
    ...         return [3.14]
    >>> circle = Circle()
    >>> circle.area is circle.area
    True
    """

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """The value for an instance; the property itself for its class."""
        if instance is not None and torch.compiler.is_compiling():
            return self.func(instance)
        return super().__get__(instance, owner)
