"""`Player`: a module with its loss and optimiser; `Optimiser`: settings of AdamW."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models.schedules import Schedule, warm_cosine

Loss = Callable[[Batch, int, torch.Generator], dict[str, Tensor]]
"""From a batch, the step and a generator of random numbers to named scalars."""


@dataclass(frozen=True)
class Optimiser:
    """Settings of AdamW, its learning rate schedule and gradient clipping.

    AdamW is Adam with decoupled weight decay (Loshchilov and Hutter 2019). The learning rate rises
    linearly, then falls along half a cosine.

    Attributes:
        lr: Greatest learning rate, positive.
        weight_decay: Decoupled weight decay, 0 or more.
        betas: Decay rates of the two moment estimates, in [0, 1).
        warmup: Steps of the linear rise; at most a tenth of a run.
        floor: Final learning rate, as a share of `lr`.
        clip: Greatest norm of a gradient; 0 for no bound.

    >>> Optimiser(lr=1e-3, warmup=10).schedule(100)(4)  # half of the learning rate
    0.5
    """

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
        """The optimiser of all parameters of a module, with fused kernels.

        Args:
            module: The module that learns; move it to its device first.
        """
        return torch.optim.AdamW(
            module.parameters(),
            lr=self.lr,
            weight_decay=self.weight_decay,
            betas=self.betas,
            fused=True,
        )

    def schedule(self, steps: int) -> Schedule:
        """The factor of the learning rate at each step of a run.

        Args:
            steps: Number of steps of the run; a short run has a warm-up of a tenth of it.

        Returns:
            A function from a step to a factor in [floor, 1], except during the warm-up.
        """
        return warm_cosine(min(self.warmup, max(1, steps // 10)), steps, self.floor)


@dataclass(frozen=True)
class Player:
    """One player of the game that training is.

    An autoencoder is one player. A generative adversarial network has several, such as a critic and
    a generator, each with a loss of its own. `train` lets the players step in turn on the same
    batch, and knows nothing of models. `Recipe.players` lists the players of a family.

    Attributes:
        name: Name in the history and the progress bar.
        module: The module that learns.
        loss: Function from a batch, the step and a generator to named scalars that already carry
            their weights; the player minimises their sum.
        optimiser: Settings of its optimiser.
        interval: Steps of the run per step of the player: 1 for all steps, 2 for every second one.
        ema: Decay of an exponential moving average of its weights, in (0, 1), that replaces them
            after training; None for no average.
        measure: Function of the same arguments to named numbers for the history. It runs without
            gradients after all players have stepped, at logged steps alone; None for no numbers.

    >>> net = nn.Linear(3, 1)
    >>> def loss(batch, step, generator):
    ...     return {"error": net(batch.x).square().mean()}
    >>> player = Player("net", net, loss, Optimiser(lr=1e-2))
    >>> batch = Batch(torch.ones(4, 3), torch.arange(4))
    >>> list(player.loss(batch, 0, torch.Generator()))
    ['error']
    """

    name: str
    module: nn.Module
    loss: Loss
    optimiser: Optimiser = field(default_factory=Optimiser)
    interval: int = 1
    ema: float | None = None
    measure: Loss | None = None
