"""Divergence of a run: an error, or an earlier state.

A run diverges if a loss, a gradient or a weight is not finite. With `rollback` it goes back to the
last restore point, halves the learning rates of all players, and continues. A restore point is a
copy of the state after every 200th step, and of the state before the first step. It has three
properties:

* **The way does not depend on files.** Restore points are at fixed steps and are part of every
  checkpoint. So a run without checkpoints, one with them, and one that was killed and resumed go
  back to the same states, and end at the same weights.
* **The batches after a rollback are others.** Random numbers depend on the seed, the step and the
  number of rollbacks. The same batches would lead to the same step again, and if a rare batch or a
  rare random deformation was the cause, a lower rate alone might not help. Samples that cannot be
  learned from come back in any order; the run then ends with an error that names them.
* **A restore point is not trusted twice.** A state may be finite and yet beyond recovery. If the
  run diverges before it reaches a new restore point, it goes back to its beginning.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import chain

import torch
from torch import Tensor

from unwarp.core import DivergencePolicy
from unwarp.errors import ConfigError, DivergenceError
from unwarp.training.snapshot import go_back, take_restore_point
from unwarp.training.state import RATE_FACTOR_OF_ROLLBACK, Rollback, State

MAX_ROLLBACKS = 5
"""Greatest number of rollbacks of a run; the learning rates are then 1/32 of the first ones."""

RESTORE_INTERVAL = 200
"""Steps between two restore points."""


class Recovery(ABC):
    """The reaction of a run to a divergence.

    >>> recovery_of("stop").__class__.__name__
    'Stop'
    """

    @abstractmethod
    def observe(self, state: State) -> None:
        """See the state before the first step, and after each step.

        Args:
            state: The state; its history has the number of steps so far.
        """

    @abstractmethod
    def recover(self, state: State, error: DivergenceError) -> Rollback:
        """Change a diverged state to one from which the run can continue.

        Args:
            state: The state, which is changed in place.
            error: The value that is not finite.

        Returns:
            The rollback, which the history has as its last one.

        Raises:
            DivergenceError: The run cannot continue.
        """


class Stop(Recovery):
    """The end of a run by the error.

    >>> from torch import nn
    >>> Stop().observe(State(nn.Identity(), (), (), (), steps=100, seed=0))
    """

    def observe(self, state: State) -> None:
        """Do nothing.

        Args:
            state: The state; it is ignored.
        """

    def recover(self, state: State, error: DivergenceError) -> Rollback:
        """Raise the error.

        Args:
            state: The state; it stays as it is.
            error: The error.

        Raises:
            DivergenceError: Always.
        """
        raise error


class GoBack(Recovery):
    """The return to a restore point, with half the learning rates.

    >>> from torch import nn
    >>> state = State(nn.Identity(), (), (), (), steps=100, seed=0)
    >>> GoBack().observe(state)
    >>> [point.step for point in state.restore_points]
    [0]
    """

    def observe(self, state: State) -> None:
        """Add a restore point if it is due.

        States with numbers that are not finite are left out. The first restore point and the newest
        one are kept.

        Args:
            state: The state before the first step, or after a step.

        Raises:
            DivergenceError: A loss or a gradient of the last steps is not finite.
        """
        points, steps = state.restore_points, state.history.steps
        is_due = not points or (steps % RESTORE_INTERVAL == 0 and steps > points[-1].step)
        if not is_due:
            return
        state.check()
        if _is_finite(chain(_weights(state), _moments(state))):
            state.restore_points = (*points[:1], take_restore_point(state))

    def recover(self, state: State, error: DivergenceError) -> Rollback:
        """Go back to a restore point, and halve the learning rates.

        It is the newest one, or the first one if the newest one was used before.

        Args:
            state: The state, which is changed in place.
            error: The value that is not finite.

        Returns:
            The rollback.

        Raises:
            DivergenceError: The run has gone back too often; the message says what was tried.
        """
        rollbacks, step = state.history.rollbacks, state.step
        if not state.restore_points:  # the weights were not finite before the first step
            raise error
        if len(rollbacks) >= MAX_ROLLBACKS:
            raise _last_error(state, error) from None
        if rollbacks and rollbacks[-1].to_step == state.restore_points[-1].step:
            state.restore_points = state.restore_points[:1]
        go_back(state.restore_points[-1], state)
        factor = RATE_FACTOR_OF_ROLLBACK ** (len(rollbacks) + 1)
        rates = {player.name: player.optimiser.lr * factor for player in state.players}
        rollback = Rollback(step, state.step, rates, error.reason or str(error))
        state.history.rollbacks = [*rollbacks, rollback]
        return rollback


def recovery_of(policy: DivergencePolicy, n_processes: int = 1) -> Recovery:
    """The recovery of a policy.

    Args:
        policy: `stop` or `rollback`.
        n_processes: Number of processes of the run; one of them may diverge alone.

    Raises:
        ConfigError: Rollbacks are asked of several processes.
    """
    if policy == "stop":
        return Stop()
    if n_processes > 1:
        raise ConfigError(
            f"on_divergence={policy!r} does not work with {n_processes} processes; train in one "
            "process, or set on_divergence='stop'"
        )
    return GoBack()


def check_weights(state: State) -> None:
    """Refuse weights that are not finite.

    The last update of a run has no loss after it that would show them.

    Args:
        state: The state after the last step.

    Raises:
        DivergenceError: A weight of a player is not finite.
    """
    for player in state.players:
        if not _is_finite(player.module.parameters()):
            reason = f"player {player.name!r}: a weight is not finite"
            raise DivergenceError(
                f"training stopped after step {state.step}, {reason}; lower the player's learning "
                f"rate (lr={player.optimiser.lr:g}), or go back and try lower rates with "
                "on_divergence='rollback'",
                reason,
            )


def _last_error(state: State, error: DivergenceError) -> DivergenceError:
    """The error of a run that has gone back too often."""
    rollbacks = state.history.rollbacks
    steps = ", ".join(str(rollback.to_step) for rollback in rollbacks)
    rates = ", ".join(f"{name} lr={rate:.3g}" for name, rate in rollbacks[-1].rates.items())
    rows = f", in rows {list(error.rows)} and others," if error.rows else ""
    return DivergenceError(
        f"training stopped at step {state.step}, {error.reason}; it went back {len(rollbacks)} "
        f"times (to the steps {steps}), at last with {rates}; set a still lower learning rate, or "
        f"check the samples{rows} for extreme values",
        error.reason,
        error.rows,
    )


def _weights(state: State) -> Iterator[Tensor]:
    """The weights of all players."""
    for player in state.players:
        yield from player.module.parameters()


def _moments(state: State) -> Iterator[Tensor]:
    """The moment estimates of all optimisers."""
    for optimiser in state.optimisers:
        for moments in optimiser.state.values():
            yield from (value for value in moments.values() if isinstance(value, Tensor))


def _is_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether all values are finite."""
    flags = [torch.isfinite(tensor).all() for tensor in tensors]
    return (
        all(torch.stack([flag.to(flags[0].device) for flag in flags]).tolist()) if flags else True
    )
