"""`Hooks`: functions of a model that a training run calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


def ignore(x: Tensor) -> None:
    """Do nothing; the default of `Hooks.update` and `Hooks.finish`.

    Args:
        x: Training samples (N, *shape).
    """


def begin_unchanged(x: Tensor) -> tuple[str, ...]:
    """Do nothing and have nothing to tell; the default of `Hooks.begin`.

    Args:
        x: Training samples (N, *shape).
    """
    return ()


@dataclass(frozen=True)
class Hooks:
    """Functions of a model that a training run calls.

    They are called before the first step, between steps and after the last step. `train` reads them
    from the attribute `training_hooks` of the module that it trains; a module without this
    attribute has no hooks. Use them for numbers that are computed from samples instead of learned
    by gradients, such as cluster centres or the mean deformation.

    Attributes:
        n_updates: Number of calls of `update` in a run, evenly spaced.
        update: Called between two steps with up to 1,024 training samples (N, *shape).
        finish: Called once after the last step, in evaluation mode, with up to 4,096 training
            samples (N, *shape).
        begin: Called once before the first step, also of a run that is resumed, with up to 512
            training samples (N, *shape); it returns lines for people.

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
    begin: Callable[[Tensor], tuple[str, ...]] = begin_unchanged
