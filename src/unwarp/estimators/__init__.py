"""The scikit-learn door."""

from __future__ import annotations

from unwarp.estimators.unwarper import Unwarper

__all__ = ["Unwarper"]
