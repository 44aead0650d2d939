"""`Hooks`: functions that a training run calls outside its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


def ignore(x: Tensor) -> None:
    """Do nothing; the default of both hooks.

    Args:
        x: Training samples (N, *shape).
    """


@dataclass(frozen=True)
class Hooks:
    """Functions that a training run calls outside its steps.

    `train` reads them from the attribute `training_hooks` of the module that it trains; a module
    without this attribute needs no such calls. Use them for state that is computed from samples and
    not learned by gradients, such as cluster centres or the mean deformation.

    Attributes:
        n_updates: Number of calls of `update` in a run, at equal distances.
        update: Called between two steps with up to 1,024 training samples (N, *shape).
        finish: Called once after the last step, in evaluation mode, with up to 4,096 of them.

    >>> from torch import nn
    >>> class Centred(nn.Linear):
    ...     @property
    ...     def training_hooks(self) -> Hooks:
    ...         return Hooks(finish=self.centre)
    ...
    ...     def centre(self, x: Tensor) -> None:
    ...         self.bias.data -= self(x).mean(0)
    >>> Centred(2, 1).training_hooks.n_updates
    0
    """

    n_updates: int = 0
    update: Callable[[Tensor], None] = ignore
    finish: Callable[[Tensor], None] = ignore
