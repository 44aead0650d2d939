"""Progress of a run: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Column

from unwarp.models.model import Model
from unwarp.training.callbacks import Callback
from unwarp.training.state import LOG_EVERY, Row, State

PROGRESS_LINES = 10
"""Number of lines that a run prints if the output is not a terminal."""


class Announcer(Callback):
    """Callback that prints the decisions about a model and its training.

    Args:
        print_line: Function that prints a line, such as `print`.
        seconds: Greatest training time in seconds, to be printed; None for no bound.

    Example:
        >>> from unwarp.models import AE
        >>> state = State(AE(n_content=2).build((1, 8, 8)), (), (), (), steps=100, seed=0)
        >>> Announcer(print).on_start(state)  # doctest: +ELLIPSIS
        training with warp affine: 2 content dimensions, templates of 8x8, padding zeros, ...
    """

    def __init__(self, print_line: Callable[[str], None], seconds: float | None = None) -> None:
        self.print_line, self.seconds = print_line, seconds
        self._printed_lines: set[str] = set()
        self._is_in_run = False

    def on_message(self, line: str) -> None:
        """Print a message, unless it was printed before.

        A message before a run is repeated if several models are trained on the same samples. All
        messages during a run are printed.

        Args:
            line: The message, one line.
        """
        if self._is_in_run or line not in self._printed_lines:
            self.print_line(line)
        if not self._is_in_run:
            self._printed_lines.add(line)

    def on_start(self, state: State) -> None:
        """Print the warp, the model's sizes and the number of steps.

        The module that is trained must be a `Model`; otherwise an `AssertionError` is raised.

        Args:
            state: The state before the first step. Its step is above 0 if an interrupted run is
                resumed.
        """
        self._is_in_run, model = True, state.model
        assert isinstance(model, Model)
        warp = "+".join(part.name for part in model.warp.parts)
        title = f"with warp {warp}" if model.warp.factors else "without a warp (baseline)"
        n_parameters = sum(p.numel() for p in model.parameters())
        template_size = "x".join(map(str, model.window.size))
        self.print_line(
            f"training {title}: {model.n_content} content dimensions, templates of "
            f"{template_size}, padding {model.padding}, {n_parameters:,} parameters, "
            f"{state.steps:,} steps"
            + (f", at most {self.seconds:g} s" if self.seconds else "")
            + (f", resumed after step {state.step:,}" if state.step else "")
        )

    def on_stop(self, state: State) -> None:
        """Note the end of the run.

        Args:
            state: The state of the interrupted run.
        """
        self._is_in_run = False

    def on_end(self, state: State) -> None:
        """Note the end of the run.

        Args:
            state: The state after the run.
        """
        self._is_in_run = False


class Progress(Callback):
    r"""Callback that shows the progress of a run.

    In a terminal it shows a bar with loss terms, elapsed time and time left; print nothing else
    while it is shown. If the output is not a terminal, it prints a line after each tenth of the
    run.

    Args:
        title: Name of the run, printed before its progress.
        console: Console to print to; None for standard error.
        seconds: Greatest training time in seconds, which may end the run before its last step;
            None for no bound.

    Example:
        >>> from io import StringIO
        >>> from torch import nn
        >>> page = StringIO()
        >>> progress = Progress("demo", Console(file=page))
        >>> state = State(nn.Identity(), (), (), (), steps=1, seed=0)
        >>> progress.on_step(state, {"reconstruction": 0.5})
        >>> page.getvalue()
        'demo: step 1 of 1, 0 s left, reconstruction 0.5\n'
    """

    def __init__(
        self, title: str, console: Console | None = None, seconds: float | None = None
    ) -> None:
        self.title, self.console, self.seconds = title, console or Console(stderr=True), seconds
        self._bar: RichProgress | None = None
        self._latest: dict[str, Row] = {}
        self._n_lines = 0

    def on_start(self, state: State) -> None:
        """Show the bar, from the resumed step of a resumed run.

        Args:
            state: The state before the first step.
        """
        share = self._share(state, state.step)
        self._n_lines = int(PROGRESS_LINES * share)
        if not self.console.is_terminal:
            return
        terms_column = Column(ratio=1, no_wrap=True, overflow="ellipsis")
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(24),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("[dim]{task.fields[terms]}", table_column=terms_column),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            expand=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(self.title, total=1.0, terms="")
        self._bar.update(self._task, completed=share)

    def on_step(self, state: State, terms: Row) -> None:
        """Update the bar, or print a line after each tenth.

        The latest value of each loss term and measure is shown, but not gradient norms. The bar
        shows those of logged steps, as all others are still on the device.

        Args:
            state: The state after the step.
            terms: Numbers of the step by name.
        """
        self._latest |= {name: terms for name in terms if not name.endswith(".gradient")}
        n_steps = state.step + 1
        share = self._share(state, n_steps)
        self._n_lines = min(self._n_lines, int(PROGRESS_LINES * share))  # less after a rollback
        if self._bar and state.step % LOG_EVERY:
            self._bar.update(self._task, completed=share)
        elif self._bar:
            self._bar.update(self._task, completed=share, terms=self._values())
        elif int(PROGRESS_LINES * share) > self._n_lines:
            self._n_lines = int(PROGRESS_LINES * share)
            seconds_left = state.history.seconds / share * (1 - share)
            self.console.print(
                f"{self.title}: step {n_steps} of {state.steps}, {seconds_left:.0f} s left, "
                f"{self._values()}",
                highlight=False,
                soft_wrap=True,
            )

    def _values(self) -> str:
        """The latest number of each name, read from the device."""
        return "  ".join(f"{name} {terms[name]:.4g}" for name, terms in self._latest.items())

    def _share(self, state: State, n_steps: int) -> float:
        """Completed share of the run, 0 to 1: the greater one of its steps and its time."""
        time_share = state.history.seconds / self.seconds if self.seconds else 0.0
        return min(1.0, max(n_steps / state.steps, time_share))

    def on_stop(self, state: State) -> None:
        """Close the bar.

        Args:
            state: The state of the interrupted run.
        """
        self.on_end(state)

    def on_end(self, state: State) -> None:
        """Close the bar.

        Args:
            state: The state after the run.
        """
        if self._bar:
            self._bar.stop()
