"""Sizes (H, W) of pictures that networks must accept."""

from __future__ import annotations

SIZES = [(28, 28), (32, 48), (45, 61), (40, 40), (64, 64), (128, 96), (7, 7), (9, 100)]
