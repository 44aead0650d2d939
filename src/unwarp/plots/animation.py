"""Animations: from samples to frames, and from frames to GIF files.

`render_frames` draws a frame per sample; `animate` packs frames into the bytes of a small file.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
from PIL import Image

from unwarp.core import Array
from unwarp.errors import DataError
from unwarp.plots.style import with_style
from unwarp.plots.tiles import aspect_ratio, common_limits, draw_tile, hide_frame

MAX_TILES_PER_ROW = 6
"""Greatest number of tiles side by side."""

TILE_INCHES = 1.1
"""Width of an animated tile."""

TITLE_INCHES, TITLE_AND_CAPTION_INCHES = 0.4, 0.6
"""Height added to a row of tiles for titles, and for titles and captions."""

MIN_FRAME_MILLISECONDS = 20
"""Shortest duration of a frame; browsers slow down animations with shorter frames."""

COMPRESSIONS = ((64, 1), (16, 1), *((16, 2**halvings) for halvings in range(1, 9)))
"""Pairs of a number of colours and a divisor of the frames' width and height.

`animate` tries them in this order until the file is small enough.
"""


@with_style
def render_frames(
    tiles: Mapping[str, Array], captions: Mapping[str, Sequence[str]] | None = None
) -> Array:
    """Frames of an animation of named tiles side by side.

    A tile is a small drawing of one sample. Frame f shows sample f of every tile. A row has at most
    six tiles. All series have the same vertical scale.

    Args:
        tiles: Samples (F, C, H, W) or (F, C, T) by the title of their tile.
        captions: Captions under a tile, one per frame (F,), by the title of the tile; tiles may
            lack captions.

    Returns:
        Frames (F, height, width, 3) as uint8, at 100 pixels per inch, for `animate`.

    >>> import numpy as np
    >>> tiles = {"template": np.zeros((2, 1, 8, 8)), "deformed": np.ones((2, 1, 8, 8))}
    >>> frames = render_frames(tiles)
    >>> frames.dtype.name, len(frames), frames.shape[3]
    ('uint8', 2, 3)
    """
    samples = [sample for x in tiles.values() for sample in x]
    limits = common_limits(samples)
    figure, axes = _tile_axes(tuple(tiles), aspect_ratio(samples[0]), bool(captions))
    return np.stack(
        [
            _render_frame(figure, axes, tiles, captions or {}, frame, limits)
            for frame in range(len(next(iter(tiles.values()))))
        ]
    )


def _tile_axes(titles: Sequence[str], height: float, has_captions: bool) -> tuple[Any, list[Any]]:
    """A figure, and its axes in the order of the titles.

    Args:
        titles: Title of each tile.
        height: Height of a tile over its width.
        has_captions: Whether tiles have captions, which need room.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n_rows = -(-len(titles) // MAX_TILES_PER_ROW)
    n_columns = min(len(titles), MAX_TILES_PER_ROW)
    text_inches = TITLE_AND_CAPTION_INCHES if has_captions else TITLE_INCHES
    size = (TILE_INCHES * n_columns, (height + text_inches) * n_rows)
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(n_rows, n_columns, squeeze=False).flat)
    for axis, title in zip_longest(axes, titles):
        hide_frame(axis, 1, height)
        if title is not None:
            axis.set_title(title, fontsize=8)
    return figure, axes


def _render_frame(
    figure: Any,
    axes: Sequence[Any],
    tiles: Mapping[str, Array],
    captions: Mapping[str, Sequence[str]],
    frame: int,
    limits: tuple[float, float],
) -> Array:
    """One frame (height, width, 3) as uint8; arguments as in `render_frames` and `draw_tile`."""
    for axis, (title, x) in zip(axes, tiles.items(), strict=False):
        for drawing in (*axis.images, *axis.lines):
            drawing.remove()
        draw_tile(axis, x[frame], limits)
        axis.set_xlabel(captions[title][frame] if title in captions else "", fontsize=8)
    figure.canvas.draw()
    # all frames keep the layout of the first, so that tiles do not jump
    figure.set_layout_engine("none")
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()


def animate(frames: Array, seconds: float = 3.0, max_bytes: int = 300_000) -> bytes:
    """Bytes of a GIF file that plays frames forwards and then backwards.

    The animation repeats endlessly. If the file is larger than `max_bytes`, the number of colours
    is reduced from 64 to 16. If it is still too large, the width and the height of the frames are
    halved, as often as necessary.

    Args:
        frames: Grey frames (F, height, width) or colour frames (F, height, width, 3): uint8, or
            floats, which are clipped to [0, 1].
        seconds: Duration from the first frame to the last. A frame lasts at least 20 ms.
        max_bytes: Greatest size of the file. It is exceeded only if frames of 1/256 of their width
            are still too large.

    Raises:
        DataError: There are no frames, or they have another shape.

    >>> import numpy as np
    >>> animate(np.linspace(0, 1, 5)[:, None, None] * np.ones((5, 24, 32)))[:6]
    b'GIF89a'
    """
    images = _to_images(frames)
    # the way back, without the last and the first frame, which would be shown twice
    images += images[-2:0:-1]
    milliseconds = max(MIN_FRAME_MILLISECONDS, round(1000 * seconds / len(frames)))
    for n_colours, reduction in COMPRESSIONS:
        small_images = [image.reduce(reduction) for image in images]
        data = _encode_gif(small_images, milliseconds, n_colours)
        if len(data) <= max_bytes:
            break
    return data


def _to_images(frames: Array) -> list[Image.Image]:
    """RGB images of frames; arguments and errors as in `animate`."""
    if frames.ndim < 3 or not frames.size or frames.shape[3:] not in ((), (3,)):
        raise DataError(
            f"frames have shape {frames.shape}; "
            "pass one frame or more as (F, height, width) or (F, height, width, 3)"
        )
    if frames.dtype != np.uint8:
        frames = (255 * np.clip(frames, 0, 1)).round().astype(np.uint8)
    return [Image.fromarray(frame).convert("RGB") for frame in frames]


def _encode_gif(images: Sequence[Image.Image], milliseconds: int, n_colours: int) -> bytes:
    """A looping GIF of images that all have the same palette.

    With one palette, a pixel that does not change has the same colour in all frames, which takes
    few bytes.

    Args:
        images: RGB images of one size: all frames forwards, then backwards.
        milliseconds: Duration of a frame.
        n_colours: Colours of the palette, at most 256.
    """
    forwards = images[: len(images) // 2 + 1]
    collage = Image.fromarray(np.concatenate([np.asarray(image) for image in forwards]))
    palette = collage.quantize(n_colours, dither=Image.Dither.NONE)
    # colours of the palette are means of similar colours; make nearly black and white ones pure
    palette.putpalette([0 if v < 8 else 255 if v > 247 else v for v in palette.getpalette() or ()])
    first, *following = (
        image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images
    )
    out = io.BytesIO()
    options: dict[str, Any] = {"duration": milliseconds, "loop": 0, "optimize": True}
    first.save(out, "GIF", save_all=True, append_images=following, **options)
    return out.getvalue()
