"""Affine maps of points, with exact products and inverses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from unwarp.errors import NotInvertibleError
from unwarp.waiting import can_read
from unwarp.warps.constants import constant, lazy_property
from unwarp.warps.maps import Map
from unwarp.warps.window import Padding, Window, resample


@dataclass(frozen=True)
class AffineMap(Map):
    """N affine maps of images, `push(p) = A p + t`.

    The maps are closed under products and inverses. Points are in half-widths of the frame, so that
    on a frame that is not square the matrix of a rotation is not orthogonal; `Affine2d` converts to
    angles, factors and pixels. Calling a map with templates interpolates bilinearly, once per
    pixel of the observation.

    Attributes:
        matrix: The matrices [A | t], (N, 2, 3), from template to observation.

    >>> import torch
    >>> double = AffineMap(torch.tensor([[[2.0, 0.0, 0.5], [0.0, 2.0, 0.0]]]))
    >>> double.push(torch.tensor([[0.25, 0.25]])).tolist()
    [[[1.0, 0.5]]]
    >>> double.invert().compose(double).matrix.tolist()
    [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]
    """

    matrix: Tensor

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def reference(self) -> Tensor:
        """The matrices, with the dtype and the device of the map."""
        return self.matrix

    def __getitem__(self, rows: Tensor | slice) -> AffineMap:
        return AffineMap(self.matrix[rows])

    def push(self, points: Tensor) -> Tensor:
        """Observed positions A p + t of template points.

        Args:
            points: Template points (P, 2) for all rows, or (N, P, 2), in half-widths.

        Returns:
            Observed points (N, P, 2).
        """
        if points.ndim > 2:
            linear, shift = self.matrix[..., :2], self.matrix[..., 2]
            return points @ linear.mT + shift[:, None]
        # all rows share the points: one large matrix product is ten times as fast as N small ones
        rows = self.matrix.flatten(0, 1) @ F.pad(points, (0, 1), value=1.0).mT
        return rows.reshape(len(self), 2, -1).mT

    def pull(self, points: Tensor) -> Tensor:
        """Template points A^-1 (p - t) of observed points.

        Args:
            points: Observed points (P, 2) for all rows, or (N, P, 2), in half-widths.

        Returns:
            Template points (N, P, 2).
        """
        return self.invert().push(points)

    @property
    def is_invertible(self) -> bool:
        """Whether no matrix is singular, as far as they are checked (`is_checked`)."""
        return not is_checked(self.matrix) or self._is_regular

    @lazy_property
    def _is_regular(self) -> bool:
        """Whether no determinant is 0."""
        return bool(determinant(self.matrix).all())

    def invert(self) -> AffineMap:
        """The inverse maps [A^-1 | -A^-1 t], which are kept.

        Raises:
            NotInvertibleError: A matrix is singular, and they are checked (`is_checked`).
        """
        matrix = self.matrix
        # without its graph, or with the one that belongs to an earlier step, it would be wrong
        is_stale = matrix.requires_grad and (matrix.is_leaf or not torch.is_grad_enabled())
        return self._compute_inverse() if is_stale else self._inverse

    @lazy_property
    def _inverse(self) -> AffineMap:
        """The inverse maps, kept for the next use."""
        return self._compute_inverse()

    def _compute_inverse(self) -> AffineMap:
        """The inverse maps, as `invert` returns them."""
        if not self.is_invertible:
            singular = determinant(self.matrix) == 0
            raise NotInvertibleError(
                f"matrix={self.matrix[singular][0].tolist()} is singular, so it has no inverse; "
                "give affine maps whose determinant is not 0"
            )
        # a trace differentiates the operations themselves
        has_graph = torch.is_grad_enabled() and self.matrix.requires_grad
        if torch.compiler.is_compiling():
            return AffineMap(inverse_matrix(self.matrix))
        function: Any = _Inverse.apply if has_graph else inverse_matrix
        inverse = AffineMap(function(self.matrix))
        if has_graph or not self.matrix.requires_grad:
            # the way back; a map of its own, as a circle of references would keep memory
            inverse.__dict__["_inverse"] = AffineMap(self.matrix)
        return inverse

    def __call__(
        self,
        x: Tensor,
        source: Window | None = None,
        target: Window | None = None,
        padding: Padding = "zeros",
    ) -> Tensor:
        """Deform templates; arguments as for `Map`.

        The matrices are divided by the extent of `source`, which is cheaper than to divide every
        point by it.
        """
        source = source or Window.frame(x.shape[2:])
        target = target or source
        pull = self.invert()
        if any(e != 1 for e in source.extent):
            pull = AffineMap(pull.matrix / constant(source.extent[::-1], pull.matrix)[:, None])
        return resample(x, pull._push_grid(target), Window.frame(source.size), target, padding)

    def _push_grid(self, target: Window) -> Tensor:
        """Observed positions (N, P, 2) of the pixels of a window, as of `push`.

        Each is the sum of a vector of its column and a vector of its row.
        """
        y, x = target.axes(self.matrix)
        columns = self.matrix[..., :1] * x
        rows = torch.addcmul(self.matrix[..., 2:], self.matrix[..., 1:2], y)
        return (rows[..., :, None] + columns[..., None, :]).flatten(2).mT

    def merge(self, inner: Map) -> tuple[Map, ...] | None:
        """The product with an inner affine map.

        Args:
            inner: The map that acts first.

        Returns:
            The map [A A' | A t' + t], or None if `inner` is not affine.
        """
        if not isinstance(inner, AffineMap):
            return None
        shift = F.pad(self.matrix[..., 2:], (2, 0))
        return (AffineMap(self.matrix[..., :2] @ inner.matrix + shift),)


class _Inverse(torch.autograd.Function):
    """Inverses [B | s] of affine maps [A | t], as of `inverse_matrix`.

    With G the gradient of the result and P = B^T G, the gradient is -[P [B | s]^T | P_s], with P_s
    the last column of P. Automatic differentiation takes six times as many operations.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        inverse = inverse_matrix(matrix)
        ctx.save_for_backward(inverse)
        return inverse

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (inverse,) = ctx.saved_tensors
        product = inverse[..., :2].mT @ gradient
        return -torch.cat([product @ inverse.mT, product[..., 2:]], -1)


def inverse_matrix(matrix: Tensor) -> Tensor:
    """Inverses [B | s] of affine maps.

    B = adj(A) / det(A), and s = -B t.

    Args:
        matrix: Matrices [A | t] (..., 2, 3).

    Returns:
        Inverses (..., 2, 3); infinite or NaN where A is singular.

    >>> inverse_matrix(torch.tensor([[2.0, 0.0, 1.0], [0.0, 4.0, 1.0]])).abs().tolist()
    [[0.5, 0.0, 0.5], [0.0, 0.25, 0.25]]
    """
    linear, shift = matrix[..., :2], matrix[..., 2:]
    signs = constant((1.0, -1.0, -1.0, 1.0), matrix).reshape(2, 2)
    inverse = linear.flip(-1, -2).mT * signs / determinant(matrix)[..., None, None]
    return torch.cat([inverse, -(inverse @ shift)], -1)


def determinant(matrix: Tensor) -> Tensor:
    """Determinants of the linear parts of affine maps.

    Args:
        matrix: Matrices [A | t] (..., 2, 3).

    Returns:
        Determinants of A (...).

    >>> determinant(torch.tensor([[2.0, 1.0, 9.0], [0.0, 3.0, 9.0]]))
    tensor(6.)
    """
    a, b, _, c, d, _ = matrix.flatten(-2).unbind(-1)
    return a * d - b * c


def translation(shift: Tensor) -> AffineMap:
    """Pure shifts as affine maps.

    Args:
        shift: Shifts (N, 2), x to the right and y down, in half-widths.

    Returns:
        N maps with `push(p) = p + shift`.
    """
    linear = torch.eye(2, dtype=shift.dtype, device=shift.device).expand(len(shift), 2, 2)
    return AffineMap(torch.cat([linear, shift[..., None]], -1))


def is_checked(values: Tensor) -> bool:
    """Whether a computation may look at values to refuse some.

    It may not where gradients are computed, nor in a training step on a GPU, nor in a graph that is
    traced (`can_read`).

    Args:
        values: Values to look at.

    >>> is_checked(torch.zeros(1)), is_checked(torch.zeros(1, requires_grad=True))
    (True, False)
    """
    return can_read(values) and not values.requires_grad


def affine_part(map: Map) -> AffineMap:
    """The part of a map that acts last, if it is affine.

    Args:
        map: N deformations of images.

    Returns:
        That part, which is the map itself if the map is affine; N identities if the last part is
        not affine.
    """
    parts = map.parts
    if parts and isinstance(parts[-1], AffineMap):
        return parts[-1]
    return translation(map.reference.new_zeros(len(map), 2))
