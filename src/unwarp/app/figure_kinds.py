"""Kinds and formats of the figures of a run.

The command line reads them without heavy imports.
"""

from __future__ import annotations

from typing import Literal

FigureFormat = Literal["pdf", "png", "svg"]
"""Format of the file of a figure."""

FigureKind = Literal[
    "templates", "latent-map", "traversal", "chunks", "recovery", "warps", "interpolation"
]
"""Kind of a figure of a run."""
