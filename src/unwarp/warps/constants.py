"""Constant tensors, made once for each dtype and device.

A training step applies dozens of small maps. Making their constants anew takes as long as the
arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache, wraps
from typing import Any, TypeVar

import torch
from torch import Tensor

Value = TypeVar("Value")

MAX_CONSTANTS = 128
"""Greatest number of tensors that a function with `cache_tensors` keeps."""


def cache_tensors(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function of constants that keeps its tensors.

    Nobody may change them. While a model is traced (`torch.export`, `torch.compile`) they are new
    tensors. Tensors that inference mode made are usable in training, too.

    Args:
        make: Function of any hashable arguments and, as the last one, a tensor with the dtype and
            the device of the result.

    >>> halves = cache_tensors(lambda n, like: torch.arange(n, dtype=like.dtype) / 2)
    >>> halves(3, torch.zeros(0)), halves(3, torch.zeros(0)) is halves(3, torch.ones(2))
    (tensor([0.0000, 0.5000, 1.0000]), True)
    """

    @lru_cache(MAX_CONSTANTS)
    def remembered(
        arguments: tuple[object, ...], dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        with torch.inference_mode(False):
            return make(*arguments, torch.zeros(0, dtype=dtype, device=device))

    @wraps(make)
    def get(*arguments: object) -> Tensor:
        like = arguments[-1]
        assert isinstance(like, Tensor)
        if torch.compiler.is_compiling():
            return make(*arguments)
        return remembered(arguments[:-1], like.dtype, like.device)

    return get


@cache_tensors
def constant(values: tuple[float, ...], like: Tensor) -> Tensor:
    """Numbers as a tensor, which nobody may change.

    Args:
        values: K numbers.
        like: Tensor with the dtype and the device of the result.

    Returns:
        Numbers (K,).

    >>> constant((1.0, 2.0), torch.zeros(0)) is constant((1.0, 2.0), torch.ones(3))
    True
    """
    return torch.tensor(values, dtype=like.dtype, device=like.device)


@cache_tensors
def flags(values: tuple[bool, ...], like: Tensor) -> Tensor:
    """Truth values as a tensor, which nobody may change.

    Args:
        values: K truth values.
        like: Tensor with the device of the result.

    Returns:
        Truth values (K,).

    >>> flags((True, False), torch.zeros(0))
    tensor([ True, False])
    """
    return torch.tensor(values, dtype=torch.bool, device=like.device)


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
