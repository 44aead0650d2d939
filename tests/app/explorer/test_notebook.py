"""The widget of a sample in a notebook."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from tests.pictures import pictures
from unwarp import AE, Affine2d, Unwarper
from unwarp.app.explorer.notebook import sample_widget
from unwarp.errors import ConfigError, DataError
from unwarp.models import Net

X = pictures(12)[:, 0]


@pytest.fixture(scope="module")
def unwarper() -> Unwarper:
    """An estimator of small pictures after a few steps."""
    recipe = AE(warp=Affine2d(), n_content=4, net=Net("mlp", (16,), (16,)))
    return Unwarper(recipe=recipe, max_steps=4, n_clusters=3, device="cpu").fit(X)


@pytest.fixture
def widget(unwarper: Unwarper) -> Any:
    """A widget of the training pictures."""
    pytest.importorskip("anywidget", reason="needs the extra widget")
    return sample_widget(unwarper, X)


def test_widget_follows_its_index(widget: Any, unwarper: Unwarper) -> None:
    """Panels, sliders and rendering are those of the sample."""
    for index in (7, 2):
        widget.index = index
        table = unwarper.transform_params(X[[index]])
        assert widget.view["index"] == index and len(widget.view["panels"]) == 5
        for name in ("rotation_deg", "shift_x_px"):
            assert widget.deformation[name] == pytest.approx(float(table[name].iloc[0]), abs=1e-3)
        assert widget.rendering["reconstruction"] == widget.view["panels"]["reconstruction"]


def test_widget_follows_its_sliders(widget: Any) -> None:
    """The template stays, and its deformed form changes."""
    before = dict(widget.rendering)
    widget.deformation = {**widget.deformation, "rotation_deg": 30.0}
    assert widget.rendering["template"] == before["template"]
    assert widget.rendering["reconstruction"] != before["reconstruction"]


@pytest.mark.parametrize("index", [-1, 12, "two"])
def test_widget_refuses_other_samples(widget: Any, index: Any) -> None:
    """A number without a sample is refused, and the old one stays."""
    import traitlets

    with pytest.raises(traitlets.TraitError):
        widget.index = index
    assert widget.index == 0 == widget.view["index"]


def test_widget_refuses_other_shapes(unwarper: Unwarper) -> None:
    """Samples that do not fit the model are refused before anything is shown."""
    with pytest.raises(DataError):
        sample_widget(unwarper, np.zeros((3, 5, 5)))


def test_missing_package_is_named(unwarper: Unwarper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anywidget the error says what to install."""
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ConfigError, match=r"pip install 'unwarp\[widget\]'"):
        sample_widget(unwarper, X)
