"""Small trained models with their collections, shared by the tests of the explorer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.app.explorer.client import HOST, TOKEN, Client
from tests.pictures import pictures
from unwarp import AE, Affine2d, CosineTime, Unwarper
from unwarp.app.explorer.collection import embed_source
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.views import Viewer
from unwarp.data.opening import as_source
from unwarp.models import Net

SMALL = Net("mlp", (16,), (16,))


def explore(unwarper: Unwarper, x: np.ndarray, labels: np.ndarray | None = None) -> Exploration:
    """A collection in memory, of a model that is trained on it."""
    viewer = Viewer(unwarper.fit(x))
    source = replace(as_source(x), labels=labels)
    return Exploration(viewer, embed_source(viewer, source), "small")


@pytest.fixture(scope="session")
def images() -> Exploration:
    """Thirty grey pictures of three classes."""
    recipe = AE(warp=Affine2d(), n_content=4, net=SMALL)
    unwarper = Unwarper(recipe=recipe, max_steps=4, n_clusters=3, device="cpu")
    return explore(unwarper, pictures(30), np.array(["a", "b", "c"] * 10))


@pytest.fixture(scope="session")
def mirrors() -> Exploration:
    """Colour pictures that may be mirrored."""
    recipe = AE(warp=Affine2d(mirror=True), n_content=2, net=SMALL)
    x = np.random.default_rng(0).random((12, 3, 10, 14)).astype("float32")
    return explore(Unwarper(recipe=recipe, max_steps=2, n_clusters=2, device="cpu"), x)


@pytest.fixture(scope="session")
def series() -> Exploration:
    """Series of two channels at 10 samples a second, some with gaps."""
    x = np.random.default_rng(0).normal(size=(20, 2, 24)).cumsum(2)
    x[::5, :, 18:] = np.nan
    recipe = AE(warp=CosineTime(3), n_content=3, net=SMALL, views=0.0)
    settings = {"missing": "mask", "domain": "series", "sampling_rate": 10.0}
    unwarper = Unwarper(recipe=recipe, max_steps=2, n_clusters=2, device="cpu", **settings)
    return explore(unwarper, x, np.arange(20) % 2)


@pytest.fixture(scope="session")
def explorations(
    images: Exploration, mirrors: Exploration, series: Exploration
) -> dict[str, Exploration]:
    """All small collections by name."""
    return {"images": images, "mirrors": mirrors, "series": series}


@pytest.fixture(scope="session")
def clients(explorations: dict[str, Exploration]) -> dict[str, Client]:
    """A client of each small collection."""
    pytest.importorskip("fastapi", reason="needs the extra explore")
    pytest.importorskip("multipart", reason="needs the extra explore")
    pytest.importorskip("uvicorn", reason="needs the extra explore")
    from unwarp.app.explorer.server import make_app

    return {name: Client(make_app(part, HOST, TOKEN)) for name, part in explorations.items()}
