"""What a training carries from step to step, and its history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from unwarp.models import Model, Player

if TYPE_CHECKING:
    pass


Row = dict[str, float]


@dataclass
class History:
    """What a run did: one row every `LOG_EVERY` steps, and for the last.

    A row holds the step, the seconds, the samples, each loss term, each player's gradient norm before clipping as
    `<player>.gradient` (in the last row only where gradients are clipped), and what its `measure` gives as `<player>.<name>`.
    """

    rows: list[Row] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    samples: int = 0

    @property
    def samples_per_second(self) -> float:
        """Mean pace of the run, counting observations as they were drawn from the data set."""
        return self.samples / self.seconds if self.seconds else float("nan")


@dataclass
class State:
    """Everything that a run carries from step to step: what a checkpoint keeps and what a callback sees."""

    model: Model
    players: tuple[Player, ...]
    optimisers: tuple[torch.optim.Optimizer, ...]
    averages: tuple[dict[str, Tensor], ...]
    steps: int
    seed: int
    step: int = 0
    history: History = field(default_factory=History)
    scaler: torch.amp.GradScaler | None = None
