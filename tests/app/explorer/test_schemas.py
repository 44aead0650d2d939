"""Bodies: numbers are finite and bounded, and no field is unknown."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from unwarp.app.explorer.schemas import MorphBody, RenderBody, Rows

GOOD: list[tuple[type[BaseModel], str]] = [
    (RenderBody, '{"content": [1, 2.5]}'),
    (RenderBody, '{"content": [], "deformation": {"scale_x": 1}}'),
    (MorphBody, '{"from": 0, "to": 1, "position": 1}'),
    (Rows, '{"rows": [0, 0, 5]}'),
]
BAD: list[tuple[type[BaseModel], str]] = [
    (RenderBody, '{"content": [NaN]}'),
    (RenderBody, '{"content": [1e30]}'),
    (RenderBody, '{"content": [1], "deformation": {"x": Infinity}}'),
    (RenderBody, '{"content": [1], "other": 1}'),
    (MorphBody, '{"from": 0, "to": 1, "position": 1.5}'),
    (MorphBody, '{"from": 0, "to": 1, "position": 1, "along": "time"}'),
    (Rows, '{"rows": []}'),
    (Rows, '{"rows": [1.5]}'),
    (Rows, '{"rows": [-1]}'),
]


@pytest.mark.parametrize(("form", "text"), GOOD)
def test_bodies_are_read(form: type[BaseModel], text: str) -> None:
    """Fields have the names of JSON."""
    body = form.model_validate_json(text)
    assert form.model_validate_json(body.model_dump_json(by_alias=True)) == body


@pytest.mark.parametrize(("form", "text"), BAD)
def test_wrong_bodies_are_refused(form: type[BaseModel], text: str) -> None:
    """Nothing that is not finite, out of range or unknown comes through."""
    with pytest.raises(ValidationError):
        form.model_validate_json(text)
