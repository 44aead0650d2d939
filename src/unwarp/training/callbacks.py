"""`Callback`, the base class of code that observes a training run."""

from __future__ import annotations

from unwarp.training.state import Row, State


class Callback:
    """Base of callbacks, with hooks that do nothing.

    A subclass overrides the hooks that it needs and is passed to `train` or `Unwarper.fit`. Within
    a run the order is `on_start`, `on_step` after every step, then either `on_end` or, if an error
    or an interrupt ends the run, `on_stop`. Callbacks are called in the order of the list.

    Example:
        >>> from torch import nn
        >>> class StepPrinter(Callback):
        ...     def on_step(self, state: State, terms: Row) -> None:
        ...         print(f"step {state.step}: {terms['reconstruction']:.1f}")
        >>> state = State(nn.Identity(), (), (), (), steps=100, seed=0, step=7)
        >>> StepPrinter().on_step(state, {"reconstruction": 0.25})
        step 7: 0.2
    """

    def on_message(self, line: str) -> None:
        """Take a line for the user that precedes a run.

        `Unwarper.fit` calls this; `train` by itself does not.

        Args:
            line: A decision about the model, such as how much to warp, and its reason.
        """

    def on_start(self, state: State) -> None:
        """Act before the first step.

        Model and players are on the device of the run, in training mode.

        Args:
            state: The initial state. A callback may replace it by an earlier one, in place, to
                resume a run.
        """

    def on_step(self, state: State, terms: Row) -> None:
        """Act after a step.

        An exception raised here ends the run.

        Args:
            state: The state after the step `state.step`, with its row in the history if the step
                is logged.
            terms: Loss terms of the players that stepped, gradient norms and measures, by name.
        """

    def on_stop(self, state: State) -> None:
        """Act when an error or an interrupt ends the run early.

        Release resources here, such as a progress bar or a signal handler. The exception is raised
        afterwards.

        Args:
            state: The state at that moment.
        """

    def on_end(self, state: State) -> None:
        """Act after the run.

        Averaged weights have replaced the last ones, and the model's `finish` hook has run.

        Args:
            state: The last state; the model is on the CPU, in evaluation mode.
        """
