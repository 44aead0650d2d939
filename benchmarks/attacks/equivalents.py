"""Equivalent mutants: changes that nobody can observe, so that no test can notice them."""

from __future__ import annotations

from collections.abc import Mapping

EQUIVALENTS: Mapping[str, str] = {}
"""Reasons by the label of a mutant."""
