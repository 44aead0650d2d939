"""Skips examples of docstrings whose optional package is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

OPTIONAL_PACKAGES = {
    "unwarp.estimators.sweep": "optuna",
    "unwarp.estimators.sweep_study": "optuna",
    "unwarp.training.mlflow": "mlflow",
    "unwarp.training.tensorboard": "tensorboard",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip each example of a module whose package is absent."""
    for item in items:
        if isinstance(item, pytest.DoctestItem):
            module = item.dtest.globs["__name__"] if item.dtest else ""
            package = OPTIONAL_PACKAGES.get(module)
            if package and find_spec(package) is None:
                item.add_marker(pytest.mark.skip(reason=f"needs the package {package}"))
