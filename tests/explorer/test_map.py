"""The map of the explorer: colours, hovering, clicking, lassos, keys, and its states."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.explorer.serving import points

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
NO_WEBGL = """
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest);
};"""


def place(page: Any, x: float, y: float) -> tuple[float, float]:
    """The place on the screen of a point of the map, before any zoom."""
    box = page.get_by_test_id("map").bounding_box()
    scale = 0.47 * min(box["width"], box["height"])
    centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return float(centre[0] + x * scale), float(centre[1] - y * scale)


def lonely_row(xy: np.ndarray[Any, Any]) -> int:
    """The row whose nearest neighbour is farthest away."""
    distances = np.linalg.norm(xy[:, None] - xy[None], axis=2) + 9 * np.eye(len(xy))
    return int(distances.min(1).argmax())


def lasso(page: Any, corners: list[tuple[float, float]]) -> None:
    """Drag around corners in the coordinates of the map."""
    page.get_by_test_id("tool-lasso").check(force=True)
    page.mouse.move(*place(page, *corners[0]))
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*place(page, *corner), steps=6)
    page.mouse.up()


def colours(page: Any) -> set[tuple[int, ...]]:
    """The saturated colours of the map, coarsely."""
    page.wait_for_timeout(300)
    picture = Image.open(io.BytesIO(page.get_by_test_id("map").screenshot())).convert("RGB")
    pixels = np.asarray(picture).reshape(-1, 3).astype(int)
    pixels = pixels[np.ptp(pixels, axis=1) > 60]
    return {tuple(map(int, row)) for row in np.unique(pixels // 32, axis=0)}


def wait_for_sample(page: Any, row: int) -> None:
    page.wait_for_selector(f"[data-testid=sample-card][data-index='{row}']")


def test_map_click_goes_to_sample(open_page: Open, picture_address: str) -> None:
    """Hovering names a sample, and a click shows it."""
    xy = points(picture_address)
    row = lonely_row(xy)
    page = open_page(picture_address)
    at = place(page, *xy[row])
    page.mouse.move(*at)
    page.wait_for_selector("[data-testid=hover] img")
    assert f"Sample {row}" in page.get_by_test_id("hover").inner_text()
    page.mouse.click(*at)
    wait_for_sample(page, row)
    assert f"sample={row}&" in page.evaluate("location.hash")


def test_map_lasso_selects(open_page: Open, picture_address: str, tmp_path: Path) -> None:
    """A lasso around the right half selects its rows, which the export lists."""
    rows = np.flatnonzero(points(picture_address)[:, 0] > 0)
    page = open_page(picture_address)
    lasso(page, [(0, 1.04), (1.04, 1.04), (1.04, -1.04), (0, -1.04)])
    selection = page.get_by_test_id("selection")
    assert selection.get_attribute("data-n") == str(len(rows))
    page.wait_for_selector("[data-testid=mean-aligned] img")
    assert page.get_by_test_id("statistics").locator("tbody tr").count() == 7
    with page.expect_download() as download:
        page.get_by_test_id("export").click()
    download.value.save_as(tmp_path / "selection.csv")
    lines = (tmp_path / "selection.csv").read_text().splitlines()
    assert [int(line.split(",")[0]) for line in lines[1:]] == rows.tolist()
    page.get_by_test_id("clear").click()
    wait_for_sample(page, 0)


def test_map_colours_follow_the_column(open_page: Open, picture_address: str) -> None:
    """Categories have their own colours; pressing one in the legend dims the others."""
    page = open_page(picture_address)
    labels = colours(page)
    assert page.get_by_test_id("legend").locator(".chip").count() == 3
    page.get_by_test_id("legend-1").click()
    assert len(colours(page)) < len(labels)
    page.get_by_test_id("select-highlighted").click()
    assert page.get_by_test_id("selection").get_attribute("data-n") == "20"
    page.get_by_test_id("clear").click()
    page.get_by_test_id("colour").select_option("rotation_deg")
    page.wait_for_selector("[data-testid=legend] .ramp")
    assert "°" in page.get_by_test_id("legend").inner_text()
    assert colours(page) != labels


def test_map_kind_is_computed(open_page: Open, picture_address: str) -> None:
    """While t-SNE is made, the page says so; then the points move."""
    answers = iter([True, True])

    def route(route: Any) -> None:
        if next(answers, False):
            route.fulfill(status=202, json={"state": "computing", "seconds": 1.0})
        else:
            route.continue_()

    page = open_page(picture_address, routes={"**/v1/points?map=tsne": route})
    before = colours(page)
    page.get_by_test_id("map-kind-tsne").check(force=True)
    page.wait_for_selector("text=t-SNE map is being computed")
    page.get_by_test_id("slider-rotation_deg").press("ArrowRight")
    page.wait_for_selector("[data-testid=map-state]", state="detached", timeout=60_000)
    assert before and colours(page)
    assert "map=tsne" in page.evaluate("location.hash")


def still(page: Any) -> bytes:
    """A screenshot of the map once it does not change any more."""
    last = b""
    for _ in range(50):
        page.wait_for_timeout(200)
        picture = page.get_by_test_id("map").screenshot()
        if picture == last:
            break
        last = picture
    return last


def test_map_keys_walk_and_zoom(open_page: Open, picture_address: str) -> None:
    """Arrows go to the next sample in their direction, signs zoom, 0 shows everything."""
    xy = points(picture_address)
    start = int(np.argsort(xy[:, 0])[len(xy) // 2])
    page = open_page(picture_address, hash=f"#sample={start}")
    wait_for_sample(page, start)
    page.get_by_test_id("map").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => !location.hash.includes('sample={start}&')")
    row = int(page.get_by_test_id("sample-number").input_value())
    assert xy[row, 0] > xy[start, 0]
    page.keyboard.press("0")
    before = still(page)
    page.keyboard.press("+")
    assert still(page) != before
    page.keyboard.press("0")
    assert still(page) == before


def test_map_works_without_webgl(open_page: Open, picture_address: str) -> None:
    """A plain canvas draws the same colours, and the page says that it is slower."""
    plain = open_page(picture_address, script=NO_WEBGL)
    assert plain.get_by_test_id("no-webgl").is_visible()
    fast = open_page(picture_address)
    assert fast.get_by_test_id("no-webgl").count() == 0
    assert len(colours(plain) & colours(fast)) >= 3
    lasso(plain, [(-1.04, 1.04), (1.04, 1.04), (1.04, -1.04), (-1.04, -1.04)])
    assert plain.get_by_test_id("selection").get_attribute("data-n") == "60"
