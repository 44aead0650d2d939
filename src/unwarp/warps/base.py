"""Deformations without weights: what a `Warp` and a `Map` promise, and the one convention.

Convention:
    * `theta` and maps say how the **template** moved to give the **observation**. `push` sends a template point to
      where it is seen; `pull` sends an observed point to the template point it shows. A picture is made by `pull`:
      `observation(p) = template(pull(p))`. A dot of the template shifted by +0.5 in x is seen at +0.5.
    * Points are normalised frame coordinates: -1 and 1 are the outer *edges* of the first and last pixel
      (`align_corners=False`), x points right, y points down; a point is (x, y). A point of a series is its time: the
      first *sample* stands at 0, the last one at 1 (sample i of T at i / (T - 1)).
    * `outer.compose(inner)`: `inner` acts on the template first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.types import ConfigError, Factor, Kind, NotInvertibleError

Padding = Literal["zeros", "border", "reflection"]
PADDINGS: tuple[Padding, ...] = ("zeros", "border", "reflection")


@dataclass(frozen=True)
class Window:
    """A centred window of the frame: its samples per axis (H, W) or (T,), and its share of the frame per axis (y, x)."""

    size: tuple[int, ...]
    extent: tuple[float, ...]

    @classmethod
    def frame(cls, size: Sequence[int]) -> Window:
        """The whole frame at `size` samples per axis."""
        return cls(tuple(size), (1.0,) * len(size))

    def crop(self, share: float) -> Window:
        """The central window with about `share` of the samples along each axis, on the same pixel grid."""
        series = len(self.size) == 1
        fewest = [min(n, 2 + n % 2) if series else 2 - n % 2 for n in self.size]
        size = tuple(max(few, n - 2 * round((1 - share) * n / 2)) for few, n in zip(fewest, self.size, strict=True))
        gap = int(series and self.size[0] > 1)
        reach = zip(self.extent, size, self.size, strict=True)
        return Window(size, tuple(e * (m - gap) / (n - gap) for e, m, n in reach))

    def lattice(self, like: Tensor) -> Tensor:
        """Sample centres in frame coordinates, (P, axes), x first, with dtype and device of `like`; times of a series."""
        if len(self.size) == 1:
            steps = torch.arange(self.size[0], dtype=like.dtype, device=like.device) / max(self.size[0] - 1, 1)
            return ((steps - 0.5) * self.extent[0] + 0.5)[:, None]
        axes = [
            ((2 * torch.arange(n, dtype=like.dtype, device=like.device) + 1) / n - 1) * e
            for n, e in zip(self.size, self.extent, strict=True)
        ]
        return torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], -1).reshape(-1, len(axes))


def resample(x: Tensor, points: Tensor, source: Window, target: Window, padding: Padding = "zeros") -> Tensor:
    """Read `x` (N, C, *source.size) at `points` (N, P, axes), giving (N, C, *target.size); (bi)linear."""
    series = len(source.size) == 1
    grid = 2 * points - 1 if series else points
    if not all(e == 1 for e in source.extent):
        grid = grid / torch.tensor(source.extent[::-1], dtype=points.dtype, device=points.device)
    if series:
        grid = F.pad(grid, (0, 1))
        x = x.unsqueeze(2)
    size = (1, *target.size)[-2:]
    grid = grid.expand(len(x), -1, -1).reshape(len(x), *size, 2)
    out = F.grid_sample(x, grid, mode="bilinear", padding_mode=padding, align_corners=series)
    return out.reshape(*out.shape[:2], *target.size)


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
    def like(self) -> Tensor:
        """A tensor with the dtype and the device of this map."""
        return torch.zeros(0)

    @property
    def parts(self) -> tuple[Map, ...]:
        """The elementary maps in the order in which they act on the template."""
        return (self,)

    @property
    def moving(self) -> Map:
        """What moves points, without what changes values alone."""
        return self

    def after(self, inner: Map) -> tuple[Map, ...] | None:
        """The normal form of `inner` followed by this map, or None where the two stay as they are."""
        return None

    def compose(self, inner: Map) -> Map:
        """The deformation that applies `inner` to the template first and this one afterwards."""
        parts = inner.parts + self.parts
        return spread(chain(parts), max(len(self), len(inner))) if parts else self

    def undoable(self) -> Map:
        """The longest invertible run at the observation's end: what `canonicalize` can undo."""
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
        self, x: Tensor, source: Window | None = None, target: Window | None = None, padding: Padding = "zeros"
    ) -> Tensor:
        """Deform templates `x` (N, C, ...) that fill `source` (whole frame) into pictures that fill `target` (same)."""
        source = source or Window.frame(x.shape[2:])
        target = target or source
        return resample(x, self.pull(target.lattice(x)), source, target, padding)


def spread(map: Map, n: int) -> Map:
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
        return spread(inner, max(self.n, len(inner)))

    def undoable(self) -> Map:
        return self

    def __call__(
        self, x: Tensor, source: Window | None = None, target: Window | None = None, padding: Padding = "zeros"
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
            joined = head.after(line[-1]) if line else None
            if joined is None:
                line.append(head)
            else:
                line.pop()
                pending = list(joined) + pending
    n = max(len(part) for part in line)
    line = [spread(part, n) for part in line]
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
    def like(self) -> Tensor:
        return self.members[0].like

    @property
    def moving(self) -> Map:
        run: Map = IdentityMap(len(self))
        for part in self.members:
            run = part.moving.compose(run)
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
        self, x: Tensor, source: Window | None = None, target: Window | None = None, padding: Padding = "zeros"
    ) -> Tensor:
        """Each part resamples in turn (the inner ones on `source`): half the cost of reading fields at moved points."""
        source = source or Window.frame(x.shape[2:])
        for part in self.members[:-1]:
            x = part(x, source, source, padding)
        return self.members[-1](x, source, target, padding)


@dataclass(frozen=True)
class Warp(ABC):
    """A family of deformations: a choice without weights. The columns of theta (N, P) are its `factors`.

    Attributes:
        size: Samples per axis of the frame (H, W) that the warp is bound to by `on`; pixel columns and the aspect of
            a picture come from it. Unbound, the frame is square with one pixel a half-width.
    """

    name: ClassVar[str]
    known: ClassVar[dict[str, type[Warp]]] = {}
    size: tuple[int, ...] = field(default=(2, 2), kw_only=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in vars(cls):
            Warp.known[cls.name] = cls

    @property
    def kind(self) -> Kind:
        """What the family deforms: pictures, series, or either (`auto`)."""
        return "image"

    @property
    def moves(self) -> bool:
        """Whether the family moves points, rather than changing values alone."""
        return True

    @property
    @abstractmethod
    def factors(self) -> tuple[Factor, ...]:
        """One `Factor` for each column of theta; their ranges bound what one stage predicts."""

    @abstractmethod
    def constrain(self, raw: Tensor) -> Tensor:
        """Bring any real numbers (N, P) into the box of `factors`; zero gives the identity."""

    @abstractmethod
    def map(self, theta: Tensor) -> Map:
        """The deformations with parameters `theta` (N, P)."""

    @abstractmethod
    def theta(self, map: Map) -> Tensor:
        """The chart: parameters (N, P) of `map`; exact for closed families, a projection otherwise."""

    @abstractmethod
    def summary(self, map: Map) -> dict[Factor, Tensor]:
        """Columns (N,) in human units, each with its own `Factor`."""

    def from_columns(self, columns: Mapping[str, Tensor]) -> Tensor:
        """Theta (N, P) from the human columns of `summary` by name; the way back from a table.

        Raises:
            ConfigError: A column is missing, or the family's summary does not determine theta.
        """
        raise ConfigError(f"the columns {', '.join(columns)} do not determine theta of {self.name!r}; use full=True")

    @property
    def parts(self) -> tuple[Warp, ...]:
        """The elementary warps in the order in which they act on the template."""
        return (self,)

    def on(self, size: Sequence[int], extent: float = 1.0) -> Warp:
        """The same family bound to a frame of `size` samples whose templates fill the central `extent`."""
        from dataclasses import replace

        return replace(self, size=tuple(size))

    def seen_from(self, anchor: Map) -> Warp:
        """The same family after centring, with `anchor` taken out of every map; most families absorb it."""
        return self

    def mean(self, map: Map) -> Map:
        """The mean deformation as one invertible map: circular for angles (none for a full circle), else arithmetic."""
        theta = self.theta(map)
        mean = theta.mean(0, keepdim=True)
        turn = torch.atan2(theta.sin().mean(0, keepdim=True), theta.cos().mean(0, keepdim=True))
        angle, circle = (
            torch.tensor(which, device=theta.device)
            for which in ([f.unit == "rad" for f in self.factors], [f.periodic for f in self.factors])
        )
        return self.map(torch.where(angle, turn, mean).masked_fill(circle, 0.0))

    def sample(
        self, n: int, generator: torch.Generator | None = None, spread: float = 1.0, like: Tensor | None = None
    ) -> Map:
        """`n` deformations, every column uniform over `spread` of its range, for augmentation; device as `like`."""
        theta = torch.rand(n, len(self.factors), generator=generator) * 2 - 1
        half = torch.tensor([f.half_range * (1.0 if f.periodic else spread) for f in self.factors])
        return self.map((theta * half).to(torch.zeros(0) if like is None else like))


@dataclass(frozen=True)
class Identity(Warp):
    """The family that moves nothing: with it a model is the plain autoencoder of its kind."""

    name: ClassVar[str] = "identity"

    @property
    def kind(self) -> Kind:
        return "auto"

    @property
    def factors(self) -> tuple[Factor, ...]:
        return ()

    def constrain(self, raw: Tensor) -> Tensor:
        return raw

    def map(self, theta: Tensor) -> IdentityMap:
        return IdentityMap(len(theta))

    def theta(self, map: Map) -> Tensor:
        return map.like.new_zeros(len(map), 0)

    def summary(self, map: Map) -> dict[Factor, Tensor]:
        return {}

    def mean(self, map: Map) -> IdentityMap:
        return IdentityMap(1)


def check_padding(padding: str) -> None:
    """Refuse an unknown padding mode with the list of known ones."""
    if padding not in PADDINGS:
        raise ConfigError(f"padding={padding!r} is unknown; choose one of {', '.join(PADDINGS)}")
