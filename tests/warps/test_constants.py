"""Constants and lattices are made once, and stay usable everywhere."""

from __future__ import annotations

import pytest
import torch

from unwarp.warps import Window
from unwarp.warps.constants import constant
from unwarp.warps.window import MAX_KEPT_POINTS


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_constant_has_the_dtype(dtype: torch.dtype) -> None:
    """A constant is kept per dtype, with its values."""
    numbers = constant((1.0, 0.1), torch.zeros(2, dtype=dtype))
    assert torch.equal(numbers, torch.tensor((1.0, 0.1), dtype=dtype))
    assert constant((1.0, 0.1), torch.ones(3, dtype=dtype)) is numbers


def test_constant_of_inference_can_train() -> None:
    """What inference mode made first is usable with gradients afterwards."""
    values, window = (0.125, 0.25), Window((3, 5), (0.75, 1.0))
    with torch.inference_mode():
        constant(values, torch.zeros(0)), window.lattice(torch.zeros(0))
    weight = torch.ones(2, requires_grad=True)
    (weight * constant(values, weight)).sum().backward()
    assert weight.grad is not None and weight.grad.tolist() == [0.125, 0.25]
    assert not window.lattice(weight).is_inference()


def test_constant_is_new_in_a_trace() -> None:
    """A traced model gets constants of its own, so that no trace leaks into the next."""

    class Scaled(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            points = Window((2, 2), (0.5, 0.25)).lattice(x)
            return x * constant((0.3, 0.7), x) + points.sum(0)

    exported = torch.export.export(Scaled(), (torch.ones(1, 2),)).module()
    x = torch.tensor([[2.0, 3.0]])
    torch.testing.assert_close(exported(x), Scaled()(x))
    assert type(constant((0.3, 0.7), x)) is torch.Tensor


def test_lattice_is_kept_if_small() -> None:
    """A large lattice would hold memory, so it is made anew; its points are the same."""
    x, small, large = torch.zeros(0), Window.frame((4, 6)), Window.frame((MAX_KEPT_POINTS + 1,))
    assert small.lattice(x) is Window.frame((4, 6)).lattice(x)
    assert large.lattice(x) is not large.lattice(x)
    assert torch.equal(large.lattice(x), large.lattice(x))
