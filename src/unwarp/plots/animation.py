"""Moving pictures: samples in, frames out, and frames as the bytes of a GIF file."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
from PIL import Image

from unwarp.core import Array
from unwarp.errors import DataError
from unwarp.plots.style import styled
from unwarp.plots.tiles import bare, limits, ratio, tile

ACROSS = 6


@styled
def moving(tiles: Mapping[str, Array], words: Mapping[str, Sequence[str]] | None = None) -> Array:
    """Frames (F, height, width, 3) uint8 of named tiles side by side, each of which shows its F samples one by one.

    Args:
        tiles: Samples (F, C, H, W) or (F, C, T) by the name above them.
        words: What stands under a tile in each frame (F,), by the tile's name.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    down, across = -(-len(tiles) // ACROSS), min(len(tiles), ACROSS)
    shown = [sample for x in tiles.values() for sample in x]
    high, height = ratio(shown[0]), limits(shown)
    figure = Figure(
        figsize=(1.1 * across, (high + (0.6 if words else 0.4)) * down),
        dpi=100,
        layout="constrained",
    )
    axes = dict(zip_longest(figure.subplots(down, across, squeeze=False).flat, tiles.items()))
    for axis, moved in axes.items():
        bare(axis, 1, high)
        if moved:
            axis.set_title(moved[0], fontsize=8)
    canvas: Any = FigureCanvasAgg(figure)
    frames = []
    for frame in range(len(next(iter(tiles.values())))):
        for axis, (name, x) in ((axis, named) for axis, named in axes.items() if named):
            _show_frame(axis, x[frame], height, (words or {}).get(name, [""] * len(x))[frame])
        canvas.draw()
        # the layout found for the first frame stays, so that nothing trembles
        figure.set_layout_engine("none")
        frames.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    return np.stack(frames)


def _show_frame(axis: Any, sample: Array, height: tuple[float, float], words: str) -> None:
    """Put one sample in the place of the last one, with words under it."""
    for mark in (*axis.images, *axis.lines):
        mark.remove()
    tile(axis, sample, height)
    axis.set_xlabel(words, fontsize=8)


def animate(frames: Array, seconds: float = 3.0, most: int = 300_000) -> bytes:
    """A GIF that plays frames (F, height, width[, 3]) there and back for ever.

    Args:
        frames: uint8, or floats within [0, 1].
        seconds: How long one way takes.
        most: Bytes that the file must not exceed; colours, then the frames' size, go down until it does not.

    Raises:
        DataError: No frames, or frames that are no pictures.
    """
    if frames.ndim < 3 or not frames.size or frames.shape[3:] not in ((), (3,)):
        raise DataError(
            f"frames have shape {frames.shape}; give (F, height, width) or (F, height, width, 3)"
        )
    if frames.dtype != np.uint8:
        frames = (255 * np.clip(frames, 0, 1)).round().astype(np.uint8)
    pictures = [Image.fromarray(frame).convert("RGB") for frame in frames]
    pictures += pictures[-2:0:-1]
    pace = max(20, round(1000 * seconds / len(frames)))
    for colours, part in ((64, 1), (16, 1), *((16, 2**halving) for halving in range(1, 9))):
        data = _gif([picture.reduce(part) for picture in pictures], pace, colours)
        if len(data) <= most:
            break
    return data


def _gif(pictures: Sequence[Image.Image], pace: int, colours: int) -> bytes:
    """All frames in one palette, so that what stands still is the same in each and costs nothing."""
    every = Image.fromarray(
        np.concatenate([np.asarray(picture) for picture in pictures[: len(pictures) // 2 + 1]])
    )
    palette = every.quantize(colours, dither=Image.Dither.NONE)
    # a palette's colours are means of neighbours: white paper and black ground stay what they are
    palette.putpalette([0 if v < 8 else 255 if v > 247 else v for v in palette.getpalette() or ()])
    first, *others = (
        picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures
    )
    out = io.BytesIO()
    first.save(
        out, "GIF", save_all=True, append_images=others, duration=pace, loop=0, optimize=True
    )
    return out.getvalue()
