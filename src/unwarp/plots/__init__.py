"""Plots: functions from NumPy arrays to matplotlib figures.

No function opens a window or writes a file: call `figure.savefig(path)` on the result. Images have
shape (C, H, W) with intensities in [0, 1], series have shape (C, T).
"""

from __future__ import annotations

from unwarp.plots.galleries import arithmetic, chunks, gallery, interpolation, samples, traversal
from unwarp.plots.panels import histograms, maps, recovery
from unwarp.plots.style import (
    ACCENT,
    COLOURS,
    INK,
    MINUS,
    OTHER,
    QUIET,
    STYLE,
    number,
    with_style,
)
from unwarp.plots.tiles import aspect_ratio
from unwarp.plots.time_maps import warps
from unwarp.plots.timelines import averages, series
from unwarp.plots.training import curves

__all__ = [
    "ACCENT",
    "COLOURS",
    "INK",
    "MINUS",
    "OTHER",
    "QUIET",
    "STYLE",
    "arithmetic",
    "aspect_ratio",
    "averages",
    "chunks",
    "curves",
    "gallery",
    "histograms",
    "interpolation",
    "maps",
    "number",
    "recovery",
    "samples",
    "series",
    "traversal",
    "warps",
    "with_style",
]
