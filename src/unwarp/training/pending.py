"""Numbers of steps that stay on the device until somebody needs them.

To read a number from a GPU, the CPU waits until all earlier work is done, and the GPU is idle
meanwhile. So the loss terms and gradient norms of a step are kept where they are. They are read
together at logged steps, before anything is saved, and whenever a callback asks for one of them. On
a CPU they are read at once.

Numbers that are not finite are noticed when they are read. The error names the step at which they
came up, not the step at which they were read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from unwarp.errors import DivergenceError
from unwarp.models.players import Player


@dataclass(frozen=True)
class LostNumber:
    """A number of a step that is not finite.

    Attributes:
        step: Number of the step.
        samples: Number of samples in all batches before the step.
        error: The error that names player and number.

    >>> LostNumber(3, 48, DivergenceError("stopped at step 3")).step
    3
    """

    step: int
    samples: int
    error: DivergenceError


@dataclass(frozen=True)
class _Group:
    """Numbers of one player at one step.

    Attributes:
        player: The player.
        quantities: Words for each number, by its name in the history.
        values: The numbers (K,) on the device.
        is_checked: Whether they must be finite.
    """

    player: Player
    quantities: Mapping[str, str]
    values: Tensor
    is_checked: bool


@dataclass
class StepNumbers(Mapping[str, float]):
    """Numbers of one step by name, read when they are needed.

    To know the names reads nothing.

    Attributes:
        step: Number of the step.
        samples: Number of samples in all batches before the step.
        rows: First rows of the samples in the batch, for errors.
        read_all: Function that reads the numbers of all steps so far; None to read these alone.

    >>> from torch import nn
    >>> numbers, net = StepNumbers(3, 48, (0, 1)), Player("net", nn.Identity(), lambda *_: {})
    >>> numbers.add(net, {"error": "the loss term 'error'"}, torch.tensor([0.5]))
    >>> list(numbers), numbers["error"]
    (['error'], 0.5)
    """

    step: int
    samples: int = 0
    rows: tuple[int, ...] = ()
    read_all: Callable[[], None] | None = None
    _groups: list[_Group] = field(default_factory=list)
    _numbers: dict[str, float] = field(default_factory=dict)

    def add(
        self,
        player: Player,
        quantities: Mapping[str, str],
        values: Tensor,
        is_checked: bool = True,
    ) -> None:
        """Add numbers of a player.

        Args:
            player: The player.
            quantities: Words for each number, by its name in the history.
            values: The numbers (K,) on the device.
            is_checked: Whether the step is lost if one of them is not finite.
        """
        self._groups.append(_Group(player, quantities, values.detach(), is_checked))
        self._numbers |= dict.fromkeys(quantities, math.nan)

    def add_read(self, numbers: Mapping[str, float]) -> None:
        """Add numbers that are read already.

        Args:
            numbers: Numbers by name.
        """
        self._numbers |= numbers

    def __getitem__(self, name: str) -> float:
        if self._groups and name in self._numbers:
            (self.read_all or self._read)()
        return self._numbers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def _read(self) -> None:
        read_numbers([self])

    def check_on_cpu(self) -> None:
        """Refuse a divergence at once, but not on a GPU.

        To read a number on the CPU takes no time, and the backward pass of a grid that is not
        finite may end the process there.

        Raises:
            DivergenceError: A number is not finite.
        """
        is_readable = all(tensor.device.type == "cpu" for tensor in self.tensors)
        if is_readable and (lost := read_numbers([self])):
            raise lost.error

    @property
    def tensors(self) -> list[Tensor]:
        """The numbers that are on the device."""
        return [group.values for group in self._groups]

    def fill(self, numbers: Iterator[float]) -> LostNumber | None:
        """Take over numbers that were read.

        Args:
            numbers: The numbers of `tensors`, in their order.

        Returns:
            The first number that is not finite and must be; None if there is none.
        """
        groups, self._groups = self._groups, []
        lost = None
        for group in groups:
            for name, quantity in group.quantities.items():
                value = self._numbers[name] = next(numbers)
                if group.is_checked and lost is None and not math.isfinite(value):
                    lost = self._lost(group.player, quantity, value)
        return lost

    def _lost(self, player: Player, quantity: str, value: float) -> LostNumber:
        """A number that is not finite, with its error."""
        reason, rows = f"player {player.name!r}: {quantity} is {value}", list(self.rows)
        error = DivergenceError(
            f"training stopped at step {self.step}, {reason}; lower the player's learning rate "
            f"(lr={player.optimiser.lr:g}), or go back and try lower rates with "
            f"on_divergence='rollback', or check the samples of this batch, in rows {rows} and "
            "others, for extreme values",
            reason,
            self.rows,
        )
        return LostNumber(self.step, self.samples, error)


def read_numbers(steps: Sequence[StepNumbers]) -> LostNumber | None:
    """Read the numbers of steps from the device, all at once.

    Args:
        steps: Numbers of steps, in the order of the steps.

    Returns:
        The first number that is not finite and must be; None if there is none.
    """
    tensors = [tensor.flatten() for numbers in steps for tensor in numbers.tensors]
    if not tensors:
        return None
    values = iter(torch.cat([tensor.to(tensors[0].device) for tensor in tensors]).tolist())
    lost = [numbers.fill(values) for numbers in steps]
    return next(filter(None, lost), None)
