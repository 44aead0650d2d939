"""Everybody can use the explorer's page: contrast, names, keys, small screens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
AXE = (Path(__file__).parent / "axe.min.js").read_text()
"""axe-core 4.14.1, copyright Deque Systems, Mozilla Public License 2.0, unchanged."""

MIN_RULES_THAT_APPLY = 15
STATE = "#sample=2&a=1&b=2&selection=1.2.3.4.5"


def violations(page: Any) -> list[str]:
    """Rules of accessibility that the page breaks, with an element for each."""
    page.wait_for_timeout(300)
    page.evaluate(AXE)
    result = page.evaluate("axe.run()")
    assert len(result["passes"]) >= MIN_RULES_THAT_APPLY
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in result["violations"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_passes_axe(
    open_page: Open, picture_address: str, series_address: str, theme: str
) -> None:
    """axe-core sees no violation in any view."""
    page = open_page(picture_address, hash=STATE, color_scheme=theme)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    for tab in ("sample", "selection", "morph"):
        page.get_by_test_id(f"tab-{tab}").click()
        page.wait_for_selector("#view img")
        assert not violations(page)
    series = open_page(series_address, color_scheme=theme, size=(390, 844))
    series.wait_for_selector("[data-testid=panel-warp] canvas")
    assert not violations(series)


def test_phone_cuts_nothing(open_page: Open, picture_address: str, series_address: str) -> None:
    """At 390 pixels there is one column, and nothing is wider than the screen."""
    for address in (picture_address, series_address):
        page = open_page(address, hash=STATE, size=(390, 844))
        for tab in ("sample", "selection", "morph"):
            page.get_by_test_id(f"tab-{tab}").click()
            page.wait_for_timeout(300)
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            right = page.evaluate(
                "Math.max(...[...document.querySelectorAll('button, input, select, img, canvas')]"
                ".filter(e => !e.closest('.wide')).map(e => e.getBoundingClientRect().right))"
            )
            assert right <= 390


def test_keys_reach_everything(open_page: Open, picture_address: str) -> None:
    """The tab key reaches map, tabs, sliders and neighbours, and the focus can be seen."""
    page = open_page(picture_address)
    page.wait_for_selector("[data-testid=content-neighbour] img")
    reached, is_seen = set(), []
    for _ in range(80):
        page.keyboard.press("Tab")
        testid, outline, inner = page.evaluate(
            """() => {
              const e = document.activeElement;
              const label = e.closest('.segmented label');
              return [e.dataset.testid, getComputedStyle(label ?? e).outlineStyle, e.tagName];
            }"""
        )
        if inner != "BODY":
            reached.add(testid)
            is_seen.append(outline != "none")
    expected = {"open-file", "theme", "map-kind-pca", "colour", "tool-pan", "map", "zoom-in"}
    expected |= {"legend-0", "tab-sample", "sample-number", "set-a", "identity", "reset"}
    expected |= {"slider-rotation_deg", "slider-content_0", "all-content"}
    assert expected <= reached
    assert all(is_seen)


def test_tabs_follow_arrows(open_page: Open, picture_address: str) -> None:
    """Arrow keys change the view, as in any list of tabs."""
    page = open_page(picture_address)
    page.get_by_test_id("tab-sample").focus()
    page.keyboard.press("ArrowRight")
    assert "Nothing is selected" in page.locator("#view").inner_text()
    page.keyboard.press("ArrowRight")
    assert "Choose two samples" in page.locator("#view").inner_text()


def test_theme_is_switched(open_page: Open, picture_address: str) -> None:
    """The system's theme at first, then the user's, which the address keeps."""
    page = open_page(picture_address, color_scheme="dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_test_id("theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    page.wait_for_function("() => location.hash.includes('theme=light')")
