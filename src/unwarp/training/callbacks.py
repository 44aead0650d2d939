"""`Callback`, the base class of code that observes a training run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unwarp.errors import ConfigError
from unwarp.training.state import Row, State
from unwarp.values import brief


class Callback:
    """Base of callbacks, with methods that do nothing.

    A subclass overrides the methods that it needs. Pass an instance to `train` or `Unwarper.fit`. A
    run calls `on_start` before the first step and `on_step` after every step. After the last step
    it calls `on_end`; if an error or an interrupt ends the run before, it calls `on_stop` instead.
    Callbacks are called in the order of the list.

    A callback stops a run by `state.stop(reason)`. The run then ends like a whole one, with a
    finished model, and `history.stopped` is the reason. An exception instead ends the run with an
    error, and leaves no trained estimator.

    Example:
        >>> from torch import nn
        >>> class StepPrinter(Callback):
        ...     def on_step(self, state: State, terms: Row) -> None:
        ...         print(f"step {state.step}: {terms['reconstruction']:.1f}")
        >>> state = State(nn.Identity(), (), (), (), steps=100, seed=0, step=7)
        >>> StepPrinter().on_step(state, {"reconstruction": 0.25})
        step 7: 0.2
        >>> class Patience(Callback):
        ...     def on_step(self, state: State, terms: Row) -> None:
        ...         if terms["reconstruction"] < 0.3:
        ...             state.stop("the error is below 0.3")
        >>> Patience().on_step(state, {"reconstruction": 0.25})
        >>> state.history.stopped
        'the error is below 0.3'
    """

    def on_message(self, line: str) -> None:
        """Receive a message for the user.

        `Unwarper.fit` calls this method before a run, and `train` when a run has diverged and goes
        back to an earlier state.

        Args:
            line: One line with a decision about the model, such as its warp, and the reason; or
                with the step that diverged, the step from which it continues, and the new rates.
        """

    def recall(self, question: str, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The stored answer to a question; None if there is none.

        `Unwarper.fit` calls this method before a decision that takes long, such as how much to warp
        series.

        Args:
            question: Name of the decision.
            facts: The fingerprint of data and settings on which the decision depends.
        """
        return None

    def on_decision(
        self, question: str, facts: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> None:
        """Store a decision that was made before a run.

        Args:
            question: Name of the decision.
            facts: The fingerprint of data and settings on which the decision depends.
            answer: The decision, as JSON values by name.
        """

    def on_start(self, state: State) -> None:
        """Act before the first step.

        The model and the modules of the players are on the device of the run, in training mode.

        Args:
            state: The initial state. A callback may change it in place to a stored state, and so
                resume an interrupted run.
        """

    def on_step(self, state: State, terms: Row) -> None:
        """Act after a step.

        `state.stop` ends the run after this step and leaves a finished model; an exception raised
        here ends it with the exception. Before you save something, call `state.check()`, which
        notices a run that has diverged since the last logged step.

        Args:
            state: The state after step `state.step`. If the step is logged, the last row of the
                history is that of this step.
            terms: Numbers of this step by name: loss terms and gradient norms of the players that
                made an update and, if the step is logged, the players' measures. They are on the
                device of the run until one of them is looked up; the names are known before. A GPU
                waits at each look-up, so make it at every tenth step or less often.
        """

    def on_early_end(self, state: State) -> None:
        """Act after the last step of a run that was stopped.

        It is called after `on_step` if a callback has stopped the run; `on_end` follows. Save here
        what a resumed run needs to know.

        Args:
            state: The state after its last step, with `history.stopped`. Averaged weights have not
                replaced the weights yet, and the model is on the device of the run.
        """

    def on_stop(self, state: State) -> None:
        """Act when an error or an interrupt ends the run early.

        Release resources here, such as a progress bar or a signal handler. The exception is raised
        again afterwards.

        Args:
            state: The state when the run ended.
        """

    def on_end(self, state: State) -> None:
        """Act after the last step.

        Before, averaged weights have replaced the weights of the last step, and the `finish` hook
        of the model has been called.

        Args:
            state: The last state; the model is on the CPU, in evaluation mode.
        """


def check_callbacks(callbacks: Any) -> tuple[Callback, ...]:
    """The callbacks of a run; anything else is refused.

    Args:
        callbacks: A list or a tuple of instances of `Callback`.

    Raises:
        ConfigError: It is no list or tuple, or an entry is no callback.

    >>> check_callbacks([])
    ()
    """
    is_sequence = isinstance(callbacks, list | tuple)
    if not is_sequence or not all(isinstance(item, Callback) for item in callbacks):
        raise ConfigError(
            f"callbacks={brief(callbacks)} is not allowed; give a list of instances of Callback, "
            "such as [Progress('training')]"
        )
    return tuple(callbacks)
