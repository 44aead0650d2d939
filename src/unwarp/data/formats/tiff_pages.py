"""Check of the chain of pages in a TIFF file."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from unwarp.errors import DataError

LAYOUTS = {42: (4, "I", 2, "H", 12), 43: (8, "Q", 8, "Q", 20)}
"""By the version number of TIFF and BigTIFF: bytes and type of an offset and of a count, bytes of a
tag (Adobe 1992, TIFF Revision 6.0)."""


def check_pages(stream: BinaryIO, name: str) -> None:
    """Refuse a TIFF file with a chain of pages that never ends.

    A library that follows such a chain never ends. Other damage is left to the library.

    Args:
        stream: The opened file; its position changes.
        name: Its name, for the error.

    Raises:
        DataError: A page is followed by itself or by one before it.
    """
    stream.seek(0)
    head = stream.read(16)
    order = ">" if head[:2] == b"MM" else "<"
    version = struct.unpack(f"{order}H", head[2:4])[0] if len(head) == 16 else 0
    if version not in LAYOUTS:
        return
    offset_bytes, offset_type, count_bytes, count_type, tag_bytes = LAYOUTS[version]
    place, places = offset_bytes, set[int]()  # the place of the first offset
    while offset := _number(stream, place, order + offset_type):
        if offset in places:
            raise DataError(
                f"{name} is damaged: its page at byte {offset:,} follows itself; repair or remove "
                "it"
            )
        places.add(offset)
        place = offset + count_bytes + tag_bytes * _number(stream, offset, order + count_type)


def _number(stream: BinaryIO, place: int, type_: str) -> int:
    """The number at a place of a file; 0 beyond its end."""
    try:
        stream.seek(place, os.SEEK_SET)
        content = stream.read(struct.calcsize(type_))
    except (OSError, OverflowError, ValueError):
        return 0
    is_whole = len(content) == struct.calcsize(type_)
    return int(struct.unpack(type_, content)[0]) if is_whole else 0
