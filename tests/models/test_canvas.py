"""The canvas: templates on the frame, and samples in the form of encoder inputs."""

from __future__ import annotations

import math

import pytest
import torch

from unwarp.errors import DataError
from unwarp.models.canvas import Canvas
from unwarp.warps import IdentityMap, Window


def test_canvas_renders_on_its_window() -> None:
    """At rest a template fills its window, surrounded by padding."""
    window = Window.frame((8, 8)).crop(0.5)
    canvas = Canvas((1, 8, 8), window)
    templates = torch.rand(2, 1, *window.size)
    expected = torch.nn.functional.pad(templates, (2, 2, 2, 2))
    torch.testing.assert_close(canvas.render(templates, IdentityMap(2)), expected)


def test_canvas_fills_gaps_and_marks_them() -> None:
    """Encoders get finite values, and a channel that is 0 in gaps."""
    x = torch.tensor([[[0.0, math.nan, 2.0, 3.0]]])
    canvas = Canvas((1, 4), Window.frame((4,)), gaps=True)
    expected = torch.tensor([[[0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 1.0, 1.0]]])
    torch.testing.assert_close(canvas.encoder_input(x), expected)
    assert Canvas((1, 4), Window.frame((4,))).encoder_input(x) is x


def test_canvas_refuses_another_shape() -> None:
    """The message names both shapes."""
    with pytest.raises(DataError, match=r"shape \(1, 5\), the model was built for \(1, 4\)"):
        Canvas((1, 4), Window.frame((4,))).encoder_input(torch.zeros(2, 1, 5))
