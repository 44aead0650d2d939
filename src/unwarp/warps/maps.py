"""Deformations as mathematics: maps of points, their products and inverses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.errors import NotInvertibleError
from unwarp.warps.window import Padding, Window, resample


class Map(ABC):
    """A batch of N deformations as mathematics, whatever predicted them. Algebra happens here, never on theta."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, rows: Tensor | slice) -> Map:
        """The deformations of some rows."""

    @abstractmethod
    def pull(self, points: Tensor) -> Tensor:
        """Where observed `points` (P, axes) or (N, P, axes) read in the template, (N, P, axes)."""

    @abstractmethod
    def push(self, points: Tensor) -> Tensor:
        """Where template `points` (P, axes) or (N, P, axes) are seen, (N, P, axes).

        Raises:
            NotInvertibleError: The family only knows `pull`.
        """

    @abstractmethod
    def invert(self) -> Map:
        """The deformation that undoes this one.

        Raises:
            NotInvertibleError: The family has no inverse.
        """

    @property
    def reference(self) -> Tensor:
        """A tensor with the dtype and the device of this map."""
        return torch.zeros(0)

    @property
    def parts(self) -> tuple[Map, ...]:
        """The elementary maps in the order in which they act on the template."""
        return (self,)

    @property
    def point_map(self) -> Map:
        """What moves points, without what changes values alone."""
        return self

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        """The normal form of `inner` followed by this map, or None where the two stay as they are."""
        return None

    def compose(self, inner: Map) -> Map:
        """The deformation that applies `inner` to the template first and this one afterwards."""
        parts = inner.parts + self.parts
        return expand_rows(chain(parts), max(len(self), len(inner))) if parts else self

    def invertible_part(self) -> Map:
        """The longest invertible run at the observation's end: what `align` can undo."""
        run: Map = IdentityMap(len(self))
        for part in reversed(self.parts):
            if not part.invertible:
                break
            run = run.compose(part)
        return run

    @property
    def invertible(self) -> bool:
        """Whether `invert` gives a map."""
        try:
            self.invert()
        except NotInvertibleError:
            return False
        return True

    def __call__(
        self,
        x: Tensor,
        source: Window | None = None,
        target: Window | None = None,
        padding: Padding = "zeros",
    ) -> Tensor:
        """Deform templates `x` (N, C, ...) that fill `source` (whole frame) into pictures that fill `target` (same)."""
        source = source or Window.frame(x.shape[2:])
        target = target or source
        return resample(x, self.pull(target.lattice(x)), source, target, padding)


def expand_rows(map: Map, n: int) -> Map:
    """A map of one row as one of `n` equal rows; others as they are."""
    return map if len(map) == n else map[torch.zeros(n, dtype=torch.long)]


@dataclass(frozen=True)
class IdentityMap(Map):
    """N deformations that move nothing."""

    n: int

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, rows: Tensor | slice) -> IdentityMap:
        return IdentityMap(len(torch.arange(self.n)[rows]))

    def pull(self, points: Tensor) -> Tensor:
        return points.expand(self.n, *points.shape[-2:])

    def push(self, points: Tensor) -> Tensor:
        return self.pull(points)

    def invert(self) -> IdentityMap:
        return self

    @property
    def parts(self) -> tuple[Map, ...]:
        return ()

    def compose(self, inner: Map) -> Map:
        return expand_rows(inner, max(self.n, len(inner)))

    def invertible_part(self) -> Map:
        return self

    def __call__(
        self,
        x: Tensor,
        source: Window | None = None,
        target: Window | None = None,
        padding: Padding = "zeros",
    ) -> Tensor:
        source = source or Window.frame(x.shape[2:])
        return x if target in (None, source) else super().__call__(x, source, target, padding)


def chain(parts: Iterable[Map]) -> Map:
    """The maps `parts`, first acts first, in normal form: neighbours that have a closed product are multiplied."""
    line: list[Map] = []
    for part in parts:
        pending: list[Map] = [part]
        while pending:
            head = pending.pop(0)
            joined = head.merge(line[-1]) if line else None
            if joined is None:
                line.append(head)
            else:
                line.pop()
                pending = list(joined) + pending
    n = max(len(part) for part in line)
    line = [expand_rows(part, n) for part in line]
    return line[0] if len(line) == 1 else ChainMap(tuple(line))


@dataclass(frozen=True)
class ChainMap(Map):
    """Maps applied one after the other; made by `chain`, which keeps them in normal form."""

    members: tuple[Map, ...]

    def __len__(self) -> int:
        return len(self.members[0])

    def __getitem__(self, rows: Tensor | slice) -> ChainMap:
        return ChainMap(tuple(part[rows] for part in self.members))

    @property
    def parts(self) -> tuple[Map, ...]:
        return self.members

    @property
    def reference(self) -> Tensor:
        return self.members[0].reference

    @property
    def point_map(self) -> Map:
        run: Map = IdentityMap(len(self))
        for part in self.members:
            run = part.point_map.compose(run)
        return run

    def pull(self, points: Tensor) -> Tensor:
        for part in reversed(self.members):
            points = part.pull(points)
        return points

    def push(self, points: Tensor) -> Tensor:
        for part in self.members:
            points = part.push(points)
        return points

    def invert(self) -> Map:
        return chain(part.invert() for part in reversed(self.members))

    def __call__(
        self,
        x: Tensor,
        source: Window | None = None,
        target: Window | None = None,
        padding: Padding = "zeros",
    ) -> Tensor:
        """Each part resamples in turn (the inner ones on `source`): half the cost of reading fields at moved points."""
        source = source or Window.frame(x.shape[2:])
        for part in self.members[:-1]:
            x = part(x, source, source, padding)
        return self.members[-1](x, source, target, padding)
