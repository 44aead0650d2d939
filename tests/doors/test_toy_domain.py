"""A third domain, volumes, is one record in a user's own file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from unwarp import Unwarper
from unwarp.core import Domain, Factor
from unwarp.errors import CheckpointError, ConfigError, DataError
from unwarp.warps import Map, Warp


@dataclass(frozen=True)
class ShiftMap(Map):
    """Translations of volumes: template points move by `shift` (N, 3), in half-frames."""

    shift: Tensor

    def __len__(self) -> int:
        return len(self.shift)

    def __getitem__(self, rows: Tensor | slice) -> ShiftMap:
        return ShiftMap(self.shift[rows])

    @property
    def reference(self) -> Tensor:
        return self.shift

    def pull(self, points: Tensor) -> Tensor:
        return points - self.shift[:, None]

    def push(self, points: Tensor) -> Tensor:
        return points + self.shift[:, None]

    def invert(self) -> ShiftMap:
        return ShiftMap(-self.shift)

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        return (ShiftMap(self.shift + inner.shift),) if isinstance(inner, ShiftMap) else None


@dataclass(frozen=True)
class VolumeShift(Warp):
    """The family of `ShiftMap`."""

    name: ClassVar[str] = "volume-shift"
    reach: float = 0.4

    @property
    def domain(self) -> str:
        return "volume"

    @property
    def factors(self) -> tuple[Factor, ...]:
        return tuple(Factor(f"shift_{axis}", "", -self.reach, self.reach) for axis in "xyz")

    def constrain(self, raw: Tensor) -> Tensor:
        return self.reach * torch.tanh(raw / self.reach)

    def map(self, theta: Tensor) -> ShiftMap:
        return ShiftMap(theta)

    def theta(self, map: Map) -> Tensor:
        assert isinstance(map, ShiftMap)
        return map.shift

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        return dict(zip(self.factors, self.theta(map).T, strict=True))


Warp.registry.pop(VolumeShift.name)  # the fixture registers it for one test at a time


@pytest.fixture(autouse=True)
def volumes() -> Iterator[Domain]:
    """The domain of volumes and its warp, for one test."""
    Warp.registry.add(VolumeShift.name, VolumeShift)
    yield Domain(
        name="volume",
        axes=("z", "y", "x"),
        singular="volume",
        plural="volumes",
        warp="volume-shift",
        is_bounded=True,
        likelihood="bernoulli",
        padding="zeros",
        network="mlp",
        batch_size=8,
        min_steps=10,
        n_clusters=2,
    ).register()
    Domain.registry.pop("volume", None)
    Warp.registry.pop(VolumeShift.name)


def blobs(n: int = 24) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Volumes (n, 6, 7, 8) of one blob at a random position."""
    centres = np.random.default_rng(0).uniform(-0.3, 0.3, (n, 3, 1, 1, 1))
    axes = np.meshgrid(*(np.linspace(-1, 1, size) for size in (6, 7, 8)), indexing="ij")
    distance = sum(
        (axis - centre) ** 2 for axis, centre in zip(axes, centres.swapaxes(0, 1), strict=True)
    )
    return np.exp(-np.asarray(distance) / 0.2)


def test_volumes_are_learned(tmp_path: Path) -> None:
    """All defaults are the domain's; templates and aligned volumes have the shape of the input."""
    x = blobs()
    estimator = Unwarper(domain="volume", device="cpu").fit(x)
    assert isinstance(estimator.recipe_.warp, VolumeShift)
    assert estimator.plan_ is not None
    assert (estimator.plan_.steps, estimator.plan_.batch_size) == (90, 8)
    assert estimator.align(x).shape == estimator.template(x).shape == x.shape
    assert estimator.transform_params(x).shape == (24, 3)
    assert len(estimator.cluster_centers_) == 2
    estimator.save(tmp_path / "model")
    np.testing.assert_array_equal(Unwarper.load(tmp_path / "model").align(x), estimator.align(x))


def test_volumes_are_aligned() -> None:
    """Training brings the blobs closer together."""
    x = blobs(40)
    estimator = Unwarper(domain="volume", max_steps=300, device="cpu").fit(x)
    before, after = (np.var(part, 0).mean() for part in (x, estimator.align(x)))
    assert after < 0.6 * before


def test_axes_of_volumes_are_checked() -> None:
    """Another number of axes is refused, with the axes of volumes in the message."""
    with pytest.raises(DataError, match=r"volumes are \(N, z, y, x\)"):
        Unwarper(domain="volume").fit(np.zeros((5, 6, 7)))
    with pytest.raises(ConfigError, match="acts on series data"):
        Unwarper("time", domain="volume", max_steps=2).fit(blobs())


def test_undefined_domains_are_named(tmp_path: Path, volumes: Domain) -> None:
    """A model of a domain that is not defined cannot be loaded."""
    estimator = Unwarper(domain="volume", max_steps=2, device="cpu").fit(blobs())
    estimator.save(tmp_path / "model")
    del Domain.registry["volume"]
    with pytest.raises(CheckpointError, match="domain 'volume' is not defined; import the module"):
        Unwarper.load(tmp_path / "model")
