"""Classes and loaders of a user's own project work as the built-in ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from unwarp import Unwarper, datasets, warps
from unwarp.data.formats.files import read
from unwarp.data.formats.registry import REGISTRY as FORMATS
from unwarp.data.opening import as_source
from unwarp.data.schema import Schema
from unwarp.datasets.registry import REGISTRY as DATASETS
from unwarp.errors import ConfigError
from unwarp.models.codec import describe
from unwarp.models.recipe import RECIPE_OF_DATASET, Recipe
from unwarp.planning.plan import Request, make_plan
from unwarp.warps.warp import Warp

PROJECT = """
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from unwarp import AE, Dataset, Factor, Map, Recipe, Warp, datasets
from unwarp.data.formats.registry import reader
from unwarp.data.source import Source
from unwarp.warps import TimeMap


@dataclass(frozen=True)
class Delay(Warp):
    name: ClassVar[str] = "toy"
    longest: float = 0.2
    size: tuple[int, ...] = field(default=(2,), kw_only=True)

    @property
    def domain(self):
        return "series"

    @property
    def factors(self):
        return (Factor("delay", "lengths", -self.longest, self.longest),)

    def constrain(self, raw):
        return self.longest * torch.tanh(raw)

    def map(self, theta):
        observed = torch.tensor([0.0, 1.0]).to(theta).expand(len(theta), 2)
        return TimeMap(observed, observed - theta)

    def theta(self, map):
        middle = torch.full((1, 1), 0.5).to(map.reference)
        return middle - map.pull(middle)[:, 0]

    def summary(self, map):
        return {self.factors[0]: self.theta(map)[:, 0]}


@dataclass(frozen=True)
class ToyFamily(AE):
    family: ClassVar[str] = "toy-family"
    damping: float = 0.5

    def players(self, model):
        (player,) = super().players(model)
        return (player,)


@datasets.register("toy-data", preset=ToyFamily(warp=Delay(0.1), n_content=3))
def load(part):
    generator = torch.Generator().manual_seed(len(part))
    phase = torch.rand(24, 1, 1, generator=generator)
    return Dataset(torch.sin(6.3 * (torch.linspace(0, 1, 32) - phase)), "toy-data")


@reader(".toy", description="numbers, a series a line")
def read_toy(path: Path) -> Source:
    return Source(np.loadtxt(path, dtype=np.float32), None, None, "toy series", "series")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a project, a file of its format, and a model of its classes."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "toy_project.py").write_text(PROJECT)
    sys.path.insert(0, str(folder))
    import_module("toy_project")
    torch.set_num_threads(1)
    samples = datasets.load("toy-data", "test").x[:, 0].numpy()
    np.savetxt(folder / "series.toy", samples)
    model = Unwarper(warp="toy", recipe="toy-family", max_steps=3, n_clusters=2)
    model.fit(datasets.load("toy-data")).save(folder / "model")
    np.save(folder / "aligned.npy", model.align(read(folder / "series.toy")))
    yield folder
    sys.path.remove(str(folder))
    del sys.modules["toy_project"]
    for registry, name in ((Warp.registry, "toy"), (Recipe.registry, "toy-family")):
        del registry[name]
    del DATASETS["toy-data"], FORMATS[".toy"]


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a new Python process in the folder of the project."""
    paths = os.pathsep.join(path for path in sys.path if path and path != str(folder))
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_toy_names_are_registered(folder: Path) -> None:
    """Names of the project are available like the built-in ones."""
    assert warps.warp_named("toy").name == "toy"
    assert warps.warp_named("toy+gain").parts[0] == warps.warp_named("toy")
    assert "toy-data" in datasets.names() and "digits" in datasets.names()
    assert read(folder / "series.toy").x.shape == (24, 32)


def test_toy_preset_is_the_recipe(folder: Path) -> None:
    """Overrides apply to the recipe that the data set was registered with."""
    schema, data = Schema.fit(as_source(datasets.load("toy-data")))
    recipe = make_plan(Request(overrides={"damping": 0.25}), schema, data).recipe
    assert recipe == replace(RECIPE_OF_DATASET["toy-data"], damping=0.25, padding=recipe.padding)
    assert describe(recipe)["warp"] == {
        "family": "toy",
        "module": "toy_project",
        "size": [2],
        "longest": 0.1,
    }


def test_toy_data_cannot_be_built_in(folder: Path) -> None:
    """A data set cannot take the name of a built-in one."""
    with pytest.raises(ConfigError, match="'digits' of a built-in data set"):
        datasets.register("digits")(lambda part: datasets.load("bumps", part))


def test_toy_warp_keeps_the_laws(folder: Path) -> None:
    """The warp of the project keeps the main laws of `tests/laws/test_warps.py`."""
    warp = warps.warp_named("toy").bind((32,))
    times, raw = torch.linspace(-0.1, 1.1, 13)[:, None].double(), torch.randn(5, 1).double()
    identity, map = (warp.map(warp.constrain(values)) for values in (torch.zeros_like(raw), raw))
    torch.testing.assert_close(identity.pull(times), times.expand(5, -1, -1))
    torch.testing.assert_close(map.pull(map.push(times)), times.expand(5, -1, -1))
    torch.testing.assert_close(warp.theta(map), warp.constrain(raw))
    torch.testing.assert_close(map[2:3].pull(times), map.pull(times)[2:3])
    assert warp.theta(warp.sample(100)).abs().max() <= 0.2 + 1e-6


LOAD_TWICE = """
import numpy, torch
from unwarp import Unwarper
from unwarp.data.formats.files import read
from unwarp.errors import CheckpointError

torch.set_num_threads(1)
try:
    Unwarper.load("model")
except CheckpointError as error:
    print(error)
import toy_project
numpy.save("again.npy", Unwarper.load("model").align(read("series.toy")))
"""


def test_model_loads_after_its_import(folder: Path) -> None:
    """A new process names the missing import; after it, the results are bit-equal."""
    process = python(folder, "-c", LOAD_TWICE)
    assert process.returncode == 0, process.stderr
    assert (
        "family 'toy-family' is defined in toy_project, which is not imported; import it"
        in process.stdout
    )
    np.testing.assert_array_equal(np.load(folder / "again.npy"), np.load(folder / "aligned.npy"))


def test_command_line_loads_plugins(folder: Path) -> None:
    """`unwarp align` names a missing import, and `--plugin` makes it."""
    np.save(folder / "series.npy", np.loadtxt(folder / "series.toy", dtype=np.float32))
    command = ("align", "model", "series.npy")
    process = python(folder, "-m", "unwarp", *command)
    assert process.returncode == 2
    assert "toy_project, which is not imported; import it, then load again" in process.stderr
    assert "unwarp --plugin toy_project" in process.stderr and process.stderr.count("\n") == 1
    command = ("align", "model", "series.toy")
    process = python(folder, "-m", "unwarp", "--plugin", "toy_project", *command)
    assert process.returncode == 0, process.stderr
    np.testing.assert_allclose(
        np.load(folder / "aligned.npz")["aligned"], np.load(folder / "aligned.npy"), atol=1e-6
    )
