"""Code that looks on at a training."""

from __future__ import annotations

from unwarp.training.state import Row, State


class Callback:
    """Code that looks on at a training; each hook does nothing until a subclass fills it."""

    def on_message(self, line: str) -> None:
        """When there is news for people before the run: what is being decided, and why."""

    def on_start(self, state: State) -> None:
        """Before the first step; a callback may put an earlier state back here."""

    def on_step(self, state: State, terms: Row) -> None:
        """After each step."""

    def on_stop(self, state: State) -> None:
        """When an error or an interrupt ends the run early."""

    def on_end(self, state: State) -> None:
        """After the last step, with the model centred."""
