"""`average_areas`: agreement with pooling, and what it keeps."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from unwarp.warps.averaging import average_areas


def test_average_areas_is_pooling() -> None:
    """At whole ratios the result is that of average pooling."""
    x = torch.rand(2, 3, 12, 20)
    torch.testing.assert_close(average_areas(x, (6, 5)), F.avg_pool2d(x, (2, 4)))


def test_average_areas_splits_pixels() -> None:
    """At other ratios it is pooling of pictures whose pixels are cut into equal parts."""
    x = torch.rand(2, 1, 11, 17)
    parts = x.repeat_interleave(5, 2).repeat_interleave(7, 3)
    torch.testing.assert_close(average_areas(x, (5, 7)), F.avg_pool2d(parts, (11, 17)))


def test_average_areas_keeps_full_size() -> None:
    """Pictures that have the size already are returned as they are."""
    x = torch.rand(1, 1, 4, 4)
    assert average_areas(x, (4, 4)) is x
