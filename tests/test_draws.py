"""Random numbers of a batch do not depend on the number of processes."""

from __future__ import annotations

import pytest
import torch

from unwarp.draws import SharedGenerator, draw_normal, draw_uniform
from unwarp.models.losses import reparametrise
from unwarp.warps import Affine2d


def generator() -> torch.Generator:
    """A new generator with a fixed seed."""
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize("draw", [draw_normal, draw_uniform])
@pytest.mark.parametrize("n", [2, 3])
def test_draws_of_processes_are_those_of_one(draw: object, n: int) -> None:
    """Rows of the processes, in turns, are the rows of one process; also at the second draw."""
    assert callable(draw)
    whole, shared = generator(), [SharedGenerator.of(generator(), i, n) for i in range(n)]
    for _ in range(2):
        expected = draw((4 * n, 5), whole)
        parts = [draw((4, 5), part) for part in shared]
        assert torch.equal(torch.stack(parts, 1).reshape(4 * n, 5), expected)


def test_draws_are_those_of_torch() -> None:
    """Without processes the numbers are torch's own."""
    assert torch.equal(draw_normal((2, 3), generator()), torch.randn(2, 3, generator=generator()))
    assert torch.equal(draw_uniform((2, 3), generator()), torch.rand(2, 3, generator=generator()))


def test_noise_of_losses_is_shared() -> None:
    """Random maps and posterior samples of a process are rows of those of one process."""
    second, warp = SharedGenerator.of(generator(), 1, 2), Affine2d()
    whole = warp.sample(6, generator()).pull(torch.eye(2))
    torch.testing.assert_close(warp.sample(3, second).pull(torch.eye(2)), whole[1::2])
    mean, log_sd = torch.zeros(6, 2), torch.zeros(6, 2)
    second = SharedGenerator.of(generator(), 1, 2)
    part = reparametrise(mean[1::2], log_sd[1::2], second)
    assert torch.equal(part, reparametrise(mean, log_sd, generator())[1::2])
