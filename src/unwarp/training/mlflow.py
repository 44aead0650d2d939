"""`MLflow`: a callback that logs the numbers of a run to MLflow.

`pip install 'unwarp[track]'` installs the packages. The whole package mlflow has the command that
shows the runs: `mlflow ui --backend-store-uri URI`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from unwarp.errors import ConfigError
from unwarp.launch import is_first_process
from unwarp.training.state import State
from unwarp.training.tracking import LastSteps, Tracker, check_packages

NUMBERS_PER_REQUEST = 200
"""Numbers that are collected before they are sent to MLflow together."""

PARAMETERS_PER_REQUEST = 100
"""Greatest number of parameters that MLflow takes in one request."""

MAX_LENGTH_OF_PARAMETER, MAX_LENGTH_OF_NOTE = 500, 5000
"""Greatest lengths of texts in characters that MLflow takes."""

NOTE = "mlflow.note.content"
"""Tag of a run that MLflow shows as its description."""

REFUSED = re.compile(r"[^\w\-. /]")
"""Characters that names in MLflow may not have."""


class MLflow(Tracker):
    """Callback that logs a run to MLflow.

    Loss terms, gradient norms, measures, learning rates and errors of held-out samples are metrics,
    named as `Tracker` says; settings are parameters, and messages are the description of the run. A
    resumed run continues the last run of the same name that did not finish, from its last step.
    MLflow cannot delete numbers: after a divergence, the steps that were undone have two values.

    Args:
        experiment: Name of the experiment; it is created if there is none.
        uri: Address of the server or database, such as `sqlite:///runs/mlflow.db`. None for that of
            MLflow itself, from the environment variable `MLFLOW_TRACKING_URI`.
        run: Name of the run.

    Raises:
        ConfigError: A package is not installed.

    Example:
        >>> MLflow("digits", uri="sqlite:///runs/mlflow.db").run
        'training'
    """

    def __init__(
        self, experiment: str = "unwarp", uri: str | None = None, run: str = "training"
    ) -> None:
        is_database = uri is not None and uri.startswith("sqlite")
        check_packages("MLflow", "mlflow", *(("sqlalchemy", "alembic") if is_database else ()))
        self.experiment, self.uri, self.run = experiment, uri, run
        self._client: Any = None
        self._id = self._note = ""
        self._numbers: list[Any] = []

    def on_start(self, state: State) -> None:
        """Connect to MLflow, before the first step.

        Args:
            state: The state before the first step.

        Raises:
            ConfigError: MLflow cannot be reached, or refuses the experiment.
        """
        if not is_first_process():
            return
        from mlflow.tracking import MlflowClient

        with self._errors():
            self._client = MlflowClient(tracking_uri=self.uri)
            experiment = self._client.get_experiment_by_name(self.experiment)
            self._experiment_id = (
                experiment.experiment_id
                if experiment
                else self._client.create_experiment(self.experiment)
            )

    def _open(self, state: State, parameters: Mapping[str, str], is_resumed: bool) -> LastSteps:
        if self._id:  # the run has gone back
            return LastSteps(state.step - 1, state.step - 1)
        with self._errors():
            run = self._unfinished() if is_resumed else None
            if run is not None:
                self._id, self._note = run.info.run_id, run.data.tags.get(NOTE, "")
                self._client.update_run(self._id, status="RUNNING")
                return LastSteps(*map(self._last_step, ("progress/samples", "held_out/error")))
            self._id = self._client.create_run(self._experiment_id, run_name=self.run).info.run_id
            self._log_parameters(parameters)
        return LastSteps()

    def _unfinished(self) -> Any:
        """The latest run of the same name that did not finish; None if there is none."""
        newest = ["attributes.start_time DESC"]
        for run in self._client.search_runs([self._experiment_id], order_by=newest):
            if run.info.run_name == self.run:
                return None if run.info.status == "FINISHED" else run
        return None

    def _last_step(self, name: str) -> int:
        """The last step of a metric of the run; -1 if there is none."""
        steps = [metric.step for metric in self._client.get_metric_history(self._id, name)]
        return max(steps, default=-1)

    def _log_parameters(self, parameters: Mapping[str, str]) -> None:
        from mlflow.entities import Param

        items = [
            Param(_plain(name), value[:MAX_LENGTH_OF_PARAMETER])
            for name, value in parameters.items()
        ]
        for i in range(0, len(items), PARAMETERS_PER_REQUEST):
            self._client.log_batch(self._id, params=items[i : i + PARAMETERS_PER_REQUEST])

    def _log_numbers(self, numbers: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        self._numbers += [Metric(_plain(name), value, now, step) for name, value in numbers.items()]
        if len(self._numbers) >= NUMBERS_PER_REQUEST:
            self._send()

    def _send(self) -> None:
        """Send the numbers that were collected."""
        with self._errors():
            self._client.log_batch(self._id, metrics=self._numbers)
        self._numbers = []

    def _log_text(self, line: str, step: int) -> None:
        self._note = f"{self._note}{line}\n\n"[-MAX_LENGTH_OF_NOTE:]
        with self._errors():
            self._client.set_tag(self._id, NOTE, self._note)

    def _close(self, is_finished: bool) -> None:
        # after an interruption, an error of MLflow would hide its reason
        with nullcontext() if is_finished else suppress(ConfigError):
            self._send()
            with self._errors():
                self._client.set_terminated(self._id, "FINISHED" if is_finished else "KILLED")
        self._id, self._note, self._numbers = "", "", []

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Context in which errors of MLflow become errors of a user, who named its address."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            raise ConfigError(
                f"MLflow at uri={self.uri!r} refused: {str(error).splitlines()[0]}; correct the "
                "address, or train without it"
            ) from error


def _plain(name: str) -> str:
    """A name with the characters that MLflow takes."""
    return REFUSED.sub("_", name)
