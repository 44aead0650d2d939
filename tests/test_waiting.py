"""Values are not read, and copies not waited for, in a training step on a GPU."""

from __future__ import annotations

import torch

from unwarp.waiting import can_read, may_have_gaps, send, send_like, training_step


def test_values_are_not_read_in_a_step() -> None:
    """In a training step values on the CPU may be read, those on a device not."""
    there, here = torch.zeros(1, device="meta"), torch.zeros(1)
    assert can_read(there) and may_have_gaps()
    with training_step(has_gaps=False):
        assert can_read(here) and not can_read(there) and not may_have_gaps()
        with training_step(has_gaps=True):
            assert may_have_gaps()
        assert not may_have_gaps()
    assert can_read(there)


def test_sent_tensor_is_the_same() -> None:
    """A tensor that is there already is not copied; another one gets device and dtype."""
    x = torch.rand(3)
    assert send(x, x.device) is x
    sent = send_like(x, torch.zeros(1, dtype=torch.float64, device="meta"))
    assert (sent.device.type, sent.dtype, sent.shape) == ("meta", torch.float64, (3,))
    assert torch.equal(send_like(x, torch.zeros(1, dtype=torch.float64)), x.double())
