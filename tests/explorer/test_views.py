"""The views of the explorer: samples, sliders, neighbours, morphs, own files, addresses, errors."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.explorer.serving import answer

pytestmark = pytest.mark.slow

Open = Callable[..., Any]
COUNT_RENDERS = """() => {
  const send = fetch;
  let running = 0;
  window.most = 0;
  window.fetch = async (...request) => {
    if (!String(request[0]).endsWith('render')) return send(...request);
    window.most = Math.max(window.most, ++running);
    window.last = JSON.parse(request[1].body);
    try { return await send(...request); } finally { running--; }
  };
}"""


def picture(page: Any, testid: str) -> str:
    """The picture of a panel, as its data URI."""
    page.wait_for_selector(f"[data-testid={testid}] img")
    return str(page.get_by_test_id(testid).locator("img").get_attribute("src"))


def wait_for_picture(page: Any, testid: str, uri: str) -> None:
    """Wait until a panel shows a picture."""
    condition = "([id, uri]) => document.querySelector(`[data-testid=${id}] img`)?.src === uri"
    page.wait_for_function(condition, arg=[testid, uri])


def go_to(page: Any, row: int) -> None:
    page.get_by_test_id("sample-number").fill(str(row))
    page.keyboard.press("Enter")
    page.wait_for_selector(f"[data-testid=sample-card][data-index='{row}']")


def test_sample_panels_are_the_servers(open_page: Open, picture_address: str) -> None:
    """Five pictures of each sample; arrows beside its number go on and back."""
    page = open_page(picture_address)
    page.get_by_test_id("next").click()
    page.wait_for_selector("[data-testid=sample-card][data-index='1']")
    sample = json.loads(answer(picture_address, "samples/1"))
    assert len(sample["panels"]) == 5
    assert {name: picture(page, f"panel-{name}") for name in sample["panels"]} == sample["panels"]
    page.get_by_test_id("previous").click()
    page.get_by_test_id("previous").click()
    page.wait_for_selector("[data-testid=sample-card][data-index='59']")


def test_series_panels_are_curves(open_page: Open, series_address: str) -> None:
    """Curves of the chosen channel over time, and the warp."""
    page = open_page(series_address)
    names = ("panel-observed", "panel-aligned", "panel-residual", "panel-warp", "decoded")
    for name in names:
        page.wait_for_selector(f"[data-testid={name}] canvas")
    first = page.get_by_test_id("panel-observed").screenshot()
    page.get_by_test_id("channel").select_option(index=1)
    page.wait_for_timeout(300)
    assert page.get_by_test_id("panel-observed").screenshot() != first
    assert "channel=1" in page.evaluate("location.hash")


def test_sliders_decode(open_page: Open, picture_address: str) -> None:
    """At the sample they give its reconstruction; without deformation, its template."""
    page = open_page(picture_address)
    start = picture(page, "panel-reconstruction")
    wait_for_picture(page, "decoded-reconstruction", start)
    page.get_by_test_id("identity").click()
    wait_for_picture(page, "decoded-reconstruction", picture(page, "panel-template"))
    assert page.get_by_test_id("value-rotation_deg").inner_text() == "0.00°"
    page.get_by_test_id("reset").click()
    wait_for_picture(page, "decoded-reconstruction", start)
    slider = page.get_by_test_id("slider-content_1")
    before = float(slider.input_value())
    slider.press("Shift+ArrowRight")
    assert float(slider.input_value()) > before
    page.wait_for_function("() => location.hash.includes('content=1')")
    slider.dblclick()
    page.wait_for_function("() => !location.hash.includes('content=1')")
    assert float(slider.input_value()) == pytest.approx(before)


def test_sliders_send_the_newest(open_page: Open, picture_address: str) -> None:
    """One request is in flight at most, and the last one has the last value."""
    page = open_page(picture_address)
    page.wait_for_selector("[data-testid=decoded-reconstruction] img")
    page.evaluate(COUNT_RENDERS)
    box = page.get_by_test_id("slider-rotation_deg").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 10, steps=40)
    page.mouse.up()
    value = float(page.get_by_test_id("slider-rotation_deg").input_value())
    page.wait_for_function(
        "value => Math.abs(window.last?.deformation.rotation_deg - value) < 1e-3", arg=value
    )
    assert page.evaluate("window.most") == 1


def test_histogram_marks_the_sample(open_page: Open, picture_address: str) -> None:
    """The mark stands where the slider stands, and stays when the slider is moved."""
    page = open_page(picture_address)
    page.wait_for_selector("[data-testid=histogram-rotation_deg] rect")
    slider, mark = (
        page.get_by_test_id("slider-rotation_deg"),
        page.get_by_test_id("mark-rotation_deg"),
    )
    limits = (slider.get_attribute("min"), slider.get_attribute("max"), slider.input_value())
    low, high, value = (float(text) for text in limits)
    place = float(mark.get_attribute("x1"))
    assert place == pytest.approx(100 * (value - low) / (high - low), abs=0.1)
    slider.press("Shift+ArrowLeft")
    assert float(mark.get_attribute("x1")) == place
    assert page.get_by_test_id("histogram-error").locator("rect").count() > 5


def test_neighbours_lead_to_samples(open_page: Open, picture_address: str) -> None:
    """Ten by content and ten by pixels; a click goes to one."""
    page = open_page(picture_address)
    sample = json.loads(answer(picture_address, "samples/0"))
    for kind, testid in (("content", "content-neighbour"), ("pixels", "pixel-neighbour")):
        buttons = page.get_by_test_id(testid).locator("button")
        expected = [f"{testid}-{row}" for row in sample["neighbours"][kind]]
        names = [button.get_attribute("data-testid") for button in buttons.all()]
        assert names == expected
    page.get_by_test_id(f"content-neighbour-{sample['neighbours']['content'][2]}").click()
    row = sample["neighbours"]["content"][2]
    page.wait_for_selector(f"[data-testid=sample-card][data-index='{row}']")


def test_morph_ends_at_samples(open_page: Open, picture_address: str) -> None:
    """Its ends are the reconstructions of A and B; play moves it."""
    page = open_page(picture_address)
    ends = []
    for name, row in (("a", 3), ("b", 11)):
        go_to(page, row)
        ends.append(picture(page, "panel-reconstruction"))
        page.get_by_test_id(f"set-{name}").click()
    page.get_by_test_id("tab-morph").click()
    for key, end in (("Home", ends[0]), ("End", ends[1])):
        page.get_by_test_id("position").press(key)
        wait_for_picture(page, "morphed-reconstruction", end)
    page.get_by_test_id("along-content").check(force=True)
    page.wait_for_function("() => location.hash.includes('along=content')")
    page.get_by_test_id("play").click()
    page.wait_for_function(
        "() => Number(document.querySelector('[data-testid=position]').value) < 0.9"
    )
    page.get_by_test_id("play").click()


def test_own_picture_is_aligned(open_page: Open, picture_address: str) -> None:
    """A picture of the user's own is shown as samples are; the collection is one click away."""
    page = open_page(picture_address)
    uri = picture(page, "panel-observed")
    content = __import__("base64").b64decode(uri.split(",")[1])
    file = {"name": "mine.png", "mimeType": "image/png", "buffer": content}
    page.get_by_test_id("file").set_input_files(file)
    page.wait_for_selector("[data-testid=own-title]")
    assert page.get_by_test_id("own-title").inner_text() == "mine.png"
    assert picture(page, "panel-aligned")
    assert page.get_by_test_id("content-neighbour-0").count() == 1
    page.get_by_test_id("own-close").click()
    page.wait_for_selector("[data-testid=sample-card][data-index='0']")


def test_dropped_file_of_wrong_size(open_page: Open, series_address: str) -> None:
    """The server's sentence is shown, and the page stays as it was."""
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((2, 3, 7), np.float32))
    page = open_page(series_address)
    page.evaluate(
        """bytes => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], 'short.npy'));
          for (const type of ['dragover', 'drop'])
            window.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true}));
        }""",
        list(buffer.getvalue()),
    )
    page.wait_for_selector("[data-testid=message]")
    assert len(page.get_by_test_id("message").inner_text()) > 20
    assert page.get_by_test_id("sample-card").get_attribute("data-index") == "0"
    page.get_by_test_id("dismiss").click()
    assert page.get_by_test_id("message").count() == 0


def test_address_holds_the_state(open_page: Open, picture_address: str) -> None:
    """A reload, and the same address in another window, show the same."""
    hash = "#sample=7&map=pca&colour=cluster&theme=dark&a=1&b=2&along=content&position=0.25"
    moved = "&content=0%3A0.5&d.rotation_deg=12"
    page = open_page(picture_address, hash=hash + moved)
    page.wait_for_selector("[data-testid=sample-card][data-index='7']")
    page.wait_for_function(
        "() => document.querySelector('[data-testid=value-content_0]').innerText == 0.5"
    )
    for attempt in range(2):
        assert page.get_by_test_id("value-rotation_deg").inner_text() == "12.0°"
        assert float(page.get_by_test_id("value-content_0").inner_text()) == 0.5
        assert page.get_by_test_id("colour").input_value() == "cluster"
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.wait_for_timeout(400)
        assert set(page.evaluate("location.hash")[1:].split("&")) == set(
            (hash + moved)[1:].split("&")
        )
        assert "token" not in page.evaluate("location.href")
        if not attempt:
            page.reload()
            page.wait_for_selector("[data-testid=sample-card][data-index='7']")
            page.wait_for_timeout(500)
    page.get_by_test_id("tab-morph").click()
    assert page.get_by_test_id("position").input_value() == "0.25"
    page.get_by_test_id("tab-sample").click()
    go_to(page, 9)
    page.go_back()
    page.wait_for_selector("[data-testid=sample-card][data-index='7']")


def test_page_asks_for_a_token(open_page: Open, picture_address: str) -> None:
    """Without a token the page says where it stands, and takes it."""
    address, token = picture_address.split("?token=")
    page = open_page(address, is_ready=False)
    page.get_by_test_id("token").fill(token)
    page.get_by_test_id("enter").click()
    page.wait_for_selector("[data-testid=sample-card][data-index='0']")
    assert page.get_by_test_id("message").count() == 0


def test_errors_are_lines(open_page: Open, picture_address: str) -> None:
    """The server's own words, or that it does not answer; the page stays."""

    def fail(route: Any) -> None:
        route.fulfill(status=500, json={"error": "a line for people"})

    page = open_page(
        picture_address,
        routes={"**/v1/samples/4": fail, "**/v1/samples/5": lambda route: route.abort()},
    )
    for row, words in ((4, "a line for people"), (5, "does not answer"), (600, "from 0 to 59")):
        page.get_by_test_id("sample-number").fill(str(row))
        page.keyboard.press("Enter")
        page.wait_for_selector(f"[data-testid=message]:has-text('{words}')")
    assert page.get_by_test_id("sample-number").input_value() == "0"
    go_to(page, 6)


def test_model_without_data_has_sliders(open_page: Open, bare_address: str) -> None:
    """There is no map, but decoding works."""
    page = open_page(bare_address, is_ready=False)
    page.wait_for_selector("[data-testid=no-data]")
    assert page.get_by_test_id("map").count() == 0
    first = picture(page, "decoded-reconstruction")
    page.get_by_test_id("slider-shear_deg").press("Shift+ArrowRight")
    page.wait_for_function(
        "uri => document.querySelector('[data-testid=decoded-reconstruction] img').src !== uri",
        arg=first,
    )


def test_collection_without_labels(open_page: Open, series_address: str) -> None:
    """Clusters colour the map where there are no labels."""

    def drop_labels(route: Any) -> None:
        response = route.fetch()
        model = response.json()
        model["columns"] = [one for one in model["columns"] if one["name"] != "label"]
        route.fulfill(response=response, json=model)

    page = open_page(series_address, routes={"**/v1/model": drop_labels})
    assert page.get_by_test_id("colour").input_value() == "cluster"
    assert page.get_by_test_id("legend").locator(".chip").count() > 0
