"""`Hooks`: the work of a model on training samples outside the steps of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


def nothing(x: Tensor) -> None:
    """Nothing, for training samples `x` (N, *shape)."""


@dataclass(frozen=True)
class Hooks:
    """The work of a model on training samples outside the steps of a run.

    `train` reads them from the attribute `training_hooks` of its module. A module without it needs
    no such work.

    Attributes:
        updates: Number of calls of `update` in a run, at equal distances.
        update: Takes up to 1,024 training samples (N, *shape), between two steps.
        finish: Takes up to 4,096 training samples, after the last step, in evaluation mode.

    Example:
        >>> from torch import nn
        >>> class Centred(nn.Linear):
        ...     @property
        ...     def training_hooks(self) -> Hooks:
        ...         return Hooks(finish=self.centre)
        ...
        ...     def centre(self, x: Tensor) -> None:
        ...         self.bias.data -= self(x).mean(0)
    """

    updates: int = 0
    update: Callable[[Tensor], None] = nothing
    finish: Callable[[Tensor], None] = nothing
