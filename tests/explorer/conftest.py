"""A browser, and pages of the explorer on small models of pictures and of series."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.explorer.serving import explorer
from tests.pictures import pictures
from unwarp import AE, VAE, Affine2d, CosineTime, Unwarper
from unwarp.models import Net, Recipe

Open = Callable[..., Any]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Flags of Chromium that keep it from calling other hosts by itself."""

SMALL = Net("mlp", (16,), (16,))
SERIES_STEPS, N_PICTURES, N_SERIES = 24, 60, 40


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright; tests are skipped where one of them is absent."""
    playwright = pytest.importorskip("playwright.sync_api")
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        pytest.skip("there is no chromium on PATH, nor a path in CHROMIUM")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


def save(folder: Path, recipe: Recipe, x: Any, labels: Any, **settings: Any) -> tuple[Path, Path]:
    """The folder of a model of a few steps, and the file of its data."""
    model = Unwarper(recipe=recipe, max_steps=4, device="cpu", **settings).fit(x)
    model.save(folder / "model")
    np.savez(folder / "data.npz", x=x, labels=labels)
    return folder / "model", folder / "data.npz"


@pytest.fixture(scope="session")
def picture_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A VAE on labelled pictures, and their file."""
    recipe = VAE(warp=Affine2d(), n_content=14, net=SMALL)
    folder = tmp_path_factory.mktemp("pictures")
    return save(folder, recipe, pictures(N_PICTURES)[:, 0], np.arange(N_PICTURES) % 3)


@pytest.fixture(scope="session")
def series_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An autoencoder on series of two channels, 10 samples a second, and their file."""
    x = np.random.default_rng(0).normal(size=(N_SERIES, 2, SERIES_STEPS)).cumsum(2)
    recipe = AE(warp=CosineTime(3, sampling_rate=10.0), n_content=3, net=SMALL, views=0.0)
    folder = tmp_path_factory.mktemp("series")
    return save(folder, recipe, x, np.arange(N_SERIES) % 2, domain="series", sampling_rate=10.0)


@pytest.fixture(scope="module")
def picture_address(browser: Any, picture_model: tuple[Path, Path]) -> Iterator[str]:
    """The address of an explorer of pictures."""
    with explorer(*picture_model) as address:
        yield address


@pytest.fixture(scope="module")
def series_address(browser: Any, series_model: tuple[Path, Path]) -> Iterator[str]:
    """The address of an explorer of series."""
    with explorer(*series_model) as address:
        yield address


@pytest.fixture(scope="module")
def bare_address(browser: Any, picture_model: tuple[Path, Path]) -> Iterator[str]:
    """The address of an explorer of a model without data."""
    with explorer(picture_model[0]) as address:
        yield address


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Opens addresses; fails at the end if a page called another host or logged an error."""
    contexts, errors, hosts, own_hosts = [], [], set(), set()

    def note(message: Any) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            errors.append(message.text)

    def open_address(
        address: str,
        *,
        hash: str = "",
        script: str = "",
        is_ready: bool = True,
        routes: Any = None,
        size: tuple[int, int] = (1280, 900),
        **options: Any,
    ) -> Any:
        context = browser.new_context(
            viewport=dict(zip(("width", "height"), size, strict=True)), **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        for pattern, handler in (routes or {}).items():
            page.route(pattern, handler)
        page.add_init_script(script)
        own_hosts.add(urlsplit(address).netloc)
        page.goto(address + hash)
        if is_ready:
            page.wait_for_selector("[data-testid=sample-card][data-index]:not([data-index=''])")
        return page

    yield open_address
    for context in contexts:
        context.close()
    assert not errors, errors
    assert hosts - {""} <= own_hosts
