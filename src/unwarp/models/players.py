"""`Player`: a module with its loss and optimiser; `Optimiser`: settings of AdamW."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from unwarp.core import Batch
from unwarp.errors import ConfigError
from unwarp.models.schedules import Schedule, warm_cosine
from unwarp.values import field_mistake

Loss = Callable[[Batch, int, torch.Generator], dict[str, Tensor]]
"""Function from a batch, the number of the step and a random generator to scalars by name."""


@dataclass(frozen=True)
class Optimiser:
    """Settings of AdamW, its learning rate schedule and gradient clipping.

    AdamW is Adam with decoupled weight decay (Loshchilov and Hutter 2019). The learning rate rises
    linearly from the first step, then falls along half a cosine.

    Attributes:
        lr: Greatest learning rate, positive.
        weight_decay: Decoupled weight decay, 0 or more.
        betas: Decay rates of the two moment estimates, in [0, 1).
        warmup: Number of steps of the linear rise; a short run uses a tenth of its steps instead.
        floor: Final learning rate divided by `lr`.
        clip: Greatest norm of the gradient of all parameters; greater gradients are scaled down to
            it. 0 for no bound.

    >>> Optimiser(lr=1e-3, warmup=10).schedule(100)(4)  # at the fifth of ten steps
    0.5
    """

    lr: float = 2e-3
    weight_decay: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)
    warmup: int = 100
    floor: float = 0.02
    clip: float = 20.0

    def __post_init__(self) -> None:
        if mistake := field_mistake(self):
            raise ConfigError(mistake)
        least = min(self.weight_decay, self.warmup, self.floor, self.clip)
        if self.lr <= 0 or least < 0 or not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(
                f"{self} is not allowed; lr must be positive, weight_decay, warmup, floor and clip "
                "0 or more, betas within [0, 1)"
            )

    def build(self, module: nn.Module) -> torch.optim.Optimizer:
        """A new AdamW optimiser for all parameters of a module.

        Args:
            module: The module that learns; move it to its device first.
        """
        return torch.optim.AdamW(
            module.parameters(),
            lr=self.lr,
            weight_decay=self.weight_decay,
            betas=self.betas,
            fused=True,  # one kernel for all parameters, which is faster
        )

    def schedule(self, steps: int) -> Schedule:
        """The learning rate at each step of a run, divided by `lr`.

        Args:
            steps: Number of steps of the run. The warm-up takes at most a tenth of them.

        Returns:
            A function from a step, 0 for the first, to a factor in (0, 1]. After the warm-up the
            factor is at least `floor`.
        """
        return warm_cosine(min(self.warmup, max(1, steps // 10)), steps, self.floor)


@dataclass(frozen=True)
class Player:
    """One player of the game that training is.

    A player is a module with its own loss and optimiser. An autoencoder is trained by one player. A
    generative adversarial network has several players, such as a critic and a generator. At each
    step of a run, `train` lets the players update their modules one after the other, on the same
    batch. `Recipe.players` returns the players of a family.

    Attributes:
        name: Name of the player in the history and in error messages.
        module: The module whose parameters the player trains.
        loss: Function from a batch, the number of the step and a random generator to loss terms by
            name: scalars that are already multiplied by their weights. The player minimises the sum
            of the terms.
        optimiser: Settings of the player's optimiser.
        interval: The player updates its module at every `interval`-th step of the run: 1 for every
            step, 2 for every second step.
        ema: Decay, in (0, 1), of an exponential moving average of the module's weights; after
            training, the average replaces the weights. None for no average.
        measure: Function of the arguments of `loss` to further numbers by name for the history. It
            is called without gradients at logged steps, after all players have updated their
            modules. None for no further numbers.

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

    def __post_init__(self) -> None:
        if mistake := field_mistake(self):
            raise ConfigError(mistake)
        if self.interval < 1 or not (self.ema is None or 0 < self.ema < 1):
            raise ConfigError(
                f"Player: interval={self.interval} or ema={self.ema} is out of range; give an "
                "interval of at least 1, and an ema in (0, 1) or None"
            )
