"""What an estimator makes of codes: templates, deformed samples and new samples."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from unwarp.analysis.mixture import Mixture
from unwarp.analysis.tables import theta_of
from unwarp.core import Array, LatentDensity
from unwarp.data.schema import Schema
from unwarp.errors import ConfigError, DataError
from unwarp.models.latent import Latent
from unwarp.models.model import Model
from unwarp.models.recipe import Recipe


class Generation:
    """The part of `Unwarper` that needs no samples: codes in, samples out."""

    model_: Model
    recipe_: Recipe
    schema_: Schema
    mixture_: Mixture
    cluster_centers_: Array

    def inverse_transform(self, Z: Any, params: Any = None) -> Array:
        """Samples (N, C, ...) from content codes: templates, or deformed by `params`.

        Args:
            Z: Content codes (N, D).
            params: What `transform_params(..., full=True)` gives, or its affine human columns.

        Raises:
            DataError: Codes of another size.
        """
        check_is_fitted(self)
        content = torch.tensor(np.array(Z, np.float32))
        if content.ndim != 2 or content.shape[1] != self.model_.n_content:
            raise DataError(
                f"Z has shape {tuple(content.shape)}; give codes of shape (N, {self.model_.n_content})"
            )
        with torch.no_grad():
            if params is None:
                samples = self.model_.template(content)
            else:
                theta = theta_of(params, self.model_.chart, len(content))
                samples = self.model_.reconstruct(Latent(content, self.model_.chart.map(theta)))
        return np.asarray(self.schema_.scaler.undo(samples.numpy()))

    def sample(self, n: int = 1, *, source: LatentDensity = "auto", random_state: int = 0) -> Array:
        """New samples (n, C, ...) in the data's range.

        Args:
            n: How many.
            source: `prior`, `mixture` (a Gaussian mixture fitted to the training samples' content and deformation), or `auto`:
                the prior of a family that has one, else the mixture.
            random_state: Seed.

        Raises:
            ConfigError: No samples, an unknown source, or a prior that the family does not have.
        """
        check_is_fitted(self)
        if n < 1 or source not in get_args(LatentDensity):
            raise ConfigError(
                f"n={n} must be at least 1, and source={source!r} one of {', '.join(get_args(LatentDensity))}"
            )
        if source == "prior" and not self.recipe_.generative:
            raise ConfigError(
                f"{self.recipe_.family!r} has no prior over content; use source='mixture'"
            )
        with torch.no_grad():
            if source == "mixture" or not self.recipe_.generative:
                samples = self._decode(
                    torch.from_numpy(self.mixture_.sample(n, random_state)).float()
                )
            else:
                samples = self.model_.eval().sample(n, torch.Generator().manual_seed(random_state))
        return np.asarray(self.schema_.scaler.undo(samples.numpy()))

    @property
    def cluster_templates_(self) -> Array:
        """What the cluster centres look like (n_clusters, C, ...)."""
        return self.inverse_transform(self.cluster_centers_)

    def _decode(self, latents: Tensor) -> Tensor:
        """Samples (N, *shape) of content and theta, side by side (N, D + P)."""
        content, theta = torch.split(
            latents, [self.model_.n_content, len(self.model_.warp.factors)], -1
        )
        return self.model_.reconstruct(Latent(content, self.model_.chart.map(theta)))
