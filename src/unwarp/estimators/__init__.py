"""`Unwarper`, the scikit-learn estimator, and the parts that it is made of."""

from __future__ import annotations

from unwarp.estimators.unwarper import Unwarper

__all__ = ["Unwarper"]
