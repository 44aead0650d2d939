"""Chains of pages in TIFF files: one that comes back to a page is refused."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from unwarp.data.formats.tiff_pages import check_pages
from unwarp.errors import DataError


def chain(order: str, next_page: int, version: int = 42) -> io.BytesIO:
    """A TIFF file of two pages without tags, the second followed by `next_page`."""
    if version == 43:
        head = struct.pack(f"{order}HHHQ", 43, 8, 0, 16)
        pages = struct.pack(f"{order}QQQQ", 0, 32, 0, next_page)
    else:
        head = struct.pack(f"{order}HI", 42, 8)
        pages = struct.pack(f"{order}HIHI", 0, 14, 0, next_page)
    return io.BytesIO((b"MM" if order == ">" else b"II") + head + pages)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("version", "places"), [(42, (8, 14)), (43, (16, 32))])
def test_circles_are_refused(order: str, version: int, places: tuple[int, int]) -> None:
    """A chain that comes back to its first or its second page is refused; one that ends is not."""
    check_pages(chain(order, 0, version), "a.tif")
    check_pages(chain(order, 5000, version), "a.tif")
    for place in places:
        with pytest.raises(DataError, match=f"a.tif is damaged: its page at byte {place} follows"):
            check_pages(chain(order, place, version), "a.tif")


def test_valid_and_other_files_pass() -> None:
    """Files that are whole pass, and those that are no TIFF files are left to others."""
    images = [Image.fromarray(np.full((3, 4), value, np.uint8)) for value in range(3)]
    stream = io.BytesIO()
    images[0].save(stream, "TIFF", save_all=True, append_images=images[1:])
    for content in (stream.getvalue(), stream.getvalue()[:60], b"", b"II*", b"\x89PNG" + bytes(50)):
        check_pages(io.BytesIO(content), "a.tif")
