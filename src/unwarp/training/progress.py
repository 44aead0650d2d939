"""Progress for people: a bar with the loss terms, the pace and the time left; plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Column

from unwarp.models.model import Model
from unwarp.training.callbacks import Callback
from unwarp.training.state import Row, State


class Choice(Callback):
    """Says, before the first step, what will be trained.

    Args:
        say: Takes the line.
        seconds: Bound on the training; None for none.
    """

    def __init__(self, say: Callable[[str], None], seconds: float | None = None) -> None:
        self.say, self.seconds = say, seconds
        self._said: set[str] = set()

    def on_message(self, line: str) -> None:
        """The line, as it is; once, however many models are trained on the same samples."""
        if line not in self._said:
            self._said.add(line)
            self.say(line)

    def on_start(self, state: State) -> None:
        """One line: warp, sizes, window, steps; and where a stopped run goes on."""
        model = state.model
        assert isinstance(model, Model)
        size = sum(p.numel() for p in model.parameters())
        where = "x".join(map(str, model.window.size))
        self.say(
            f"chosen: warp {'+'.join(part.name for part in model.warp.parts)}, {model.n_content} content dimensions, templates "
            f"of {where}, padding {model.padding}, {size:,} parameters, {state.steps:,} steps"
            + (f" in {self.seconds:g} s at most" if self.seconds else "")
            + (f", of which {state.step:,} are done" if state.step else "")
        )


class Progress(Callback):
    """Shows a run. Beside a terminal's bar nothing else is printed; elsewhere one line for each tenth of the run.

    Args:
        title: Name of the run.
        console: Where to print; None for standard error.
        seconds: Bound on the training, which ends at its last step or with these; None for none.
    """

    def __init__(
        self, title: str, console: Console | None = None, seconds: float | None = None
    ) -> None:
        self.title, self.console, self.seconds = title, console or Console(stderr=True), seconds
        self._bars: Bars | None = None
        self._latest: Row = {}
        self._told = 0

    def on_start(self, state: State) -> None:
        """Open the bar."""
        self._told = int(10 * self._share(state, state.step))
        if not self.console.is_terminal:
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(24),
            TextColumn("{task.percentage:3.0f} %"),
        )
        words = (
            TextColumn(
                "[dim]{task.fields[terms]}",
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._bars = Bars(*columns, *words, console=self.console, expand=True)
        self._bars.start()
        self._task = self._bars.add_task(self.title, total=1.0, terms="")
        self._bars.update(self._task, completed=self._share(state, state.step))

    def on_step(self, state: State, terms: Row) -> None:
        """Move the bar, or print a line: the latest of every loss term and measure; gradient norms are for the history."""
        self._latest |= {
            name: value for name, value in terms.items() if not name.endswith(".gradient")
        }
        words = "  ".join(f"{name} {value:.4g}" for name, value in self._latest.items())
        done = state.step + 1
        share = self._share(state, done)
        if self._bars:
            self._bars.update(self._task, completed=share, terms=words)
        elif int(10 * share) > self._told:
            self._told = int(10 * share)
            left = state.history.seconds / share * (1 - share)
            self.console.print(
                f"{self.title}: step {done} of {state.steps}, {left:.0f} s left, {words}",
                highlight=False,
                soft_wrap=True,
            )

    def _share(self, state: State, done: int) -> float:
        """How much of the run lies behind, 0 to 1: in steps, or in seconds where their bound is nearer."""
        timed = state.history.seconds / self.seconds if self.seconds else 0.0
        return min(1.0, max(done / state.steps, timed))

    def on_stop(self, state: State) -> None:
        """Close the bar."""
        self.on_end(state)

    def on_end(self, state: State) -> None:
        """Close the bar."""
        if self._bars:
            self._bars.stop()
