"""Data sets by name: files of the folder, and registered loaders."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest
import torch

from unwarp import AE, Dataset, datasets
from unwarp.datasets.registry import REGISTRY, built_in, register
from unwarp.errors import ConfigError
from unwarp.models.recipe import RECIPE_OF_DATASET


@pytest.fixture(autouse=True)
def _free() -> Iterator[None]:
    """Names of the tests are free again after each."""
    yield
    REGISTRY.pop("toy", None)
    RECIPE_OF_DATASET.pop("toy", None)


def load(part: str) -> Dataset:
    """Samples that tell their part."""
    return Dataset(torch.full((3, 1, 4), float(len(part))))


def test_registered_sets_are_loaded() -> None:
    """A registered set is loaded part by part, with the recipe that suits it."""
    recipe = AE(n_content=3)
    assert register("toy", preset=recipe)(load) is load
    data = datasets.load("toy", "test")
    assert "toy" in datasets.names() and bool((data.x == len("test")).all())
    assert RECIPE_OF_DATASET["toy"] is recipe


def test_built_in_names_have_loaders() -> None:
    """Supporting files and folders are no data sets; an unknown name lists the others."""
    for name in built_in():
        assert callable(import_module(f"unwarp.datasets.{name.replace('-', '_')}").load)
    with pytest.raises(ConfigError, match=r"'toy' is unknown; choose one of .*digits"):
        datasets.load("toy")
