"""Maps: batches of deformations as functions of points, with products and inverses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from unwarp.errors import NotInvertibleError
from unwarp.warps.window import Padding, Window, resample


class Map(ABC):
    """A batch of N deformations of a template into an observation.

    `push` sends a template point to the observation, `pull` sends an observed point to the
    template. To draw an observation, `pull` is enough: `observation(p) = template(pull(p))`.
    Products and inverses are computed with maps, never with theta, so that the ranges of theta do
    not limit them. Laws: `pull` undoes `push`, `compose` is associative, and the rows of a batch do
    not depend on each other. A subclass defines `pull`, `push`, `invert`, `len` and indexing; this
    class provides the rest.

    >>> import torch
    >>> from unwarp.warps import translation
    >>> right = translation(torch.tensor([[0.5, 0.0]]))
    >>> down = translation(torch.tensor([[0.0, 0.25]]))
    >>> both = down.compose(right)  # right acts on the template first
    >>> both.push(torch.zeros(1, 2)).tolist()
    [[[0.5, 0.25]]]
    >>> both.pull(torch.tensor([[0.5, 0.25]])).abs().tolist()
    [[[0.0, 0.0]]]
    """

    @abstractmethod
    def __len__(self) -> int:
        """Number N of deformations."""

    @abstractmethod
    def __getitem__(self, rows: Tensor | slice) -> Map:
        """The deformations with the indices `rows`, a slice or an integer tensor (M,)."""

    @abstractmethod
    def pull(self, points: Tensor) -> Tensor:
        """Template points that are visible at observed points.

        Args:
            points: Observed points, (P, axes) for all rows or (N, P, axes), in frame coordinates.

        Returns:
            Template points (N, P, axes).
        """

    @abstractmethod
    def push(self, points: Tensor) -> Tensor:
        """Observed positions of template points.

        Args:
            points: Template points, (P, axes) for all rows or (N, P, axes), in frame coordinates.

        Returns:
            Observed points (N, P, axes).

        Raises:
            NotInvertibleError: The map has no inverse; only `pull` is available.
        """

    @abstractmethod
    def invert(self) -> Map:
        """The inverse deformations: their `pull` is `push` of this map.

        Raises:
            NotInvertibleError: The map has no inverse.
        """

    @property
    def reference(self) -> Tensor:
        """A tensor with the dtype and the device of this map.

        New tensors that are used with the map take both from it. Maps without tensors, such as the
        identity, have float32 and the CPU.
        """
        return torch.zeros(0)

    @property
    def parts(self) -> tuple[Map, ...]:
        """The elementary maps, in the order in which they act."""
        return (self,)

    @property
    def point_map(self) -> Map:
        """The part of the map that moves points, without gains and offsets."""
        return self

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        """Simplify the product of `inner` and this map, if possible.

        Two maps of a family that is closed under products become one map. Maps that commute may
        swap places, so that maps of one family become neighbours. The default is None.

        Args:
            inner: The map that acts first.

        Returns:
            The maps that replace `inner` and this map, in the order in which they act; None to
            keep both.
        """
        return None

    def compose(self, inner: Map) -> Map:
        """The product of this map with a map that acts before it.

        Args:
            inner: The deformation that is applied to the template first. Both maps have N rows, or
                one of them has one row, which is used for all.

        Returns:
            The product, `pull(p) = inner.pull(self.pull(p))`, simplified by `chain`.
        """
        parts = inner.parts + self.parts
        return expand_rows(chain(parts), max(len(self), len(inner))) if parts else self

    def invertible_part(self) -> Map:
        """The product of the invertible parts that act last.

        `align` undoes this product. It is the whole map if that is invertible, and the identity if
        the part that acts last has no inverse. Of a displacement followed by an affine map, it is
        the affine map.
        """
        product: Map = IdentityMap(len(self))
        for part in reversed(self.parts):
            if not part.is_invertible:
                break
            product = product.compose(part)
        return product

    @property
    def is_invertible(self) -> bool:
        """Whether `invert` returns a map instead of raising.

        This class tries it; families of maps override it, as they know.
        """
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
        """Deform templates into observations.

        Args:
            x: Templates (N, C, *source.size).
            source: Window on which the templates are sampled; None for the whole frame.
            target: Window of the observations; None for `source`.
            padding: Values beyond the templates: `zeros`, `border` or `reflection`.

        Returns:
            Observations (N, C, *target.size), differentiable in `x` and in the parameters.
        """
        source = source or Window.frame(x.shape[2:])
        target = target or source
        return resample(x, self.pull(target.lattice(x)), source, target, padding)


def expand_rows(map: Map, n: int) -> Map:
    """A map with `n` rows.

    Args:
        map: A map of one row, or of `n` rows.
        n: Number of rows to return.

    Returns:
        The map itself if it has `n` rows, else `n` copies of its first row.
    """
    return map if len(map) == n else map[torch.zeros(n, dtype=torch.long)]


@dataclass(frozen=True)
class IdentityMap(Map):
    """N deformations that move nothing: the neutral element of `compose`.

    Attributes:
        n: Number of rows.

    >>> IdentityMap(2).pull(torch.tensor([[0.5, -0.5]])).shape
    torch.Size([2, 1, 2])
    """

    n: int

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, rows: Tensor | slice) -> IdentityMap:
        return IdentityMap(len(torch.arange(self.n, device=getattr(rows, "device", None))[rows]))

    def pull(self, points: Tensor) -> Tensor:
        """The points themselves, as (N, P, axes)."""
        return points.expand(self.n, *points.shape[-2:])

    def push(self, points: Tensor) -> Tensor:
        """The points themselves, as (N, P, axes)."""
        return self.pull(points)

    is_invertible = True

    def invert(self) -> IdentityMap:
        """The map itself."""
        return self

    @property
    def parts(self) -> tuple[Map, ...]:
        """No part, so that the identity vanishes from products."""
        return ()

    def compose(self, inner: Map) -> Map:
        """The other map, expanded to the number of rows of both."""
        return expand_rows(inner, max(self.n, len(inner)))

    def invertible_part(self) -> Map:
        """The map itself."""
        return self

    def __call__(
        self,
        x: Tensor,
        source: Window | None = None,
        target: Window | None = None,
        padding: Padding = "zeros",
    ) -> Tensor:
        """Return `x` itself, or `x` on the grid of `target` if that is another window."""
        source = source or Window.frame(x.shape[2:])
        return x if target in (None, source) else super().__call__(x, source, target, padding)


def chain(parts: Iterable[Map]) -> Map:
    """Product of maps, with neighbours merged as far as possible.

    Args:
        parts: At least one map, in the order in which they act; N rows each, or one row for all.

    Returns:
        One elementary map if all parts merge, else a `ChainMap`.
    """
    product: list[Map] = []
    for part in parts:
        # a merged result may merge again with the map before it, so it goes back to the queue
        queue: list[Map] = [part]
        while queue:
            outer = queue.pop(0)
            merged = outer.merge(product[-1]) if product else None
            if merged is None:
                product.append(outer)
            else:
                product.pop()
                queue = list(merged) + queue
    n = max(len(part) for part in product)
    product = [expand_rows(part, n) for part in product]
    return product[0] if len(product) == 1 else ChainMap(tuple(product))


@dataclass(frozen=True)
class ChainMap(Map):
    """Maps that act one after the other and cannot be merged.

    `chain` and `compose` build it, with neighbours merged as far as possible.

    Attributes:
        members: The maps, in the order in which they act; N rows each.

    >>> from unwarp.warps import Affine2d, Displacement2d
    >>> pose = Affine2d().map(torch.zeros(3, 6))
    >>> product = pose.compose(Displacement2d(2).map(torch.zeros(3, 8)))
    >>> [type(part).__name__ for part in product.parts], product.is_invertible
    (['DisplacementMap', 'AffineMap'], False)
    """

    members: tuple[Map, ...]

    def __len__(self) -> int:
        return len(self.members[0])

    def __getitem__(self, rows: Tensor | slice) -> ChainMap:
        return ChainMap(tuple(part[rows] for part in self.members))

    @property
    def parts(self) -> tuple[Map, ...]:
        """The members, in the order in which they act."""
        return self.members

    @property
    def reference(self) -> Tensor:
        """The reference of the first member."""
        return self.members[0].reference

    @property
    def point_map(self) -> Map:
        """The product of the `point_map` of each member."""
        product: Map = IdentityMap(len(self))
        for part in self.members:
            product = part.point_map.compose(product)
        return product

    def pull(self, points: Tensor) -> Tensor:
        """Template points (N, P, axes): the last member pulls first."""
        for part in reversed(self.members):
            points = part.pull(points)
        return points

    def push(self, points: Tensor) -> Tensor:
        """Observed points (N, P, axes): the first member pushes first."""
        for part in self.members:
            points = part.push(points)
        return points

    @property
    def is_invertible(self) -> bool:
        """Whether all members are invertible."""
        return all(part.is_invertible for part in self.members)

    def invert(self) -> Map:
        """The inverses in reverse order.

        Raises:
            NotInvertibleError: A member has no inverse.
        """
        return chain(part.invert() for part in reversed(self.members))

    def __call__(
        self,
        x: Tensor,
        source: Window | None = None,
        target: Window | None = None,
        padding: Padding = "zeros",
    ) -> Tensor:
        """Deform templates by one member after the other.

        Each member resamples on the grid of `source`; the last one resamples on that of `target`.
        This takes half the time of a single resampling at `pull(points)`, because each member then
        pulls one grid of points that all rows share.
        """
        source = source or Window.frame(x.shape[2:])
        for part in self.members[:-1]:
            x = part(x, source, source, padding)
        return self.members[-1](x, source, target, padding)
