"""Samples, templates and reconstructions as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp.app.explorer.panels import curves, numbers, picture, residual_picture
from unwarp.app.explorer.sliders import Sliders
from unwarp.core import Array
from unwarp.data.levelling import levelled
from unwarp.data.schema import Prepared
from unwarp.data.working_size import resize_smoothly
from unwarp.errors import ConfigError
from unwarp.estimators.unwarper import Unwarper
from unwarp.models.latent import Latent
from unwarp.warps import Map, align

MAX_CURVE_POINTS = 200
"""Points of the curve of a warp of time."""

AXES = {1: "series", 2: "image"}
"""Kinds of samples that the page can show, by their number of axes."""


@dataclass(frozen=True)
class Viewer:
    """A trained model, as the page shows it.

    Images are shown in the intensities of the model, 0 to 1. Series are shown in the user's units;
    if each was scaled by itself, in standard deviations.

    Attributes:
        unwarper: A trained estimator of images or series.

    Raises:
        ConfigError: Its samples are neither images nor series.
    """

    unwarper: Unwarper

    def __post_init__(self) -> None:
        if len(self.shape) - 1 not in AXES:
            raise ConfigError(
                f"the model was trained on {self.unwarper.schema_.domain.plural}; the explorer "
                "shows images and series"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (C, ...) of a sample at the user's size."""
        return self.unwarper.schema_.user_shape

    @property
    def is_image(self) -> bool:
        """Whether samples are images, not series."""
        return AXES[len(self.shape) - 1] == "image"

    @cached_property
    def sliders(self) -> Sliders:
        """The sliders of the deformation."""
        return Sliders.of(self.unwarper)

    @cached_property
    def times(self) -> Array:
        """Times of the steps of aligned series (T,); empty for images."""
        return np.zeros(0) if self.is_image else np.asarray(self.unwarper.schema_.times)

    @property
    def has_user_units(self) -> bool:
        """Whether series are shown in the user's units."""
        return not self.is_image and not self.unwarper.schema_.scaled_per_sample

    def observed(self, samples: Prepared, rows: Array) -> Tensor:
        """Samples (M, C, ...) at the user's size, scaled.

        Args:
            samples: Prepared samples.
            rows: Their rows (M,).
        """
        x = samples.full(rows)
        return levelled(x) if samples.is_levelled else x

    @torch.no_grad()
    def map_of(self, theta: Tensor) -> Map:
        """Deformations of parameters, as sliders and reconstructions use them.

        Args:
            theta: Parameters (M, P).
        """
        return self.unwarper.model_.chart.map(theta)

    @torch.no_grad()
    def pose_of(self, samples: Prepared, rows: Array) -> Map:
        """Deformations of samples with their refinement, as alignment undoes them.

        Theta only approximates the deformations of some families.

        Args:
            samples: Prepared samples.
            rows: Their rows (M,).
        """
        x, model = samples[rows], self.unwarper.model_
        return self.refined(x, model.pose(x))

    def refined(self, x: Tensor, map: Map) -> Map:
        """Deformations with the refinement of the estimator.

        Args:
            x: Samples (M, C, ...) as the model takes them.
            map: Their learned deformations.
        """
        refinement = self.unwarper.refinement_
        if refinement is None:
            return map
        return refinement.refine(x, map, self.unwarper.model_.padding)

    @torch.no_grad()
    def aligned(self, x: Tensor, map: Map) -> Tensor:
        """Samples with their deformations undone.

        Args:
            x: Samples (M, C, ...) at the user's size.
            map: Their deformations.
        """
        return align(x, map, padding=self.unwarper.model_.padding)

    @torch.no_grad()
    def decoded(self, content: Tensor, map: Map) -> tuple[Tensor, Tensor]:
        """Templates and reconstructions (M, C, ...) at the user's size.

        Args:
            content: Content codes (M, D).
            map: M deformations.
        """
        model, size = self.unwarper.model_, self.shape[1:]
        template, x_hat = model.template(content), model.reconstruct(Latent(content, map))
        return resize_smoothly(template, size), resize_smoothly(x_hat, size)

    def panel(self, x: Tensor, n_points: int | None = None) -> Any:
        """A sample as the page shows it.

        Args:
            x: A scaled sample (C, ...).
            n_points: Greatest number of points of a series; None for all.
        """
        if self.is_image:
            return picture(x.numpy())
        return curves(self.values(x), self.times, n_points)

    def residual(self, observed: Tensor, reconstruction: Tensor) -> Any:
        """The difference of a sample and its reconstruction.

        Args:
            observed: A scaled sample (C, ...).
            reconstruction: Its reconstruction (C, ...).
        """
        if self.is_image:
            return residual_picture(observed.numpy(), reconstruction.numpy())
        return curves(self.values(observed) - self.values(reconstruction), self.times)

    def values(self, x: Tensor) -> Array:
        """Values of a series in the units in which it is shown.

        Args:
            x: A scaled series (C, T).
        """
        if not self.has_user_units:
            return x.numpy()
        return np.asarray(self.unwarper.schema_.scaler.undo(x[None].numpy())[0])

    @torch.no_grad()
    def warp_curve(self, map: Map) -> dict[str, Any] | None:
        """Template time over observed time; None for images.

        Args:
            map: One deformation.
        """
        if self.is_image:
            return None
        points = torch.linspace(0, 1, min(MAX_CURVE_POINTS, len(self.times)))[:, None]
        gamma = map.pull(points)[0, :, 0].numpy()
        start, span = self.times[0], self.times[-1] - self.times[0]
        return {
            "time": numbers(start + span * points[:, 0].numpy()),
            "template_time": numbers(start + span * gamma),
        }

    def render(self, content: Tensor, map: Map) -> dict[str, Any]:
        """Template, reconstruction and warp of a content code and a deformation.

        Args:
            content: A content code (1, D).
            map: One deformation.
        """
        template, x_hat = self.decoded(content, map)
        return {
            "template": self.panel(template[0]),
            "reconstruction": self.panel(x_hat[0]),
            "warp": self.warp_curve(map),
        }
