"""The estimator in a notebook: the diagram of scikit-learn, and templates once it is trained."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from sklearn import config_context

from unwarp import Unwarper
from unwarp.estimators.display import MAX_TEMPLATES, picture

DATA = re.compile(r'src="data:image/png;base64,([^"]+)"')


def test_trained_display_has_templates(fitted: Unwarper) -> None:
    """Both forms for notebooks hold the diagram and one picture, as wide as the clusters."""
    diagram = Unwarper()._repr_html_()
    assert "Unwarper" in diagram and not DATA.search(diagram)
    for html in (fitted._repr_html_(), fitted._repr_mimebundle_()["text/html"]):
        assert "sk-top-container" in html
        (data,) = DATA.findall(html)
        image = Image.open(io.BytesIO(base64.b64decode(data)))
        assert image.width > image.height * (len(fitted.cluster_templates_) - 1)


def test_text_display_stays_text(fitted: Unwarper) -> None:
    """Where scikit-learn shows text, there is no HTML at all."""
    with config_context(display="text"):
        assert fitted._repr_mimebundle_() == {"text/plain": repr(fitted)}
        assert not hasattr(fitted, "_repr_html_")


@pytest.mark.parametrize("shape", [(3, 1, 8, 8), (3, 3, 8, 8), (3, 2, 20)])
def test_picture_ignores_range(shape: tuple[int, ...]) -> None:
    """Grey pictures, colour pictures and series of any range are drawn; contrast is stretched."""
    x = np.random.default_rng(0).random(shape)
    pixels = [np.asarray(Image.open(io.BytesIO(picture(values)))) for values in (x, 255 * x)]
    if len(shape) == 4:
        np.testing.assert_array_equal(*pixels)
    assert pixels[0].std() > 0


def test_strip_is_short() -> None:
    """At most ten templates are drawn, and the words say so."""
    x = np.random.default_rng(0).normal(size=(30, 12))
    html = Unwarper("identity", max_steps=1, n_clusters=12, clusters="kmeans").fit(x)._repr_html_()
    assert f"{MAX_TEMPLATES} of 12 clusters" in html
