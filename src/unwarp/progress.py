"""Progress for people: a bar with the loss terms, the pace and the time left; plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Column

from unwarp.training import Quiet, Row, State


class Choice(Quiet):
    """Says, before the first step, what will be trained."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def on_start(self, state: State) -> None:
        """One line: warp, sizes, window, steps; and where a stopped run goes on."""
        model = state.model
        size = sum(p.numel() for p in model.parameters())
        where = "x".join(map(str, model.window.size))
        self.say(
            f"chosen: warp {'+'.join(part.name for part in model.warp.parts)}, {model.n_content} content dimensions, templates "
            f"of {where}, padding {model.padding}, {size:,} parameters, {state.steps:,} steps"
            + (f", of which {state.step:,} are done" if state.step else "")
        )


class Progress(Quiet):
    """Shows a run. Beside a terminal's bar nothing else is printed; elsewhere one line for each tenth of the run."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self.title, self.console = title, console or Console(stderr=True)
        self._bars: Bars | None = None
        self._latest: Row = {}

    def on_start(self, state: State) -> None:
        """Open the bar."""
        if not self.console.is_terminal:
            return
        columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.percentage:3.0f} %"))
        words = (
            TextColumn("[dim]{task.fields[terms]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._bars = Bars(*columns, *words, console=self.console, expand=True)
        self._bars.start()
        self._task = self._bars.add_task(self.title, total=state.steps, completed=state.step, terms="")

    def on_step(self, state: State, terms: Row) -> None:
        """Move the bar, or print a line: the latest of every loss term and measure; gradient norms are for the history."""
        self._latest |= {name: value for name, value in terms.items() if not name.endswith(".gradient")}
        words = "  ".join(f"{name} {value:.4g}" for name, value in self._latest.items())
        done = state.step + 1
        if self._bars:
            self._bars.update(self._task, completed=done, terms=words)
        elif done % max(1, state.steps // 10) == 0:
            left = state.history.seconds / done * (state.steps - done)
            self.console.print(
                f"{self.title}: step {done} of {state.steps}, {left:.0f} s left, {words}", highlight=False
            )

    def on_stop(self, state: State) -> None:
        """Close the bar."""
        self.on_end(state)

    def on_end(self, state: State) -> None:
        """Close the bar."""
        if self._bars:
            self._bars.stop()
