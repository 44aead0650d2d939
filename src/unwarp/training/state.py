"""What a training carries from step to step, and its history."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from unwarp.models.players import Player

Row = dict[str, float]
LOG_EVERY = 10
"""Steps between two rows of the history."""


@dataclass
class History:
    """The rows of a run: one every `LOG_EVERY` steps, and one for the last.

    A row holds the step, the seconds, the samples, all loss terms, all players' gradient norms
    before clipping as `<player>.gradient` (in the last row only where gradients are clipped), and
    their measures as `<player>.<name>`.
    """

    rows: list[Row] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    samples: int = 0

    @property
    def samples_per_second(self) -> float:
        """Mean pace of the run, in observations drawn from the data set."""
        return self.samples / self.seconds if self.seconds else float("nan")


@dataclass
class State:
    """Everything that a run carries from step to step, for checkpoints and callbacks."""

    model: nn.Module
    players: tuple[Player, ...]
    optimisers: tuple[torch.optim.Optimizer, ...]
    averages: tuple[dict[str, Tensor], ...]
    steps: int
    seed: int
    step: int = 0
    history: History = field(default_factory=History)
    scaler: torch.amp.GradScaler | None = None
