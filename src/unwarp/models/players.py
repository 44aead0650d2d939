"""Who learns, and how: a `Player` of the game that training is, and its `Optimiser`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models.schedules import Schedule, warm_cosine

Loss = Callable[[Batch, int, torch.Generator], dict[str, Tensor]]


@dataclass(frozen=True)
class Optimiser:
    """AdamW with a warm-up, half a cosine and a bound on the gradient norm."""

    lr: float = 2e-3
    weight_decay: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)
    warmup: int = 100
    floor: float = 0.02
    clip: float = 20.0

    def __post_init__(self) -> None:
        if self.lr <= 0 or self.weight_decay < 0 or not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(
                f"{self}: lr must be positive, weight_decay 0 or more, betas within [0, 1)"
            )

    def build(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimiser over all parameters of `module`, with fused kernels."""
        return torch.optim.AdamW(
            module.parameters(),
            lr=self.lr,
            weight_decay=self.weight_decay,
            betas=self.betas,
            fused=True,
        )

    def schedule(self, steps: int) -> Schedule:
        """The learning rate's factor over a run of `steps`."""
        return warm_cosine(min(self.warmup, max(1, steps // 10)), steps, self.floor)


@dataclass(frozen=True)
class Player:
    """One player of the game that training is.

    Attributes:
        name: Name in the history and the progress bar.
        module: What it moves.
        loss: From a batch, the step and a generator to named scalars, already weighted; their sum is minimised.
        optimiser: How it moves.
        every: It moves at every so-many-th step.
        ema: Decay of an averaged copy of its weights that replaces them after training; None for none.
        measure: From the same to named numbers for the history, called without gradient after all players have moved, at
            the steps that are logged alone; None for none.
    """

    name: str
    module: nn.Module
    loss: Loss
    optimiser: Optimiser = field(default_factory=Optimiser)
    every: int = 1
    ema: float | None = None
    measure: Loss | None = None
