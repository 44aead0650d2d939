"""Trackers of a run by name, and their places."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from unwarp.range_kinds import Choice
from unwarp.ranges import check_value
from unwarp.storage.files import expand, make_folder
from unwarp.training.mlflow import MLflow
from unwarp.training.tensorboard import TensorBoard
from unwarp.training.tracking import Tracker, check_packages


def _tensorboard(folder: Path, name: str) -> Tracker:
    """The tracker that writes to `tensorboard/NAME`."""
    return TensorBoard(folder / "tensorboard" / name)


def _mlflow(folder: Path, name: str) -> Tracker:
    """The tracker that writes to `mlflow.db`, or to the server that the environment names."""
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if uri is None:
        make_folder(folder)
        uri = f"sqlite:///{(folder / 'mlflow.db').absolute()}"
    return MLflow(folder.absolute().name, uri, name)


TRACKERS: Mapping[str, Callable[[Path, str], Tracker]] = {
    "tensorboard": _tensorboard,
    "mlflow": _mlflow,
}
"""Function from a run folder and the name of a model to a tracker, by the name of the tracker."""

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "tensorboard": ("tensorboard",),
    "mlflow": ("mlflow", "sqlalchemy", "alembic"),
}
"""Packages of a tracker, by the name of the tracker."""


def check_trackers(names: Sequence[str]) -> None:
    """Refuse trackers that are unknown or not installed, before data are read.

    Args:
        names: Names of trackers.

    Raises:
        ConfigError: A name is unknown, or the package of a tracker is not installed.

    >>> check_trackers(["visdom"])
    Traceback (most recent call last):
    unwarp.errors.ConfigError: track='visdom' is not allowed; give one of tensorboard, mlflow
    """
    for name in names:
        check_value("track", name, Choice(tuple(PACKAGES)))
        check_packages(name, *PACKAGES[name])


def make_trackers(names: Sequence[str], folder: Path, model_name: str) -> tuple[Tracker, ...]:
    """The trackers of a training.

    Args:
        names: Names of trackers.
        folder: The run folder.
        model_name: Name of the model, such as `warped`.

    Raises:
        ConfigError: A tracker is unknown or not installed, or the folder cannot be made.

    >>> make_trackers([], Path("runs/digits"), "warped")
    ()
    """
    check_trackers(names)
    return tuple(TRACKERS[name](expand(folder), model_name) for name in dict.fromkeys(names))
