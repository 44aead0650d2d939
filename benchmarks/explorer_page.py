"""Speed of the explorer's page: its weight, its first picture, its map and its sliders.

    python -m benchmarks.explorer_page                    cells without a result file, then the page
    python -m benchmarks.explorer_page --cell map-100000  one cell
    python -m benchmarks.explorer_page --quick            a little of one cell, written nowhere
    python -m benchmarks.explorer_page --table            the page alone, from the result files

Needs the extra `explore`, playwright, and Chromium on PATH or its path in CHROMIUM. Chromium has no
window and draws with the processor, so a screen with a graphics card is faster. The server has a
model of digits with 40 x 40 pixels, trained for a few steps, since its quality changes no time. A
`map-N` has N synthetic points, which a pointer drags in circles. `sliders` moves one slider again
as soon as the picture has followed; `opening` loads the page with an empty cache.
`collection-100000` has as many deformed digits, each of 4,000 real ones 25 times: the time from the
command to the address and from there to the first picture, the moved map, a selection of all, and
the greatest memory of the server.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np

import unwarp
from benchmarks import cells
from benchmarks.explorer_server import served

FOLDER, PAGE = "explorer_page", "explorer/README.md"
NAMES = ("opening", "map-10000", "map-100000", "sliders", "collection-100000")
BUILD = Path(unwarp.__file__).parent / "app" / "explorer" / "page"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
N_GROUPS, N_COPIES = 10, 25
WEB_FILES = (".html", ".js", ".css", ".svg")
LOADS, SLIDER_MOVES, SECONDS_OF_PANNING = 9, 100, 8.0

FIRST_PICTURE = """
const look = () => {
  const picture = document.querySelector('[data-testid=panel-observed] img');
  if (picture?.complete) window.firstPicture = performance.now();
  else requestAnimationFrame(look);
};
look();"""
"""Notes when the first picture of a sample is there, in milliseconds after the request."""

MOVE_SLIDER = """async moves => {
  const get = id => document.querySelector(`[data-testid=${id}]`);
  const picture = () => get('decoded-reconstruction').querySelector('img').src;
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  const times = [];
  for (let i = 0; i < moves; i++) {
    const slider = document.querySelector('.factor input[type=range]');
    const before = picture();
    const start = performance.now();
    slider.value = Number(slider.min) + (slider.max - slider.min) * ((i * 0.618) % 1);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    while (picture() === before) await frame();
    times.push(performance.now() - start);
  }
  return times;
}"""

MOVE_MAP = """async duration => {
  Element.prototype.setPointerCapture = () => {};
  const map = document.querySelector('[data-testid=map]');
  const box = map.getBoundingClientRect();
  const send = (type, x, y) => map.dispatchEvent(new PointerEvent(type, {
    pointerId: 7,
    button: 0,
    clientX: box.x + box.width / 2 + x,
    clientY: box.y + box.height / 2 + y,
  }));
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  const frames = () => Number(map.dataset.frames);
  send('pointerdown', 0, 80);
  const before = frames();
  const start = performance.now();
  for (let turn = 0; performance.now() - start < duration; turn += 0.05) {
    send('pointermove', 120 * Math.sin(turn), 80 * Math.cos(turn));
    await frame();
  }
  const rate = (1000 * (frames() - before)) / (performance.now() - start);
  send('pointerup', 0, 80);
  return rate;
}"""
"""Drags the map in circles for some milliseconds; the number of frames a second."""

GRAPHICS = """() => {
  const gl = document.createElement('canvas').getContext('webgl2');
  return gl ? gl.getParameter(gl.getExtension('WEBGL_debug_renderer_info').UNMASKED_RENDERER_WEBGL)
            : 'none';
}"""


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


def open_page(chromium: Any, address: str) -> Any:
    """A page in a new profile, so with an empty cache.

    Args:
        chromium: The browser.
        address: The address with the token.
    """
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(FIRST_PICTURE)
    return page


def measure_opening(chromium: Any, address: str, quick: bool) -> cells.Result:
    """Weight of the page, and time to the first picture; see `cell` for the arguments."""
    times = []
    for _ in range(2 if quick else LOADS):
        page = open_page(chromium, address)
        page.goto(address)
        page.wait_for_function("() => window.firstPicture")
        times.append(page.evaluate("() => window.firstPicture"))
        page.context.close()
    files = [path.read_bytes() for path in BUILD.rglob("*") if path.suffix in WEB_FILES]
    return {
        "kilobytes": round(sum(map(len, files)) / 1e3, 1),
        "kilobytes_compressed": round(sum(len(gzip.compress(x)) for x in files) / 1e3, 1),
        "first_picture_ms": round(median(times)),
    }


def synthetic(page: Any, n: int) -> None:
    """Let a page see a collection of synthetic points in groups.

    Args:
        page: The page, not yet loaded.
        n: Number of points.
    """
    generator = np.random.default_rng(0)
    group = generator.integers(0, N_GROUPS, n)
    centres = generator.uniform(-0.7, 0.7, (N_GROUPS, 2))
    points = np.clip(centres[group] + 0.12 * generator.normal(size=(n, 2)), -1, 1).astype("<f4")
    column: dict[str, Any] = {
        "name": "group",
        "title": "group",
        "type": "category",
        "unit": "",
        "low": None,
    }
    column |= {"high": None, "categories": [str(k) for k in range(N_GROUPS)]}

    def model(route: Any) -> None:
        response = route.fetch()
        facts = response.json()
        facts |= {"n_samples": n, "columns": [column, *facts["columns"]]}
        route.fulfill(response=response, json=facts)

    page.route("**/v1/model", model)
    page.route("**/v1/points?*", lambda route: route.fulfill(body=points.tobytes()))
    values = group.astype("<f4").tobytes()
    page.route("**/v1/columns/group", lambda route: route.fulfill(body=values))


def measure_map(chromium: Any, address: str, n: int, seconds: float) -> cells.Result:
    """Frames a second while the mouse moves the map; see `cell` for the other arguments.

    Args:
        chromium: The browser.
        address: The address with the token.
        n: Number of points.
        seconds: Time to move.
    """
    page = open_page(chromium, address)
    synthetic(page, n)
    page.goto(address)
    page.wait_for_selector("[data-testid=map-state]", state="detached")
    page.wait_for_function("() => window.firstPicture")
    page.wait_for_timeout(1000)
    rate = page.evaluate(MOVE_MAP, 1000 * seconds)
    return {"points": n, "frames_per_second": round(rate, 1)}


def measure_sliders(chromium: Any, address: str, quick: bool) -> cells.Result:
    """Time from a slider to its picture; see `cell` for the arguments."""
    page = open_page(chromium, address)
    page.goto(address)
    page.wait_for_selector("[data-testid=decoded-reconstruction] img")
    page.wait_for_timeout(500)
    times = page.evaluate(MOVE_SLIDER, 10 if quick else SLIDER_MOVES)
    return {"median_ms": round(median(times), 1), "p95_ms": round(quantiles(times, n=20)[-1], 1)}


def measure_collection(chromium: Any, quick: bool) -> cells.Result:
    """Times and memory of a large collection; see `cell` for the arguments."""
    with served(1 if quick else N_COPIES) as server:
        page = open_page(chromium, server.address)
        page.goto(server.address)
        page.wait_for_selector("[data-testid=map-state]", state="detached")
        page.wait_for_function("() => window.firstPicture")
        first_picture = page.evaluate("() => window.firstPicture")
        page.wait_for_timeout(1000)
        rate = page.evaluate(MOVE_MAP, 1000.0 if quick else 1000 * SECONDS_OF_PANNING)
        return {
            "address_s": round(server.seconds, 1),
            "first_picture_ms": round(first_picture),
            "frames_per_second": round(rate, 1),
            "selection_s": round(select_all(page), 1),
            "memory_gib": round(server.memory_gib, 2),
        }


def select_all(page: Any) -> float:
    """Seconds from a lasso around all points to the mean of the selection.

    Args:
        page: The page with its map.
    """
    page.get_by_test_id("zoom-reset").click()
    page.get_by_test_id("tool-lasso").check(force=True)
    box = page.get_by_test_id("map").bounding_box()
    x, y = np.array([0.01, 0.99, 0.99, 0.01]), np.array([0.01, 0.01, 0.99, 0.99])
    corners = np.stack([box["x"] + x * box["width"], box["y"] + y * box["height"]], 1).tolist()
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=6)
    started = time.perf_counter()
    page.mouse.up()
    page.wait_for_selector("[data-testid=mean-aligned] img")
    return time.perf_counter() - started


def cell(name: str, quick: bool = False) -> cells.Result:
    """The result of a cell.

    Args:
        name: Name of the cell.
        quick: Whether to measure only a little.
    """
    with browser() as chromium:
        graphics = chromium.new_page().evaluate(GRAPHICS)
        facts = {"browser": f"Chromium {chromium.version}", "graphics": graphics}
        if name.startswith("collection-"):
            return {"scores": measure_collection(chromium, quick), **facts}
        with served() as server:
            return {"scores": measure(name, chromium, server.address, quick), **facts}


def measure(name: str, chromium: Any, address: str, quick: bool) -> cells.Result:
    """The scores of a cell with a small collection; see `cell` for the arguments."""
    if name == "opening":
        return measure_opening(chromium, address, quick)
    if name == "sliders":
        return measure_sliders(chromium, address, quick)
    n = 1000 if quick else int(name.removeprefix("map-"))
    return measure_map(chromium, address, n, 1.0 if quick else SECONDS_OF_PANNING)


def table() -> None:
    """Write the table into the page."""
    results = {name: json.loads(_path(name).read_text()) for name in NAMES if _path(name).is_file()}
    if len(results) < len(NAMES):
        return
    scores = {name: result["scores"] for name, result in results.items()}
    opening, sliders = scores["opening"], scores["sliders"]
    rows = {
        "weight of the page": f"{opening['kilobytes']:.0f} kB "
        f"({opening['kilobytes_compressed']:.0f} kB compressed)",
        "first picture after opening": f"{opening['first_picture_ms']} ms",
        "slider to picture, median": f"{sliders['median_ms']:.0f} ms",
        "slider to picture, 95 % of moves": f"{sliders['p95_ms']:.0f} ms",
    }
    for name in ("map-10000", "map-100000"):
        n, rate = scores[name]["points"], scores[name]["frames_per_second"]
        rows[f"moving a map of {n:,} points"] = f"{rate:.0f} frames a second"
    large = scores["collection-100000"]
    rows |= {
        "100,000 digits: embedded and served after": f"{large['address_s']} s",
        "their first picture": f"{large['first_picture_ms']} ms",
        "moving their map": f"{large['frames_per_second']:.0f} frames a second",
        "means of all of them, before and after": f"{large['selection_s']:.1f} s",
        "greatest memory of the server": f"{large['memory_gib']:.1f} GiB",
    }
    lines = [f"| {key} | {value} |" for key, value in rows.items()]
    cells.quote("figures", "\n".join(["| | |", "|---|---|", *lines]), PAGE)


def _path(name: str) -> Path:
    """The result file of a cell."""
    return cells.RESULTS / FOLDER / f"{name}.json"


if __name__ == "__main__":
    cells.command(__doc__, FOLDER, NAMES, cell, table, ("map-100000",))
