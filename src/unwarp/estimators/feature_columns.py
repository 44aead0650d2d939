"""Columns that `transform` returns: a base, with or without the pose.

Views      samples as features see them: as they are, aligned, coded, and their poses
Base       a kind of columns, such as the content code or samples as they are
Columns    a fitted base, and the scale of the pose beside it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array, Domain
from unwarp.devices import place, resolve_device
from unwarp.distances.values_and_slopes import mean_and_nearest
from unwarp.errors import ConfigError
from unwarp.estimators.pose_columns import pose_columns, pose_names
from unwarp.missing import interpolate_missing
from unwarp.models.measured import ElasticCode
from unwarp.models.model import Model
from unwarp.models.refinement import Refinement
from unwarp.warps import align

N_NUMBERS = 64
"""Columns of an elastic code."""


@dataclass(frozen=True)
class Views:
    """Samples as features see them.

    Attributes:
        content: Content codes (N, D).
        raw: Samples as they are (N, C, ...), scaled for the model; NaN in gaps.
        aligned: Samples with their deformations undone, refined where the model is (N, C, ...).
        pose: Columns that describe the deformations (N, P).
    """

    content: Tensor
    raw: Tensor
    aligned: Tensor
    pose: Tensor

    @classmethod
    @torch.no_grad()
    def of(
        cls,
        model: Model,
        domain: Domain,
        x: Tensor,
        device: str = "cpu",
        refinement: Refinement | None = None,
    ) -> Views:
        """The views of samples.

        Args:
            model: A trained model.
            domain: Domain of the samples.
            x: Samples (N, C, ...), scaled for the model.
            device: Device that computes.
            refinement: The refinement of deformations; None for none.
        """
        target = resolve_device(device)
        place(model, target)
        latent = model.embed(x.to(target))
        map = latent.map
        if refinement is not None:
            map = refinement.refine(x.to(target), map, model.padding)
        aligned = align(x.to(target), map, padding=model.padding)
        pose = pose_columns(latent.map, model.chart, domain)
        content = latent.content.cpu()
        place(model, "cpu")
        return cls(content, x, aligned.cpu(), pose)


@dataclass(frozen=True)
class Base:
    """A kind of columns.

    Attributes:
        name: Name in records and of the columns.
        words: The kind in words.
        view: The view that columns are made of; `none` for no columns.
        weights: Weights of the parts of an elastic distance, whose code the columns are: dynamic
            time warping of values, move-split-merge of values, and of slopes. None for no code.
        has_pose: Whether the pose stands beside the columns.
    """

    name: str
    words: str
    view: Literal["content", "raw", "aligned", "none"]
    weights: tuple[float, float, float] | None = None
    has_pose: bool = False


BASES: Mapping[str, Base] = {
    base.name: base
    for base in (
        Base("content", "content codes", "content"),
        Base("raw", "samples as they are", "raw"),
        Base("aligned", "aligned samples", "aligned"),
        Base("elastic", "elastic codes of values and slopes", "raw", (1, 1, 1)),
        Base("values", "elastic codes of values, by time warping", "raw", (1, 0, 0)),
        Base("edits", "elastic codes of values, by edits", "raw", (0, 1, 0)),
        Base("slopes", "elastic codes of slopes, by edits", "raw", (0, 0, 1)),
        Base("both-edits", "elastic codes of values and slopes, by edits", "raw", (0, 1, 1)),
        Base("elastic-aligned", "elastic codes of aligned series", "aligned", (1, 1, 1)),
        Base("timing", "poses alone", "none", has_pose=True),
        Base("content-timing", "content codes and poses", "content", has_pose=True),
    )
}
"""All kinds by name, simpler ones first."""


@dataclass(frozen=True)
class Columns:
    """The columns that `transform` returns.

    Attributes:
        base: Name of the kind of columns.
        pose_scale: Factor of the pose beside the columns: the ratio of the mean distances to the
            nearest other training sample. None in a model that an earlier version saved.
        code: The elastic code that computes the columns; None for other kinds.
        is_refined: Whether aligned series are refined; not in models of earlier versions.

    >>> views = Views(torch.eye(3), torch.zeros(3, 1, 4), torch.zeros(3, 1, 4), torch.eye(3) / 2)
    >>> columns = Columns.fit("content", views)
    >>> columns(views).shape, columns.pose_scale
    (torch.Size([3, 3]), 2.0)
    """

    base: str = "content"
    pose_scale: float | None = None
    code: ElasticCode | None = None
    is_refined: bool = False

    @classmethod
    def fit(cls, base: str, views: Views, is_refined: bool = False) -> Columns:
        """Fit a kind of columns to training samples.

        Args:
            base: Name of the kind.
            views: Training samples in random order.
            is_refined: Whether the aligned ones among them are refined.
        """
        weights, code = BASES[base].weights, None
        if weights is not None:
            series = getattr(views, BASES[base].view)
            code = ElasticCode(series.shape[1:], N_NUMBERS)
            code.fit(series, weights=weights)
        columns = cls(base, 1.0, code)
        scale = scale_of_pose(columns._base(views), views.pose)
        return cls(base, scale, code, is_refined)

    def __call__(self, views: Views, has_pose: bool = False) -> Tensor:
        """The columns of samples.

        Args:
            views: N samples.
            has_pose: Whether the pose stands beside the columns in any case.

        Returns:
            Columns (N, F).

        Raises:
            ConfigError: An earlier version saved the model, without the scale of the pose.
        """
        columns = self._base(views)
        if not (has_pose or BASES[self.base].has_pose):
            return columns
        if self.pose_scale is None:
            raise ConfigError(
                "pose=True needs a scale that this model lacks, because an earlier version saved "
                "it; fit it again, or take transform_params"
            )
        return torch.cat([columns, self.pose_scale * views.pose], 1)

    def _base(self, views: Views) -> Tensor:
        """The columns (N, F) without the pose."""
        view = BASES[self.base].view
        if view == "none":
            return views.pose[:, :0]
        x: Tensor = getattr(views, view)
        if self.code is not None:
            code: Tensor = self.code(x)[0]
            return code
        return x if view == "content" else fill_gaps(x).flatten(1)

    def names(self, model: Model, domain: Domain, has_pose: bool = False) -> list[str]:
        """Names of the columns.

        Args:
            model: The trained model.
            domain: Domain of the samples.
            has_pose: Whether the pose stands beside the columns in any case.
        """
        base = BASES[self.base]
        sizes = {"content": model.n_content, "none": 0}
        size = sizes.get(base.view, int(np.prod(model.shape)))
        size = size if self.code is None else N_NUMBERS
        names = [f"{base.name.replace('-', '_')}_{i}" for i in range(size)]
        if base.has_pose:
            names = [name.replace("content_timing", "content") for name in names]
        return names + (pose_names(model.chart, domain) if has_pose or base.has_pose else [])

    def record(self) -> dict[str, Any]:
        """The values for a JSON file, without the arrays."""
        return {
            "base": self.base,
            "pose_scale": self.pose_scale,
            "is_refined": self.is_refined,
        }

    def arrays(self) -> dict[str, Array]:
        """Arrays of the elastic code by name, with 0 for infinite units."""
        if self.code is None:
            return {}
        state = {name: value.numpy() for name, value in self.code.state_dict().items()}
        return state | {"units": np.where(np.isfinite(state["units"]), state["units"], 0)}

    @classmethod
    def of(cls, record: Mapping[str, Any] | None, arrays: Mapping[str, Array]) -> Columns:
        """Columns from their record and arrays.

        Args:
            record: The result of `record`; None in a model that an earlier version saved.
            arrays: The result of `arrays`.

        Raises:
            ValueError: The kind is unknown.
        """
        if record is None:
            return cls()
        if record["base"] not in BASES:
            raise ValueError(f"features base={record['base']!r} is unknown")
        code, scale = None, float(record["pose_scale"])
        if arrays:
            state = {name: torch.from_numpy(value) for name, value in arrays.items()}
            state["units"] = torch.where(state["units"] > 0, state["units"], torch.inf)
            code = ElasticCode(tuple(state["landmarks"].shape[1:]), state["axes"].shape[1])
            code.load_state_dict(state)
        if (code is None) != (BASES[record["base"]].weights is None):
            raise ValueError(f"the arrays of features base={record['base']!r} do not fit it")
        return cls(record["base"], scale, code, bool(record.get("is_refined", False)))


def fill_gaps(x: Tensor) -> Tensor:
    """Samples (N, C, ...) without NaN: gaps of series are interpolated."""
    return interpolate_missing(x) if x.ndim == 3 and x.isnan().any() else x


def scale_of_pose(columns: Tensor, pose: Tensor) -> float:
    """Factor of the pose that makes mean nearest distances equal.

    Args:
        columns: Features of training samples (N, F).
        pose: Columns of their poses (N, P).

    Returns:
        The ratio of the mean distances to the nearest other sample; 1 if one of them is 0.
    """
    target, nearest = _mean_nearest(columns), _mean_nearest(pose)
    return target / nearest if target and nearest else 1.0


def _mean_nearest(columns: Tensor) -> float:
    """The mean distance to the nearest other sample; 0 for one sample or no columns."""
    if len(columns) < 2 or not columns.shape[1]:
        return 0.0
    return mean_and_nearest(torch.cdist(columns, columns))[1]
