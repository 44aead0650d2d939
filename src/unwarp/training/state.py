"""The state of a training run, and its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from unwarp.data.samples import Samples
from unwarp.models.players import Player

Row = dict[str, float]
"""Numbers of one step by name, such as loss terms."""
LOG_EVERY = 10
"""Steps between two rows of the history."""


@dataclass
class History:
    """The logged numbers of a run.

    There is a row for every `LOG_EVERY`-th step, and one for the last step.

    Attributes:
        rows: One row per logged step, with numbers by name: `step`, `seconds`, `samples`, the loss
            terms (multiplied by their weights), gradient norms before clipping as
            `<player>.gradient`, and measures as `<player>.<name>`. If gradients are not clipped,
            the row of the last step may be without gradient norms.
        steps: Number of steps that were run.
        seconds: Time of these steps in seconds, without the `finish` hook of the model.
        samples: Number of samples in all batches so far, over all processes.

    Example:
        >>> History(steps=10, seconds=2.0, samples=640).samples_per_second
        320.0
    """

    rows: list[Row] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    samples: int = 0

    @property
    def samples_per_second(self) -> float:
        """Mean number of training samples per second; NaN before the first step."""
        return self.samples / self.seconds if self.seconds else float("nan")


@dataclass
class State:
    """The state that a run carries from step to step.

    Callbacks read it, and `Checkpoint` saves and restores it. It has no state of random generators,
    since random numbers depend only on `seed` and `step`.

    Attributes:
        model: The module that is trained.
        players: The players, in the order of their updates.
        optimisers: The optimiser of each player.
        averages: The averaged weights of each player by name; empty for a player without an
            average.
        steps: Number of steps of the whole run.
        seed: Seed of the run.
        step: Number of the current step, from 0.
        history: The history up to the current step.
        scaler: Gradient scaler of mixed precision; None for none.
        data: Training samples, of which a checkpoint has a fingerprint; None if unknown.
        facts: Settings that change the result, as JSON values by name, such as the batch size. A
            checkpoint of a run with other facts is refused.

    Example:
        >>> State(nn.Identity(), (), (), (), steps=100, seed=0).step
        0
    """

    model: nn.Module
    players: tuple[Player, ...]
    optimisers: tuple[torch.optim.Optimizer, ...]
    averages: tuple[dict[str, Tensor], ...]
    steps: int
    seed: int
    step: int = 0
    history: History = field(default_factory=History)
    scaler: torch.amp.GradScaler | None = None
    data: Samples | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
