"""The state of a training run, and its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from pydantic import ConfigDict
from torch import Tensor, nn

from unwarp.data.samples import Samples
from unwarp.errors import ConfigError
from unwarp.models.players import Player
from unwarp.values import brief

Row = dict[str, float]
"""Numbers of one step by name, such as loss terms."""
LOG_EVERY = 10
"""Steps between two rows of the history."""

RATE_FACTOR_OF_ROLLBACK = 0.5
"""Factor by which each rollback multiplies the learning rates of all players."""

SEED_STRIDE_OF_ROLLBACK = 0x94D049BB133111EB
"""Number that each rollback adds to the seed of the batches; a constant of SplitMix64."""


@dataclass(frozen=True)
class Rollback:
    """The return of a diverged run to an earlier state.

    Attributes:
        step: Number of the step at which the run diverged.
        to_step: Number of steps that the earlier state has behind it.
        rates: The new greatest learning rate of each player, by the name of the player.
        reason: The player and the value that was not finite, in words.

    >>> print(Rollback(7, 0, {"net": 0.01}, "player 'net': the loss term 'error' is nan"))
    diverged at step 7 (player 'net': the loss term 'error' is nan); back to step 0, net lr=0.01
    """

    step: int
    to_step: int
    rates: Mapping[str, float]
    reason: str

    def __str__(self) -> str:
        rates = ", ".join(f"{name} lr={rate:.3g}" for name, rate in self.rates.items())
        return f"diverged at step {self.step} ({self.reason}); back to step {self.to_step}, {rates}"


@dataclass
class History:
    """The logged numbers of a run.

    There is a row for every `LOG_EVERY`-th step, and one for the last step. Steps that a rollback
    undid have no rows, but their time and their samples count.

    Attributes:
        rows: One row per logged step, with numbers by name: `step`, `seconds`, `samples`, the loss
            terms (multiplied by their weights), gradient norms before clipping as
            `<player>.gradient`, and measures as `<player>.<name>`. If gradients are not clipped,
            the row of the last step may be without gradient norms.
        steps: Number of steps that were run.
        seconds: Time of these steps in seconds, without the `finish` hook of the model.
        samples: Number of samples in all batches so far, over all processes.
        rollbacks: The returns to earlier states after a divergence, in their order.
        stopped: Reason for which the run ended before its last step, in words; empty if it did not.

    Example:
        >>> History(steps=10, seconds=2.0, samples=640).samples_per_second
        320.0
    """

    rows: list[Row] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    samples: int = 0
    rollbacks: list[Rollback] = field(default_factory=list)
    stopped: str = ""

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> History:
        """The history of a dictionary that `dataclasses.asdict` made.

        Args:
            record: The dictionary, possibly stored as JSON; it is copied.
        """
        rollbacks = [Rollback(**rollback) for rollback in record.get("rollbacks", ())]
        rows = [dict(row) for row in record.get("rows", ())]
        return cls(**{**record, "rows": rows, "rollbacks": rollbacks})

    @property
    def samples_per_second(self) -> float:
        """Mean number of training samples per second; NaN before the first step."""
        return self.samples / self.seconds if self.seconds else float("nan")

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for people on the end of the run; empty if it made all of its steps."""
        is_early = bool(self.stopped)
        return (f"stopped after step {self.steps:,}: {self.stopped}",) if is_early else ()

    @property
    def rate_factor(self) -> float:
        """Factor of all learning rates, halved by each rollback; 1 at first."""
        return RATE_FACTOR_OF_ROLLBACK ** len(self.rollbacks)


@dataclass(frozen=True)
class RestorePoint:
    """A state to which a diverged run can go back.

    Attributes:
        step: Number of steps that were run.
        history: Fields of the `History`, by name.
        scaler: State of the gradient scaler; None if there is none.
        tensors: Weights, averaged weights and optimiser states, by name.

    >>> RestorePoint(0, {"steps": 0}, None, {}).step
    0
    """

    __pydantic_config__ = ConfigDict(arbitrary_types_allowed=True)
    step: int
    history: dict[str, Any]
    scaler: dict[str, Any] | None
    tensors: dict[str, Tensor]


@dataclass
class State:
    """The state that a run carries from step to step.

    Callbacks read it, and `Checkpoint` saves and restores it. It has no state of random generators,
    since random numbers depend only on `seed`, `step` and the number of rollbacks.

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
            checkpoint of a run with others is refused.
        restore_points: States to which the run can go back if it diverges, the oldest first; empty
            if it would stop.

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
    restore_points: tuple[RestorePoint, ...] = ()

    def stop(self, reason: str) -> None:
        """End the run after the current step, as if it were the last one.

        Call it in `Callback.on_start` or `Callback.on_step`. All callbacks still see the step; then
        the model is finished as at the end of a whole run, and `history.stopped` is the reason.

        Args:
            reason: The reason in words, for people. If several callbacks stop a run, that of the
                first one counts.

        Raises:
            ConfigError: The reason is no text, or empty.
        """
        if not isinstance(reason, str) or not reason.strip():
            raise ConfigError(f"reason={brief(reason)} is not allowed; say in words why it stops")
        self.history.stopped = self.history.stopped or reason

    @property
    def seed_of_batches(self) -> int:
        """Seed of batches and of random numbers in losses.

        It is `seed`, and another number after each rollback.
        """
        return self.seed + SEED_STRIDE_OF_ROLLBACK * len(self.history.rollbacks)
