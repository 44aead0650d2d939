"""Axes of TIFF stacks: those that count pictures, and channels.

Y and X are the axes of a page, C and S channels. All others (T, Z, I, Q ...) count pictures.
"""

from __future__ import annotations

import math

from unwarp.core import LayoutName
from unwarp.data.layout import MAX_IMAGE_CHANNELS
from unwarp.errors import DataError


def count_axes(
    axes: str, shape: tuple[int, ...], layout: LayoutName, name: str, is_alone: bool
) -> tuple[str, str]:
    """The axes of a stack that count pictures.

    Args:
        axes: Letters of the axes, without those of one entry.
        shape: Number of entries along each axis.
        layout: `channels_first` if the axis before Y and X holds channels, `channels_last` if all
            axes but those of colours count pictures; `auto` refuses two readings.
        name: Name of the file, for errors.
        is_alone: Whether the user gave this file alone.

    Returns:
        The letters that count pictures, and all letters.

    Raises:
        DataError: There are two readings and no layout.

    >>> count_axes("TCYX", (5, 2, 9, 9), "auto", "a.tif", True)
    ('T', 'TCYX')
    """
    size = dict(zip(axes, shape, strict=True))
    plain = "".join(letter for letter in axes if letter not in "YXSC")
    slow = "".join(letter for letter in axes if letter not in "YXS")
    if not slow:
        return "", axes
    if layout == "channels_last":
        return slow, axes
    first = slow.replace("C", "") if "C" in slow else slow[:-1]
    if layout == "channels_first":
        return first, axes
    if "C" in slow:
        is_clear = size["C"] <= MAX_IMAGE_CHANNELS and bool(plain or not is_alone)
        is_clear &= len(plain) < 2
    else:
        is_clear = len(plain) == 1 and (is_alone or size[slow] > MAX_IMAGE_CHANNELS)
    if is_clear:
        return first if "C" in slow else slow, axes
    raise DataError(_two_readings(name, axes, size, first, slow))


def _two_readings(name: str, axes: str, size: dict[str, int], first: str, slow: str) -> str:
    """The message that shows both readings of a stack."""
    colours = size.get("S", 1)
    n_first = math.prod(size[letter] for letter in first)
    n_slow = math.prod(size[letter] for letter in slow)
    words = ", ".join(f"{letter}={count}" for letter, count in size.items())
    return (
        f"{name} has the axes {words}, which read two ways: {n_first} picture(s) of "
        f"{n_slow // n_first * colours} channels (layout='channels_first'), or {n_slow} pictures "
        f"of {colours} channel(s) (layout='channels_last'); set layout to one of them"
    )


def page_axes(axes: str, counted: str) -> str:
    """Letters of the axes of one picture, channels as C or S.

    Args:
        axes: Letters of the axes.
        counted: Those that count pictures.
    """
    letters = "".join(letter for letter in axes if letter not in counted)
    if "S" in letters:
        return "SYX" if letters.index("S") < letters.index("Y") else "YXS"
    return "YX" if len(letters) == 2 else "CYX"


def long_axes(axes: str, shape: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """Axes with more than one entry, and Y and X.

    Args:
        axes: Letters of the axes.
        shape: Number of entries along each axis.

    Returns:
        Letters, each only once, and numbers of entries.

    >>> long_axes("QQYX", (5, 2, 9, 9))
    ('QIYX', (5, 2, 9, 9))
    """
    names: list[str] = []
    for letter in axes:
        spare = (other for other in letter + "QIRPLHEABDFGJKMNOUVW" if other not in names)
        names.append(next(spare))
    long = [k for k, letter in enumerate(names) if shape[k] > 1 or letter in "YX"]
    return "".join(names[k] for k in long), tuple(shape[k] for k in long)


def channel_axes(axes: str, counted: str) -> str:
    """Letters of the axes of channels.

    Args:
        axes: Letters of the axes.
        counted: Those that count pictures.
    """
    return "".join(letter for letter in axes if letter not in (*counted, "Y", "X"))


def picture_shape(axes: str, shape: tuple[int, ...], counted: str) -> tuple[int, int, int]:
    """Channels, height and width of a picture.

    Args:
        axes: Letters of the axes.
        shape: Number of entries along each axis.
        counted: The axes that count pictures.
    """
    size = dict(zip(axes, shape, strict=True))
    n = math.prod(size[letter] for letter in channel_axes(axes, counted))
    return n, size["Y"], size["X"]
