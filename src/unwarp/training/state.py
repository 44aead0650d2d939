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
from unwarp.training.pending import StepNumbers, read_numbers
from unwarp.values import brief

Row = Mapping[str, float]
"""Numbers of one step by name, such as loss terms."""
LOG_EVERY = 10
"""Steps between two rows of the history."""

HELD_OUT = "held_out"
"""Name of the loss of held-out samples in the rows of `History.curve`."""

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


@dataclass(frozen=True)
class StepChange:
    """A new number of steps, decided by held-out samples.

    Attributes:
        step: Number of steps that were run before the decision.
        from_steps: The number of steps of the run until then.
        to_steps: The new number of steps.
        reason: The measurement that decided, in words.

    >>> print(StepChange(600, 600, 1200, "the error of held-out samples still fell by 3 %"))
    extended from 600 to 1,200 steps: the error of held-out samples still fell by 3 %
    """

    step: int
    from_steps: int
    to_steps: int
    reason: str

    @property
    def is_longer(self) -> bool:
        """Whether the run has more steps than before."""
        return self.to_steps > self.from_steps

    def __str__(self) -> str:
        verb = "extended" if self.is_longer else "shortened"
        return f"{verb} from {self.from_steps:,} to {self.to_steps:,} steps: {self.reason}"


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
        validation: One row per measurement of held-out samples: `step` (the number of steps before
            it), `seconds`, the loss under the name of its term, and `error`, the loss above that of
            perfect reconstructions. Empty without held-out samples.
        changes: Changes of the number of steps, by the error of held-out samples.
        best: The row of `validation` with the least error, whose weights the model has; empty
            without held-out samples.

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
    validation: list[Row] = field(default_factory=list)
    changes: list[StepChange] = field(default_factory=list)
    best: Row = field(default_factory=dict)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> History:
        """The history of a dictionary that `dataclasses.asdict` made.

        Args:
            record: The dictionary, possibly stored as JSON; it is copied.
        """
        rollbacks = [Rollback(**rollback) for rollback in record.get("rollbacks", ())]
        changes = [StepChange(**change) for change in record.get("changes", ())]
        rows, validation = (
            [dict(row) for row in record.get(name, ())] for name in ("rows", "validation")
        )
        lists = {"rows": rows, "rollbacks": rollbacks, "validation": validation, "changes": changes}
        return cls(**{**record, **lists, "best": dict(record.get("best", {}))})

    @property
    def samples_per_second(self) -> float:
        """Mean number of training samples per second; NaN before the first step."""
        return self.samples / self.seconds if self.seconds else float("nan")

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for people on the length of the run.

        They tell changes of its number of steps, an early end, and the step of the weights. A run
        that made its steps without held-out samples has none.
        """
        lines = [str(change) for change in self.changes]
        if self.stopped and not any(self.stopped == change.reason for change in self.changes):
            lines.append(f"stopped after step {self.steps:,}: {self.stopped}")
        if self.best and self.best["step"] != self.steps:
            lines.append(
                f"kept the weights after step {self.best['step']:,.0f}, with the least error of "
                "held-out samples"
            )
        return tuple(lines)

    @property
    def curve(self) -> list[Row]:
        """Rows of the training and of held-out samples; the latter have `held_out`."""
        counters = ("step", "error")
        measurements = (
            {k if k == "seconds" else HELD_OUT: v for k, v in row.items() if k not in counters}
            for row in self.validation
        )
        return [*self.rows, *measurements]

    @property
    def rate_factor(self) -> float:
        """Factor of all learning rates, halved by each rollback; 1 at first."""
        return RATE_FACTOR_OF_ROLLBACK ** len(self.rollbacks)


@dataclass(frozen=True)
class RestorePoint:
    """A state to which a diverged run can go back.

    Attributes:
        step: Number of steps that were run.
        steps: Number of steps of the whole run.
        history: Fields of the `History`, by name.
        scaler: State of the gradient scaler; None if there is none.
        tensors: Weights, averaged weights and optimiser states, by name.

    >>> RestorePoint(0, 10, {"steps": 0}, None, {}).step
    0
    """

    __pydantic_config__ = ConfigDict(arbitrary_types_allowed=True)
    step: int
    steps: int
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
        steps: Number of steps of the whole run. The error of held-out samples may change it.
        seed: Seed of the run.
        step: Number of the current step, from 0.
        history: The history up to the current step.
        scaler: Gradient scaler of mixed precision; None for none.
        data: Training samples, of which a checkpoint has a fingerprint; None if unknown.
        facts: Settings that change the result, as JSON values by name, such as the batch size. A
            checkpoint of a run with others is refused.
        restore_points: States to which the run can go back if it diverges, the oldest first; empty
            if it would stop.
        best: Weights and averaged weights with the least error of held-out samples, by name; empty
            without held-out samples.
        pending: Numbers of the last steps that are not read from the device yet.

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
    best: dict[str, Tensor] = field(default_factory=dict)
    pending: list[StepNumbers] = field(default_factory=list)

    def check(self) -> None:
        """Read the numbers of all steps so far; refuse a divergence.

        Loss terms and gradient norms stay on the device between logged steps, so that it is never
        idle. A callback that saves something calls this function first.

        Raises:
            DivergenceError: A number is not finite. The state then counts the steps before it.
        """
        pending, self.pending = self.pending, []
        if lost := read_numbers(pending):
            self.step = self.history.steps = lost.step
            self.history.samples = lost.samples
            raise lost.error

    def stop(self, reason: str) -> None:
        """End the run after the current step.

        Call it in `Callback.on_start` or `Callback.on_step`. All callbacks still see the step. Then
        the model is finished as after the last step, and `history.stopped` is the reason.

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
