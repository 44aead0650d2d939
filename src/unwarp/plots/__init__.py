"""Figures: arrays in, a matplotlib `Figure` out; nothing is shown or written here."""

from __future__ import annotations

from unwarp.plots.panels import columns, maps, recovered
from unwarp.plots.style import ACCENT, COLOURS, INK, MINUS, OTHER, QUIET, STYLE, number, styled
from unwarp.plots.tiles import (
    arithmetic,
    bare,
    chunks,
    gallery,
    interpolation,
    limits,
    picture,
    ratio,
    samples,
    tile,
    traversal,
)
from unwarp.plots.timelines import averages, series, warps
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
    "averages",
    "bare",
    "chunks",
    "columns",
    "curves",
    "gallery",
    "interpolation",
    "limits",
    "maps",
    "number",
    "picture",
    "ratio",
    "recovered",
    "samples",
    "series",
    "styled",
    "tile",
    "traversal",
    "warps",
]
