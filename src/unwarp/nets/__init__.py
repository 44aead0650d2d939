"""Networks that encode samples as numbers, decode numbers, or judge samples."""

from __future__ import annotations

from unwarp.nets.net import Net, constant_output, output_layer

__all__ = ["Net", "constant_output", "output_layer"]
