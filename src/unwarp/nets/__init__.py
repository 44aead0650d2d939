"""Networks; they know no warp and no loss."""

from __future__ import annotations

from unwarp.nets.net import Net, constant_output, output_layer

__all__ = ["Net", "constant_output", "output_layer"]
