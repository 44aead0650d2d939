"""Addresses: each answers as its document says, and mistakes are one sentence."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.app.explorer.client import HOST, TOKEN, Client
from unwarp.app.explorer import schemas
from unwarp.app.explorer.collection import empty_collection
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.limits import Refusal
from unwarp.app.explorer.routes import samples_of_json

NAMES = ("images", "mirrors", "series")
FORMS = {
    "/v1/model": schemas.ModelFacts,
    "/v1/samples/5": schemas.SampleView,
    "/v1/histogram/cluster": schemas.CategoryHistogram,
    "/v1/histogram/error": schemas.NumberHistogram,
}


def codes_of(client: Client) -> list[float]:
    """The mean content code."""
    return [dimension["mean"] for dimension in client.get("/v1/model").json["content"]]


@pytest.mark.parametrize("name", NAMES)
def test_answers_have_their_form(name: str, clients: dict[str, Client]) -> None:
    """Every field is there, none is NaN, and no other one is."""
    client = clients[name]
    for path, form in FORMS.items():
        answer = client.get(path)
        assert answer.status == 200
        assert form.model_validate(answer.json).model_dump() == answer.json
    for thumbnail in client.get("/v1/thumbnails?rows=3,1").json:
        schemas.Thumbnail.model_validate(thumbnail)
    code = codes_of(client)
    bodies: dict[str, tuple[Any, Any]] = {
        "render": ({"content": code}, schemas.Rendering),
        "morph": ({"from": 0, "to": 3, "along": "both", "position": 0.5}, schemas.Morph),
        "selection": ({"rows": [1, 2]}, schemas.Selection),
    }
    for path, (body, body_form) in bodies.items():
        answer = client.post(f"/v1/{path}", body)
        assert answer.status == 200, answer.body
        body_form.model_validate(answer.json)


def test_binary_answers_have_a_row_each(clients: dict[str, Client], images: Exploration) -> None:
    """Points and columns are float32 of all samples, categories their index."""
    client, n = clients["images"], len(images.collection)
    points = np.frombuffer(client.get("/v1/points").body, "<f4")
    np.testing.assert_array_equal(points.reshape(n, 2), images.pca)
    label = np.frombuffer(client.get("/v1/columns/label").body, "<f4")
    np.testing.assert_array_equal(label, np.arange(n) % 3)
    answer = client.get("/v1/points?map=tsne")
    assert answer.status in (200, 202)


def test_export_is_a_download(clients: dict[str, Client]) -> None:
    """The answer is a table with a line for each sample."""
    answer = clients["series"].post("/v1/export", {"rows": [3, 1]})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "selection.csv" in answer.headers["content-disposition"]
    assert [line.split(",")[0] for line in answer.body.decode().split()] == ["index", "1", "3"]


MISTAKES: dict[str, tuple[str, Any, int]] = {
    "no sample": ("samples/30", None, 404),
    "no number": ("samples/x", None, 422),
    "no column": ("columns/..", None, 404),
    "no map": ("points?map=umap", None, 422),
    "no rows": ("thumbnails?rows=", None, 422),
    "no address": ("secrets", None, 404),
    "no method": ("selection", None, 405),
    "no body": ("render", b"", 422),
    "no json": ("render", b"{", 422),
    "not finite": ("render", b'{"content": [NaN, 1, 1, 1]}', 422),
    "too large": ("render", {"content": [1e300, 0, 0, 0]}, 422),
    "no code": ("render", {"content": []}, 422),
    "no slider": ("render", {"content": [0] * 4, "deformation": {"x": 1}}, 422),
    "no scale": ("render", {"content": [0] * 4, "deformation": {"scale_x": -1}}, 422),
    "no field": ("render", {"content": [0] * 4, "more": 1}, 422),
    "no end": ("morph", {"from": 0, "to": 99, "along": "both", "position": 0}, 404),
    "no share": ("morph", {"from": 0, "to": 1, "along": "both", "position": 2}, 422),
    "no selection": ("selection", {"rows": []}, 422),
    "negative": ("export", {"rows": [-1]}, 422),
    "ragged": ("embed", {"samples": [[1, 2], [3]]}, 422),
    "words": ("embed", {"samples": [["a"]]}, 422),
    "other shape": ("align", {"samples": [[1.0, 2.0]]}, 422),
    "deep": ("embed", b"[" * 100_000, 422),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_sentence(mistake: str, clients: dict[str, Client]) -> None:
    """The status says whose mistake it is, and the answer names argument and mend."""
    path, body, status = MISTAKES[mistake]
    client = clients["images"]
    answer = client.get(f"/v1/{path}") if body is None else client.post(f"/v1/{path}", body)
    assert answer.status == status, answer.body
    assert set(answer.json) == {"error"} and "\n" not in answer.json["error"]


def picture(size: tuple[int, int], mode: str, form: str) -> bytes:
    """The content of a file of a picture."""
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("name", ["images", "mirrors"])
def test_own_pictures_of_any_size(name: str, clients: dict[str, Client]) -> None:
    """A picture of another size, in colour or grey, is brought to that of the model."""
    client = clients[name]
    for content, file in (
        (picture((64, 50), "RGBA", "PNG"), "a.PNG"),
        (picture((5, 7), "L", "JPEG"), "../b.jpg"),
    ):
        answer = client.upload("/v1/align", file, content)
        assert answer.status == 200, answer.body
        (view,) = schemas.AlignAnswer.model_validate(answer.json).samples
        assert len(view.neighbours.pixels) == 10


def test_own_files_of_series(clients: dict[str, Client], series: Exploration) -> None:
    """Arrays and tables are read as the estimator reads files."""
    samples = series.collection.samples
    assert samples is not None
    file = io.BytesIO()
    np.save(file, samples.samples[:3])
    answer = clients["series"].upload("/v1/embed", "own.npy", file.getvalue())
    assert answer.status == 200, answer.body
    codes = schemas.EmbedAnswer.model_validate(answer.json).content
    np.testing.assert_allclose(codes, series.collection.content[:3], atol=1e-5)
    listed = np.where(np.isnan(samples.samples[:3]), None, samples.samples[:3]).tolist()
    answer = clients["series"].post("/v1/embed", {"samples": listed})
    np.testing.assert_allclose(answer.json["content"], codes, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b"no picture"),
        ("a.npy", b"no array"),
        ("a.csv", b"\x00\xff\x00"),
        ("a.exe", b"MZ"),
        ("", b""),
        ("a.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"),
    ],
)
def test_damaged_files_are_refused(name: str, content: bytes, clients: dict[str, Client]) -> None:
    """A file that cannot be read is the user's mistake, and its path stays a secret."""
    answer = clients["images"].upload("/v1/align", name, content)
    assert answer.status == 422, answer.body
    assert "/tmp" not in answer.json["error"]


def test_model_without_data_answers(clients: dict[str, Client], images: Exploration) -> None:
    """Sliders and own samples work; there are no samples to choose from."""
    from unwarp.app.explorer.server import make_app

    empty = Exploration(images.viewer, empty_collection(images.viewer), "empty")
    client = Client(make_app(empty, HOST, TOKEN))
    assert client.get("/v1/model").json["n_samples"] == 0
    for name in ("pca", "tsne"):
        answer = client.get(f"/v1/points?map={name}")
        assert (answer.status, answer.body) == (200, b"")
    statuses = {
        "/v1/samples/0": client.get("/v1/samples/0").status,
        "/v1/columns/error": client.get("/v1/columns/error").status,
        "/v1/selection": client.post("/v1/selection", {"rows": [0]}).status,
        "/v1/morph": client.post("/v1/morph", {"from": 0, "to": 0, "position": 0}).status,
    }
    assert set(statuses.values()) == {404}, statuses
    assert client.post("/v1/render", {"content": codes_of(client)}).status == 200
    answer = client.upload("/v1/align", "a.png", picture((20, 20), "L", "PNG"))
    (view,) = answer.json["samples"]
    assert view["neighbours"] == {"content": [], "pixels": []}


def test_other_forms_are_refused(clients: dict[str, Client]) -> None:
    """A body is JSON or one file, and says so."""
    client = clients["images"]
    assert client.post("/v1/embed", b"x", content_type="text/plain").status == 415
    form = {"content_type": "multipart/form-data; boundary=edge"}
    assert client.post("/v1/embed", b"--edge--\r\n", **form).status in (400, 422)


def test_samples_of_json_are_one_field() -> None:
    """Other fields are refused, as in all bodies."""
    with pytest.raises(Refusal, match="samples alone"):
        samples_of_json(b'{"samples": [], "more": 1}')
