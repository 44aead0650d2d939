"""Random numbers for a batch that several processes share.

Each process of a run trains on its rows of the batch. It draws the numbers of the whole batch and
keeps those of its rows, so that a run does not depend on the number of its processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class SharedGenerator(torch.Generator):
    """A random generator for some rows of a batch.

    They are the rows `index`, `index + n`, `index + 2 n`, and so on.

    Attributes:
        index: Number of the process, from 0.
        n: Number of processes.

    >>> whole = draw_normal((4, 2), torch.Generator().manual_seed(1))
    >>> second = SharedGenerator.of(torch.Generator().manual_seed(1), index=1, n=2)
    >>> torch.equal(draw_normal((2, 2), second), whole[1::2])
    True
    """

    index: int
    n: int

    @classmethod
    def of(cls, generator: torch.Generator, index: int, n: int) -> SharedGenerator:
        """The generator of one process.

        Args:
            generator: Generator of the whole batch; it stays as it is.
            index: Number of the process, from 0.
            n: Number of processes.
        """
        shared = cls()
        shared.set_state(generator.get_state())
        shared.index, shared.n = index, n
        return shared


def draw_normal(shape: Sequence[int], generator: torch.Generator | None = None) -> Tensor:
    """Numbers from the standard Gaussian distribution, one row per sample.

    Args:
        shape: Shape (N, ...) of the result.
        generator: Source of random numbers; None for torch's global generator.

    Returns:
        Numbers (N, ...) on the device of the generator.
    """
    return _draw(torch.randn, shape, generator)


def draw_uniform(shape: Sequence[int], generator: torch.Generator | None = None) -> Tensor:
    """Numbers from the uniform distribution on [0, 1), one row per sample.

    Args:
        shape: Shape (N, ...) of the result.
        generator: Source of random numbers; None for torch's global generator.

    Returns:
        Numbers (N, ...) on the device of the generator.

    >>> draw_uniform((2, 3), torch.Generator().manual_seed(0)).shape
    torch.Size([2, 3])
    """
    return _draw(torch.rand, shape, generator)


def _draw(
    sample: Callable[..., Tensor], shape: Sequence[int], generator: torch.Generator | None
) -> Tensor:
    """Numbers (N, ...) of a distribution; of a shared generator those of its rows."""
    device = "cpu" if generator is None else generator.device
    if not isinstance(generator, SharedGenerator):
        return sample(*shape, generator=generator, device=device)
    whole = sample(shape[0] * generator.n, *shape[1:], generator=generator, device=device)
    return whole[generator.index :: generator.n]
