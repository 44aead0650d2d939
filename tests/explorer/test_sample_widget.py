"""The widget of a notebook in a real browser, with a stand-in for the notebook."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from unwarp import Unwarper
from unwarp.app.explorer.notebook import sample_widget
from unwarp.data.opening import as_source

pytestmark = pytest.mark.slow

NAMES = ("facts", "index", "deformation", "view", "rendering")
NOTEBOOK = """<!doctype html><html lang="en"><title>notebook</title><main id="place"></main>
<style>%s</style><script type="module">
const { default: widget } = await import("data:text/javascript;base64,%s");
const state = %s;
const listeners = {};
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; },
  save_changes: () => { window.saved = structuredClone(state); },
  on: (event, listener) => { listeners[event] = listener; },
  off: (event) => { delete listeners[event]; },
};
window.receive = (name, value) => { state[name] = value; listeners[`change:${name}`]?.(); };
widget.render({ model, el: document.getElementById("place") });
window.isReady = true;
</script></html>"""
"""A page with a model as anywidget gives it to a widget."""


@pytest.fixture
def show(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page with a widget; fails at the end if the page logged an error."""
    pages, errors = [], []

    def open_widget(widget: Any, size: tuple[int, int] = (900, 700)) -> Any:
        page = browser.new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        script = base64.b64encode(str(widget._esm).encode()).decode()
        state = json.dumps({name: getattr(widget, name) for name in NAMES})
        page.set_content(NOTEBOOK % (widget._css, script, state))
        page.wait_for_function("() => window.isReady")
        return page

    yield open_widget
    for page in pages:
        page.close()
    assert not errors, errors


def widget_of(model: tuple[Path, Path]) -> Any:
    """A widget of a saved model and its samples."""
    pytest.importorskip("anywidget", reason="needs the extra widget")
    folder, data = model
    return sample_widget(Unwarper.load(folder), as_source(str(data)))


def send(page: Any, widget: Any) -> None:
    """Bring what the page saved to the widget, and its answer to the page."""
    saved = page.evaluate("() => window.saved")
    widget.index = saved["index"]
    widget.deformation = saved["deformation"]
    for name in NAMES:
        page.evaluate("([name, value]) => receive(name, value)", [name, getattr(widget, name)])


def test_slider_deforms_the_template(show: Any, picture_model: tuple[Path, Path]) -> None:
    """A moved slider gives another picture; the five panels stay."""
    widget = widget_of(picture_model)
    page = show(widget)
    sources = "() => [...document.images].map((image) => image.src)"
    before = page.evaluate(sources)
    assert len(before) == 6 and page.locator("input[type=range]").count() == 6
    page.get_by_role("slider", name="Rotation").evaluate(
        "(input) => { input.value = 30; input.dispatchEvent(new Event('input')); }"
    )
    send(page, widget)
    after = page.evaluate(sources)
    assert after[:5] == before[:5] and after[5] != before[5]
    assert widget.deformation["rotation_deg"] == 30


def test_number_shows_another_series(show: Any, series_model: tuple[Path, Path]) -> None:
    """Curves of two channels follow the number of the sample, which stays in range."""
    widget = widget_of(series_model)
    page = show(widget)
    paths = "() => [...document.querySelectorAll('path')].map((path) => path.getAttribute('d'))"
    before = page.evaluate(paths)
    assert len(before) == 12 and all(len(path) > 100 for path in before)
    number = page.get_by_label("Sample")
    number.fill("999")
    number.press("Tab")
    send(page, widget)
    assert widget.index == 39 and number.input_value() == "39"
    assert page.evaluate(paths)[0] != before[0]


@pytest.mark.parametrize("width", [360, 1280])
def test_widget_fits_its_width(show: Any, picture_model: tuple[Path, Path], width: int) -> None:
    """Nothing is wider than the page, and every control has a name."""
    page = show(widget_of(picture_model), (width, 700))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.add_script_tag(path=Path(__file__).with_name("axe.min.js"))
    report = page.evaluate("() => axe.run({ runOnly: ['wcag2a', 'wcag2aa'] })")
    assert [item["id"] for item in report["violations"]] == []
