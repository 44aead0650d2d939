"""`TensorBoard`: a callback that writes the numbers of a run for TensorBoard.

`pip install 'unwarp[track]'` installs the package; `tensorboard --logdir FOLDER` shows the curves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unwarp.errors import ConfigError
from unwarp.storage.files import expand, make_folder
from unwarp.training.state import State
from unwarp.training.tracking import LastSteps, Tracker, check_packages


class TensorBoard(Tracker):
    """Callback that writes event files for TensorBoard.

    Loss terms, gradient norms, measures, learning rates and errors of held-out samples are scalars,
    named as `Tracker` says; messages and settings are texts. A resumed run, and one that has gone
    back after a divergence, write another file in the same folder, which hides later steps of the
    file before. Files are closed when the run ends, however it ends.

    Args:
        folder: Folder of the event files; it is created at the first step.

    Raises:
        ConfigError: The package tensorboard is not installed.

    Example:
        >>> tracker = TensorBoard("runs/digits/tensorboard")
        >>> tracker.folder.name
        'tensorboard'
    """

    def __init__(self, folder: str | Path) -> None:
        check_packages("TensorBoard", "tensorboard")
        self.folder = expand(folder)
        self._writer: Any = None

    def _open(self, state: State, parameters: Mapping[str, str], is_resumed: bool) -> LastSteps:
        from torch.utils.tensorboard import SummaryWriter

        if self._writer is not None:  # the run has gone back
            self._writer.close()
        make_folder(self.folder)
        step = state.step if is_resumed or self._writer is not None else None
        try:
            self._writer = SummaryWriter(str(self.folder), purge_step=step)
        except OSError as error:
            raise ConfigError(f"{self.folder} cannot be written: {error}; choose another") from None
        if not step:
            rows = "\n".join(f"| {name} | {value} |" for name, value in parameters.items())
            self._writer.add_text("parameters", f"| setting | value |\n|---|---|\n{rows}", 0)
        return LastSteps() if not step else LastSteps(step - 1, step - 1)

    def _log_numbers(self, numbers: Mapping[str, float], step: int) -> None:
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()  # so that a killed run has all rows

    def _log_text(self, line: str, step: int) -> None:
        self._writer.add_text("messages", line, step)

    def _close(self, is_finished: bool) -> None:
        self._writer.close()
        self._writer = None
