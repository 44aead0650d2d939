"""Small samples, models and files that attacks start from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.attacks.verdicts import command, open_output
from unwarp import AE, Affine2d, CosineTime, Unwarper
from unwarp.core import Array
from unwarp.data.formats.registry import formats
from unwarp.models import Net

SMALL = Net("mlp", (16,), (16,))
"""A network that one step trains in milliseconds."""


@dataclass(frozen=True)
class World:
    """What attacks start from; its files lie in the current folder.

    Attributes:
        x: Images (20, 12, 12) in [0, 1].
        series: Series (20, 32).
        image_model: An estimator, fitted to `x`.
        series_model: An estimator, fitted to `series`.
    """

    x: Array
    series: Array
    image_model: Unwarper
    series_model: Unwarper

    def of(self, domain: str) -> tuple[Array, Unwarper]:
        """The samples of a domain and the estimator that learned from them."""
        images = (self.x, self.image_model)
        return images if domain == "image" else (self.series, self.series_model)


@contextmanager
def make_world() -> Iterator[World]:
    """Samples, models and files in a temporary folder, which becomes the current one."""
    # a process that is forked from one with a pool of threads can wait for them without end
    threadpool_limits(1)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x, series = rng.random((20, 12, 12)), rng.normal(size=(20, 32)).cumsum(1)
    options = {"max_steps": 1, "n_clusters": 2, "device": "cpu"}
    images = Unwarper(recipe=AE(warp=Affine2d(), n_content=3, net=SMALL, views=0.0), **options)
    waves = Unwarper(recipe=AE(warp=CosineTime(3), n_content=3, net=SMALL, views=0.0), **options)
    with TemporaryDirectory() as folder, chdir(folder):
        world = World(x, series, images.fit(x), waves.fit(series))
        world.image_model.save("image_model")
        world.series_model.save("series_model")
        np.save("x.npy", x)
        np.save("series.npy", series)
        with open_output():
            command("fit", "x.npy", "--out", "run", "--steps", 1, "--quiet", "--device", "cpu")
        for suffix, item in formats().items():
            if item.writer is not None:
                item.writer(Path(f"valid{suffix}"), series[:5, :8].astype(np.float32))
        yield world
