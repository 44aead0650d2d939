"""Facts about pictures that only their user can know.

A reader that meets two readings of a file takes the one that the hints name, or refuses the file.
"""

from __future__ import annotations

from dataclasses import dataclass

from unwarp.core import LayoutName


@dataclass(frozen=True)
class Hints:
    """How to read pictures whose files leave it open.

    `Reading` holds the same fields, as the arguments of `Unwarper`; `as_source` takes hints.

    Attributes:
        layout: Order of the axes of pictures, (N, C, H, W) or (N, H, W, C); `auto` decides by the
            shape and refuses what reads two ways.
        sizes: How to bring pictures of several sizes to one: `pad`, `crop`, or a height and width,
            as `(64, 64)` or `64x64`; None refuses several sizes.
        image_shape: Shape (H, W) or (C, H, W) of a flattened picture; None if unknown.
        member: Name of the array in a file that holds several; empty for the only one.
        frame: Height and width that a model takes, for `pad` and `crop`; None to find them from the
            pictures.

    >>> Hints(sizes="pad").sizes
    'pad'
    """

    layout: LayoutName = "auto"
    sizes: str | tuple[int, int] | None = None
    image_shape: tuple[int, ...] | None = None
    frame: tuple[int, int] | None = None
    member: str = ""


NO_HINTS = Hints()
"""Nothing but the file decides how it is read."""
