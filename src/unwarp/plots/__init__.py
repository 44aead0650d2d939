"""Plots: functions from NumPy arrays to matplotlib figures.

No function opens a window or writes a file: call `figure.savefig(path)` on the result. A sample is
one image (C, H, W) with intensities in [0, 1], or one series (C, T). An observation is a sample as
it was given; its template is the sample with its deformation removed.
"""

from __future__ import annotations

from unwarp.plots.galleries import arithmetic, chunks, gallery, interpolation, samples, traversal
from unwarp.plots.panels import embeddings, folds, histograms, recovery
from unwarp.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    MINUS,
    RED,
    STYLE,
    TEXT_COLOUR,
    format_number,
    with_style,
)
from unwarp.plots.tiles import aspect_ratio
from unwarp.plots.time_maps import warps
from unwarp.plots.timelines import averages, series
from unwarp.plots.training import curves

__all__ = [
    "BLUE",
    "COLOURS",
    "GREY",
    "MINUS",
    "RED",
    "STYLE",
    "TEXT_COLOUR",
    "arithmetic",
    "aspect_ratio",
    "averages",
    "chunks",
    "curves",
    "embeddings",
    "folds",
    "format_number",
    "gallery",
    "histograms",
    "interpolation",
    "recovery",
    "samples",
    "series",
    "traversal",
    "warps",
    "with_style",
]
