"""Diagram of the estimator in notebooks, with a strip of templates."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from unwarp import plots
from unwarp.core import Array

MAX_TEMPLATES = 10
"""Greatest number of templates in the strip."""


class Display(BaseEstimator):  # type: ignore[misc]
    """Mixin that shows templates under the diagram of a trained estimator.

    >>> import numpy as np
    >>> from unwarp import Unwarper
    >>> X = np.random.default_rng(0).normal(size=(8, 12))
    >>> unwarper = Unwarper("time", max_steps=1, n_clusters=2)
    >>> "data:image/png" in unwarper._repr_html_()
    False
    >>> "data:image/png" in unwarper.fit(X)._repr_html_()
    True
    """

    def _repr_html_inner(self) -> str:
        """The diagram, with the strip below it once the estimator is trained."""
        return str(super()._repr_html_inner()) + self._strip()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        """The forms that notebooks choose from; HTML, if scikit-learn shows diagrams at all."""
        bundle: dict[str, str] = super()._repr_mimebundle_(**kwargs)
        return (
            bundle | {"text/html": bundle["text/html"] + self._strip()}
            if "text/html" in bundle
            else bundle
        )

    def _strip(self) -> str:
        """The templates of the clusters as a picture within the HTML; empty before `fit`."""
        if not hasattr(self, "model_"):
            return ""
        templates = self.cluster_templates_
        n = min(len(templates), MAX_TEMPLATES)
        words = (
            f"Templates of {n} of {len(templates)} clusters"
            if n < len(templates)
            else "Templates of the clusters"
        )
        data = base64.b64encode(picture(templates[:n])).decode()
        image = f'<img alt="{words}" style="background: white" src="data:image/png;base64,{data}">'
        return f'<figure style="margin: .5em 0"><figcaption>{words}</figcaption>{image}</figure>'


def picture(templates: Array) -> bytes:
    """Bytes of a PNG file with samples in a row.

    Args:
        templates: Images (N, C, H, W) of any range, or series (N, C, T).
    """
    if templates.ndim == 4:
        low, high = np.min(templates), np.max(templates)
        templates = (templates - low) / max(high - low, np.finfo(float).eps)
    file = io.BytesIO()
    plots.samples(templates, len(templates)).savefig(file, format="png", dpi=80)
    return file.getvalue()
