"""A trained estimator as one module of plain tensors, for tracing.

ExportGraph      from samples in the user's units to poses, aligned samples, codes and templates
SharedScale      the scale that all samples share
SeriesScale      the scale of each series, from its mean and standard deviation
PictureScale     the scale of each picture, from its light
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unwarp.core import Factor
from unwarp.data.scale_fitting import has_light
from unwarp.data.schema import Schema
from unwarp.data.working_size import resize_smoothly
from unwarp.estimators.unwarper import Unwarper
from unwarp.models.latent import Latent
from unwarp.warps import Map, Warp

FUNCTIONS = ("pose", "align", "embed", "template")
"""Names of the functions of a model that are exported, in the order of the outputs."""


class SharedScale(nn.Module):
    """The scale that all samples share: offset and factor.

    Args:
        offset: Value that becomes 0, a number or (1, C, 1).
        factor: Difference that becomes 1, of the same shape.

    >>> SharedScale(10.0, 4.0)(torch.tensor([[[12.0]]]))
    (tensor(10., dtype=torch.float64), tensor(4., dtype=torch.float64))
    """

    offset: Tensor
    factor: Tensor

    def __init__(self, offset: object, factor: object) -> None:
        super().__init__()
        for name, value in (("offset", offset), ("factor", factor)):
            self.register_buffer(name, torch.as_tensor(np.asarray(value), dtype=torch.float64))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Offset and factor, whatever the samples `x`."""
        return self.offset, self.factor


class SeriesScale(nn.Module):
    """The scale of each channel of each series: mean and standard deviation.

    >>> [part.tolist() for part in SeriesScale()(torch.tensor([[[1.0, 3.0], [5.0, 5.0]]]))]
    [[[[2.0], [5.0]]], [[[1.0], [1.0]]]]
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Offset and factor (N, C, 1) of series (N, C, T)."""
        is_constant = x.amax(-1, keepdim=True) == x.amin(-1, keepdim=True)
        mean = x.mean(-1, keepdim=True)
        deviation = (x - mean).square().mean(-1, keepdim=True).sqrt()
        offset = torch.where(is_constant, x[..., :1], mean)
        return offset, deviation.masked_fill(is_constant, 1.0)


class PictureScale(nn.Module):
    """The scale of each picture, as `unwarp.data.light.fit_image_scaler` fits it.

    Args:
        has_dark_ground: Whether the background becomes 0; else the smallest value does.

    >>> x = torch.zeros(1, 1, 6, 6)
    >>> x[..., 1:5, 1:5], x[..., 0, 0] = 2.0, 60.0  # the last is a hot pixel
    >>> [part.flatten().tolist() for part in PictureScale(True)(x)]
    [[0.0], [2.0]]
    """

    def __init__(self, has_dark_ground: bool) -> None:
        super().__init__()
        self.has_dark_ground = has_dark_ground

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Offset and factor (N, 1, 1, 1) of pictures `x`."""
        height, width = x.shape[2:]
        padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
        shifts = [padded[..., i : i + height, j : j + width] for i in range(3) for j in range(3)]
        smooth = torch.stack(shifts, -1).sort(-1).values[..., 4].flatten(1)
        offset = _ground(x) if self.has_dark_ground else smooth.amin(1)
        contrast = smooth.amax(1) - offset
        factor = torch.where(contrast > 0, contrast, 1.0)
        return offset[:, None, None, None], factor[:, None, None, None]


def _ground(x: Tensor) -> Tensor:
    """Median (N,) of the outermost pixels of pictures (N, C, H, W), corners twice."""
    rim = torch.cat([x[..., 0, :], x[..., -1, :], x[..., 0], x[..., -1]], -1)
    values = rim.flatten(1).sort(1).values
    n = values.shape[1]
    return (values[:, (n - 1) // 2] + values[:, n // 2]) / 2


class Resizing(nn.Module):
    """`resize_smoothly` as a product with a matrix for each axis.

    Args:
        size: Size of the samples, (H, W) or (T,).
        target: Size of the result.

    >>> x = torch.rand(2, 1, 9, 6, dtype=torch.float64)
    >>> torch.allclose(Resizing((9, 6), (4, 3))(x), resize_smoothly(x, (4, 3)))
    True
    """

    def __init__(self, size: Sequence[int], target: Sequence[int]) -> None:
        super().__init__()
        self.n_axes = len(size)
        for axis, (n, m) in enumerate(zip(size, target, strict=True)):
            # another axis of size 1 would be one of channels to torch, which then errs
            sizes = [2] * (self.n_axes - 1)
            unit = torch.eye(n, dtype=torch.float64).reshape(n, 1, n, *[1] * (self.n_axes - 1))
            unit = unit.expand(n, 1, n, *sizes).contiguous()
            resized = resize_smoothly(unit, (m, *sizes)).reshape(n, m, -1)
            self.register_buffer(f"matrix_{axis}", resized[..., 0].contiguous())

    def forward(self, x: Tensor) -> Tensor:
        """Samples (N, C, *target) of samples (N, C, *size), float64."""
        for axis in range(self.n_axes):
            matrix = self.get_buffer(f"matrix_{axis}")
            x = (x.transpose(-1, 2 + axis) @ matrix).transpose(-1, 2 + axis)
        return x


class ExportGraph(nn.Module):
    """A trained estimator from samples in the user's units to its results.

    Scaling and resizing are computed in float64, as `Unwarper` does, and the networks in float32.

    Args:
        unwarper: A trained estimator whose steps can all be traced; see
            `unwarp.estimators.exportable.check_exportable`.
        functions: Names of the outputs, some of `FUNCTIONS`.

    Attributes:
        dtype: Type of samples and of results in their units.
        columns: Columns of the output `pose`, as `Unwarper.transform_params` gives them.

    >>> X = np.random.default_rng(0).random((20, 12, 12))
    >>> unwarper = Unwarper(max_steps=2, n_clusters=3, refine="none", random_state=0).fit(X)
    >>> graph = ExportGraph(unwarper, ("align", "embed"))
    >>> [tuple(part.shape) for part in graph(torch.rand(5, 1, 12, 12))]
    [(5, 1, 12, 12), (5, 24)]
    """

    def __init__(self, unwarper: Unwarper, functions: Sequence[str]) -> None:
        super().__init__()
        schema = unwarper.schema_
        size, full = schema.shape[1:], schema.user_shape[1:]
        self.functions = tuple(functions)
        # a copy, since the model of the estimator may be on another device, and trained further
        self.model = copy.deepcopy(unwarper.model_).cpu().eval().requires_grad_(False)
        self.chart: Warp = self.model.chart.with_size(full)
        self.columns = _columns(self.chart)
        self.scale = _scale(schema)
        self.is_bounded = schema.domain.is_bounded
        self.dtype = torch.float64 if schema.scaler.dtype == np.float64 else torch.float32
        self.shrinking = nn.Identity() if size == full else Resizing(full, size)
        self.growing = nn.Identity() if size == full else Resizing(size, full)

    def forward(self, samples: Tensor) -> tuple[Tensor, ...]:
        """Results of samples.

        Args:
            samples: Samples (N, *user_shape) in the user's units.

        Returns:
            One tensor for each of `functions`: `pose` (N, K), `align` (N, *user_shape), `embed`
            (N, D), `template` (N, *user_shape).
        """
        offset, factor = self.scale(samples.double())
        full = (samples.double() - offset) / factor
        x = self.shrinking(full).float()
        x = x.clamp(0.0, 1.0) if self.is_bounded else x
        latent = self._latent(x)
        return tuple(self._result(name, full, latent, offset, factor) for name in self.functions)

    def _result(
        self, name: str, full: Tensor, latent: Latent, offset: Tensor, factor: Tensor
    ) -> Tensor:
        """The output of a function for scaled samples `full` and their latents."""
        if name == "pose":
            return self._pose(latent.map).to(self.dtype)
        if name == "embed":
            return latent.content
        if name == "align":
            scaled = self._aligned(full.float(), latent.map).double()
        else:
            scaled = self._template(latent.content)
        return (scaled * factor + offset).to(self.dtype)

    def _latent(self, x: Tensor) -> Latent:
        """Codes and maps of samples; without codes if no function needs them."""
        if {"embed", "template"} & set(self.functions):
            return self.model.embed(x)
        return Latent(x.new_zeros(len(x), 0), self.model.pose(x))

    def _pose(self, map: Map) -> Tensor:
        """Columns (N, K) of a table of deformations."""
        summary = self.chart.summary(map)
        return torch.stack(list(summary.values()), 1) if summary else self.chart.theta(map)

    def _aligned(self, x: Tensor, map: Map) -> Tensor:
        """Samples (N, C, ...), scaled, with the invertible part of their maps undone."""
        undoing = map.invertible_part().invert()
        aligned: Tensor = undoing(x, padding=self.model.padding)
        return aligned

    def _template(self, content: Tensor) -> Tensor:
        """Templates (N, C, ...) at the user's size, scaled, float64."""
        templates: Tensor = self.growing(self.model.template(content).double())
        return templates


def _columns(chart: Warp) -> tuple[Factor, ...]:
    """The columns of a table of deformations, as `tabulate` chooses them."""
    summary = chart.summary(chart.map(torch.zeros(1, len(chart.factors))))
    return tuple(summary) or chart.factors


def _scale(schema: Schema) -> nn.Module:
    """The module that gives the scale of samples."""
    if not schema.scaled_per_sample:
        return SharedScale(schema.scaler.offset, schema.scaler.factor)
    return PictureScale(schema.has_dark_ground) if has_light(schema.domain) else SeriesScale()
